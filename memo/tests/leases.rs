//! One computation per key among processes: `single_flight = "machine"`. Where two processes are meant, there are two
//! (this test binary, called again), or two functions of one name, which are one to an engine and know nothing of each
//! other.
#![cfg(feature = "engines")]

mod lender;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use lender::Lender;
use memo::memoize;

/// How long something may take that must not hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `done`, no longer than the deadline.
#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `work`, and fails if it hangs.
#[track_caller]
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    wait.recv_timeout(DEADLINE).expect("it neither hangs nor panics")
}

#[test]
fn another_process_waits_and_finds_the_value() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    static GO: AtomicBool = AtomicBool::new(false);
    #[memoize(engine = "waits", name = "waits::f", code = "manual", single_flight = "machine")]
    fn first(n: u64) -> u64 {
        slow(&COMPUTES, &GO);
        n
    }
    #[memoize(engine = "waits", name = "waits::f", code = "manual", single_flight = "machine")]
    fn second(n: u64) -> u64 {
        slow(&COMPUTES, &GO);
        n
    }
    let lender = Lender::named("waits");
    let plan = first::plan().to_string();
    assert!(plan.contains("one computation per key and machine, by leases of \"waits\""), "{plan}");
    let one = thread::spawn(|| first(1));
    until("the first computes", || COMPUTES.load(SeqCst) == 1);
    let others: Vec<_> = (0..8).map(|_| thread::spawn(|| second(1))).collect();
    // it asks again and again
    until("the second waits", || lender.count().0 > 5);
    assert_eq!(COMPUTES.load(SeqCst), 1);
    GO.store(true, SeqCst);
    assert_eq!(one.join().unwrap(), 1);
    others.into_iter().for_each(|other| assert_eq!(other.join().unwrap(), 1));
    assert_eq!(COMPUTES.load(SeqCst), 1);
    until("the lease is given back", || lender.count().1 == 1);
    let stats = second::stats();
    assert_eq!((stats.computes, stats.hits + stats.misses), (0, 8));
    assert!(stats.waits >= 1, "{stats}");
    assert_eq!((stats.tiers[0].misses, stats.tiers[0].errors), (1, 0), "waiting is one miss");
}

/// A body that counts and waits until it may go on.
fn slow(computes: &AtomicU64, go: &AtomicBool) {
    computes.fetch_add(1, SeqCst);
    until("it may go on", || go.load(SeqCst));
}

#[test]
fn a_panic_and_a_dropped_future_give_the_lease_back() {
    static PANICS: AtomicBool = AtomicBool::new(true);
    #[memoize(engine = "panics", single_flight = "machine")]
    fn panics(n: u64) -> u64 {
        assert!(!PANICS.load(SeqCst), "as it was told");
        n
    }
    let lender = Lender::named("panics");
    for _ in 0..20 {
        thread::spawn(|| panics(1)).join().unwrap_err();
    }
    PANICS.store(false, SeqCst);
    assert_eq!(in_time(|| panics(1)), 1);
    until("all leases are given back", || lender.count().1 == 21);

    #[memoize(engine = "panics", single_flight = "machine")]
    async fn drops(n: u64) -> u64 {
        if n == 0 {
            RUNS.notify_one();
            std::future::pending::<()>().await;
        }
        n
    }
    // the body runs, so it holds the lease
    static RUNS: tokio::sync::Notify = tokio::sync::Notify::const_new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for _ in 0..20 {
        runtime.block_on(async {
            tokio::select! {
                n = drops(0) => panic!("it gave {n}"),
                () = RUNS.notified() => {}
            }
        });
    }
    until("all leases are given back", || lender.count().1 == 41);
    assert_eq!(runtime.block_on(drops(1)), 1);
}

#[test]
fn promise_2_a_future_that_nobody_polls_any_more_loses_its_lease() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    static DONE: AtomicBool = AtomicBool::new(false);
    #[memoize(engine = "left", single_flight = "machine")]
    async fn stuck_at_first(n: u64) -> u64 {
        if RUNS.fetch_add(1, SeqCst) == 0 {
            std::future::pending::<()>().await;
        }
        n
    }
    let lender = Lender::named("left");
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut left = Box::pin(stuck_at_first(1));
    runtime().block_on(async {
        while RUNS.load(SeqCst) == 0 {
            tokio::select! {
                n = &mut left => panic!("it gave {n}"),
                () = tokio::task::yield_now() => {}
            }
        }
    });
    let time = thread::spawn(|| {
        while !DONE.load(SeqCst) {
            memo::__private::testing::advance(Duration::from_secs(1));
            thread::yield_now();
        }
    });
    let given = in_time(move || runtime().block_on(stuck_at_first(1)));
    DONE.store(true, SeqCst);
    time.join().unwrap();
    assert_eq!((given, RUNS.load(SeqCst)), (1, 2));
    until("both leases are given back", || lender.count().1 == 2);
    drop(left);
}

