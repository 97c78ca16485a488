//! `cargo bench -p memo-benches --bench freshness`: what stale results and renewals cost, and what they spare the callers.
//!
//! What `refresh_ahead = "auto"` spares is simulated in `memo/src/memo/freshness.rs`, where time passes only as it is told.
//! Instructions of a hit with and without `stale` are counted by `benches/callgrind.sh hits "memo ttl" "memo stale"`.

use std::fmt::Display;
use std::hint::black_box;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use memo::__private::testing::advance;
use memo::memoize;
use memo_benches::report::machine;

fn main() -> ExitCode {
    if let Some(option) = std::env::args().skip(1).find(|argument| argument != "--bench") {
        eprintln!("unknown argument {option}; there are none");
        return ExitCode::FAILURE;
    }
    memo::set_spawner(|renewal| SPAWNED.lock().expect("no panic").push(renewal));
    println!("on {}\n", machine());
    hits();
    end_of_a_lifetime();
    outage();
    ExitCode::SUCCESS
}

/// Prints a figure, and whether it is what it has to be.
fn goal(what: &str, figure: f64, unit: impl Display, at_most: f64) {
    let verdict = if figure <= at_most { "met" } else { "MISSED" };
    println!("{what}: {figure:.3} {unit}, at most {at_most}: {verdict}");
}

/// Renewals of asynchronous functions, which wait here for the benchmark to run them.
static SPAWNED: Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>> = Mutex::new(Vec::new());

/// What a future gives that does not wait.
fn at_once<R>(future: impl Future<Output = R>) -> R {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it does not wait"),
    }
}

/// A hit with `stale`: fresh, and stale while it is renewed, beside a hit with `ttl` alone.
fn hits() {
    #[memoize(ttl = "1h")]
    async fn plain(x: u64) -> u64 {
        x
    }
    #[memoize(ttl = "1h", stale = "1h")]
    async fn fresh(x: u64) -> u64 {
        x
    }
    #[memoize(ttl = "1h", stale = "1h")]
    async fn stale(x: u64) -> u64 {
        x
    }
    const CALLS: u64 = 100_000;
    let of = |call: &dyn Fn(u64) -> u64| {
        let begun = Instant::now();
        for n in 0..CALLS {
            black_box(call(black_box(n % 8)));
        }
        begun.elapsed().as_secs_f64() / CALLS as f64 * 1e9
    };
    let calls: [&dyn Fn(u64) -> u64; 3] =
        [&|x| at_once(plain(x)), &|x| at_once(fresh(x)), &|x| at_once(stale(x))];
    for call in calls {
        of(call);
    }
    (0..8).for_each(|x| at_once(stale::expire(x)).expect("memory does it"));
    // each is handed over once, and not run
    of(calls[2]);
    assert_eq!(SPAWNED.lock().expect("no panic").len(), 8);
    let mut samples: [Vec<f64>; 3] = Default::default();
    for _ in 0..60 {
        for (call, samples) in calls.into_iter().zip(&mut samples) {
            samples.push(of(call));
        }
    }
    SPAWNED.lock().expect("no panic").clear();
    let [plain, fresh, stale] = samples.map(median);
    println!(
        "a hit: {plain:.1} ns with `ttl`, {fresh:.1} ns with `stale`, {stale:.1} ns while it is renewed"
    );
    goal("a fresh hit with `stale` / one with `ttl`", fresh / plain, "x", 1.02);
    goal("a stale hit while it is renewed / a fresh one", stale / fresh, "x", 1.5);
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// A thousand callers as a lifetime ends.
fn end_of_a_lifetime() {
    const THREADS: usize = 4;
    static COMPUTED: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale = "1h")]
    fn page(id: u64) -> u64 {
        COMPUTED.fetch_add(1, SeqCst);
        thread::sleep(Duration::from_millis(50));
        id
    }
    page(1);
    let mut slowest_of = Vec::new();
    let mut computed = 0;
    for _ in 0..5 {
        let before = (COMPUTED.load(SeqCst), page::stats().renewed);
        advance(Duration::from_secs(301));
        let barrier = Barrier::new(THREADS);
        let slowest = thread::scope(|scope| {
            let callers = (0..THREADS).map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let calls = (0..1000 / THREADS).map(|_| {
                        let begun = Instant::now();
                        page(1);
                        begun.elapsed()
                    });
                    calls.max().expect("there are some")
                })
            });
            let callers: Vec<_> = callers.collect();
            callers.into_iter().map(|caller| caller.join().expect("no panic")).max().expect("there are some")
        });
        while page::stats().renewed == before.1 {
            thread::sleep(Duration::from_millis(1));
        }
        computed = computed.max(COMPUTED.load(SeqCst) - before.0);
        slowest_of.push(slowest.as_secs_f64() * 1e3);
    }
    // other programs may take the processor from a caller
    goal("the slowest of 1,000 callers as a lifetime ends", median(slowest_of), "ms", 1.0);
    goal("the body ran", computed as f64, "times", 1.0);
}

/// An origin that is down for a minute, asked for ten times a second.
fn outage() {
    static DOWN: AtomicU64 = AtomicU64::new(0);
    static ASKED: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    fn rate(id: u64) -> Result<u64, String> {
        ASKED.fetch_add(1, SeqCst);
        if DOWN.load(SeqCst) == 0 { Ok(id) } else { Err("down".into()) }
    }
    rate(1).expect("it is up");
    DOWN.store(1, SeqCst);
    advance(Duration::from_secs(301));
    ASKED.store(0, SeqCst);
    let mut failures = 0;
    for _ in 0..600 {
        failures += u64::from(rate(1).is_err());
        advance(Duration::from_millis(100));
    }
    goal("failures seen while the origin is down", failures as f64, "calls", 0.0);
    // at 0, 1, 3, 7, 15 and 31 seconds
    goal("the origin was asked while it was down", ASKED.load(SeqCst) as f64, "times", 6.0);
}