#[test]
fn what_fails_about_a_lease_fails_no_call() {
    #[memoize(engine = "fails", single_flight = "machine")]
    fn f(n: u64) -> u64 {
        n
    }
    let lender = Lender::named("fails");
    lender.0.release_fails.store(true, SeqCst);
    assert_eq!((f(1), f(1)), (1, 1));
    lender.0.lease_fails.store(true, SeqCst);
    assert_eq!((f(2), f(2)), (2, 2));
    assert_eq!(f::stats().computes, 2);
    assert_eq!(f::stats().tiers[0].hits, 2, "what was computed is stored in either case");
}

#[test]
fn a_lease_is_renewed_until_it_is_lost_and_what_was_computed_is_stored() {
    static GO: AtomicBool = AtomicBool::new(false);
    #[memoize(engine = "renews", single_flight = "machine")]
    fn f(n: u64) -> u64 {
        until("it may go on", || GO.load(SeqCst));
        n
    }
    let lender = Lender::named("renews");
    lender.0.renew_fails.store(true, SeqCst);
    let call = thread::spawn(|| f(1));
    until("it is renewed", || lender.0.renewed.load(SeqCst) >= 1);
    lender.0.renew_fails.store(false, SeqCst);
    lender.0.loses.store(true, SeqCst);
    until("it is renewed, also after an error", || lender.0.renewed.load(SeqCst) >= 2);
    GO.store(true, SeqCst);
    assert_eq!(call.join().unwrap(), 1);
    assert_eq!((f(1), f::stats().computes), (1, 1));
}

#[test]
fn what_was_stored_between_the_look_and_the_lease_is_found() {
    #[memoize(engine = "between", name = "between::f", code = "manual", single_flight = "machine")]
    fn first(_n: u64) -> u64 {
        unreachable!("the other has stored it")
    }
    #[memoize(engine = "between", name = "between::f", code = "manual")]
    fn second(n: u64) -> u64 {
        n
    }
    let lender = Lender::named("between");
    *lender.0.before.lock().unwrap() = Some(Box::new(|| assert_eq!(second(1), 1)));
    assert_eq!(first(1), 1);
    until("the lease is given back", || lender.count() == (1, 1));
}

#[test]
fn refresh_and_uncached_compute_at_once() {
    #[memoize(engine = "refreshes", single_flight = "machine")]
    fn f(n: u64) -> u64 {
        n
    }
    let lender = Lender::named("refreshes");
    assert_eq!((f::refresh(1), f::uncached(1), f(1)), (1, 1, 1));
    assert_eq!(lender.count().0, 0, "they ask for no lease");
    f(2);
    assert_eq!(lender.count().0, 1);
}

#[test]
fn an_engine_without_leases_is_said() {
    #[memoize(engine = ["memory", "lends nothing"], single_flight = "fleet")]
    fn f(n: u64) -> u64 {
        n
    }
    let lender = Lender::named("lends nothing");
    assert_eq!(
        f::plan().reasons().nth(1).unwrap(),
        "`single_flight = \"fleet\"` is asked for, but no engine of the function gives leases that reach so far: \
         one computation per key and process"
    );
    assert_eq!((f(1), f(1)), (1, 1));
    assert_eq!(lender.count().0, 0, "it reaches this machine only");
}

#[test]
fn an_invalidation_wins_over_a_computation_that_another_process_waits_for() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    static GO: AtomicBool = AtomicBool::new(false);
    #[memoize(engine = "wins", name = "wins::f", code = "manual", single_flight = "machine")]
    fn first(_n: u64) -> u64 {
        let before = COMPUTES.load(SeqCst);
        slow(&COMPUTES, &GO);
        before
    }
    #[memoize(engine = "wins", name = "wins::f", code = "manual", single_flight = "machine")]
    fn second(_n: u64) -> u64 {
        COMPUTES.fetch_add(1, SeqCst)
    }
    let lender = Lender::named("wins");
    let one = thread::spawn(|| first(1));
    until("the first computes", || COMPUTES.load(SeqCst) == 1);
    let other = thread::spawn(|| second(1));
    until("the second waits", || lender.count().0 > 2);
    second::invalidate(1).unwrap();
    GO.store(true, SeqCst);
    assert_eq!(one.join().unwrap(), 0, "its own callers get what it computed");
    assert_eq!(other.join().unwrap(), 1, "the other computes anew");
    assert_eq!(second(1), 2, "which was invalidated while it waited, and so not stored; this is");
    assert_eq!(second(1), 2);
}

/// `$name`: a function of one of two processes, which are one to the engine `$engine`.
macro_rules! of_a_process {
    ($name:ident, $engine:literal, |$n:ident, $deep:ident| $body:expr) => {
        #[memoize(engine = $engine, name = $engine, code = "manual", single_flight = "machine", skip($deep))]
        fn $name($n: u64, $deep: bool) -> u64 {
            $body
        }
    };
}

#[test]
fn two_who_hold_a_lease_each_and_want_the_other_compute_in_the_end() {
    static BOTH: Barrier = Barrier::new(2);
    of_a_process!(first, "cycle", |n, deep| {
        if deep {
            BOTH.wait();
            first(3 - n, false);
        }
        n
    });
    of_a_process!(second, "cycle", |n, deep| {
        if deep {
            BOTH.wait();
            second(3 - n, false);
        }
        n
    });
    Lender::named("cycle");
    let one = thread::spawn(|| first(1, true));
    let two = thread::spawn(|| second(2, true));
    assert_eq!(in_time(|| (one.join().unwrap(), two.join().unwrap())), (1, 2));
}

#[test]
fn so_do_those_who_want_it_through_another_thread() {
    // who holds a lease waits for a thread of its process that holds none, and that wants the other's
    static READY: Barrier = Barrier::new(4);
    #[memoize]
    fn first_between(n: u64) -> u64 {
        READY.wait();
        first(n, false)
    }
    #[memoize]
    fn second_between(n: u64) -> u64 {
        READY.wait();
        second(n, false)
    }
    of_a_process!(first, "long-cycle", |n, deep| {
        if deep {
            READY.wait();
            first_between(2);
        }
        n
    });
    of_a_process!(second, "long-cycle", |n, deep| {
        if deep {
            READY.wait();
            second_between(1);
        }
        n
    });
    Lender::named("long-cycle");
    let threads = [
        thread::spawn(|| first(1, true)),
        thread::spawn(|| first_between(2)),
        thread::spawn(|| second(2, true)),
        thread::spawn(|| second_between(1)),
    ];
    assert_eq!(in_time(|| threads.map(|thread| thread.join().unwrap())), [1, 2, 2, 1]);
}

#[test]
fn a_lease_that_could_not_be_given_back_is_taken_again_by_its_own_process() {
    static FIRST: AtomicBool = AtomicBool::new(true);
    #[memoize(engine = "taken again", single_flight = "machine")]
    fn f(n: u64) -> Result<u64, String> {
        if FIRST.swap(false, SeqCst) { Err("not stored".into()) } else { Ok(n) }
    }
    let lender = Lender::named("taken again");
    lender.0.release_fails.store(true, SeqCst);
    assert!(f(1).is_err());
    until("it was tried to give it back", || lender.count().1 >= 1);
    // the failure is noted behind it
    let calls = in_time(|| f(1));
    assert_eq!(calls, Ok(1));
    assert!(lender.0.renewed.load(SeqCst) >= 1, "it is its own lease that it goes on with");
    lender.0.release_fails.store(false, SeqCst);
}

#[test]
fn a_lease_that_could_not_be_given_back_is_given_back_later() {
    #[memoize(engine = "given back later", name = "later::f", code = "manual", single_flight = "machine")]
    fn first(_n: u64) -> Result<u64, String> {
        Err("not stored".into())
    }
    let lender = Lender::named("given back later");
    lender.0.release_fails.store(true, SeqCst);
    assert!(first(1).is_err());
    until("it was tried to give it back, and again", || lender.count().1 >= 3);
    lender.0.release_fails.store(false, SeqCst);
    let failed = lender.count().1;
    until("it is given back", || lender.count().1 > failed);
    let tried = lender.count().1;
    thread::sleep(Duration::from_millis(600));
    assert!(lender.count().1 <= tried + 1, "and not again");
}
