//! `cargo bench -p memo-benches --features redis --bench redis`
//!
//! What a hit in Redis costs: a memoized async function whose results are there only, beside the client library's
//! `GET` of the same bytes on one connection. A server of our own on loopback; medians of turns. An argument picks the
//! cases whose name contains it.
//!
//! Beside the time by the clock stands what all threads of this process were on a processor together (Linux only): other
//! programs disturb that much less.

use std::future::Future;
use std::hint::black_box;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use memo::engine::{Redis, RedisOptions};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

const KEYS: u64 = 1000;
const TURNS: usize = 41;
const CALLS: u64 = 500;
const CONCURRENT: u64 = 64;

struct Server(Child, u16);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server() -> Server {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port").port();
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
    let server = command.stdout(Stdio::null()).spawn().expect("redis-server is installed");
    let server = Server(server, port);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    server
}

#[memo::memoize(engine = "measured")]
async fn value(number: u64) -> String {
    format!("{number:01024}")
}

#[memo::memoize(engine = "memory", capacity = 10_000)]
fn near(number: u64) -> u64 {
    number
}

#[memo::memoize(engine = ["memory", "behind"], capacity = 10_000)]
fn near_over_redis(number: u64) -> u64 {
    number
}

/// How long that many hits take, each under another key than the one before.
fn hits(call: impl Fn(u64) -> u64, count: u64) -> Duration {
    let begun = Instant::now();
    for number in 0..count {
        black_box(call(black_box(number % KEYS)));
    }
    begun.elapsed()
}

/// What a hit in memory costs where Redis is behind it, and where nothing is. (The order changes with each turn.)
fn measure_near() {
    const HITS: u64 = 20 * KEYS;
    let mut all = [const { Vec::new() }; 3];
    hits(near_over_redis, 1);
    let counts =
        || [near::stats().misses, near_over_redis::stats().misses, near_over_redis::stats().tiers[0].hits];
    // the beginning of a connection empties the memory in front of it
    let mut before = counts();
    loop {
        hits(near, KEYS);
        hits(near_over_redis, KEYS);
        memo::engines().flush().expect("the server is there");
        std::thread::sleep(Duration::from_millis(300));
        let now = counts();
        if now == before {
            break;
        }
        before = now;
    }
    for turn in 0..20 * TURNS {
        let (over_redis, alone) = if turn % 2 == 0 {
            (hits(near_over_redis, HITS), hits(near, HITS))
        } else {
            let alone = hits(near, HITS);
            (hits(near_over_redis, HITS), alone)
        };
        let each = |time: Duration| time.as_secs_f64() * 1e9 / HITS as f64;
        let turn = [each(over_redis), each(alone), each(over_redis) / each(alone)];
        all.iter_mut().zip(turn).for_each(|(all, turn)| all.push(turn));
    }
    assert_eq!(before, counts(), "all were hits in memory");
    let [over_redis, alone, ratio] = all.map(median);
    println!("near hit: over Redis {over_redis:.2} ns, memory alone {alone:.2} ns, ratio {ratio:.3}");
}

/// How long `CALLS` calls take one after the other.
async fn sequential<F: Future>(call: impl Fn(u64) -> F) -> Duration {
    let begun = Instant::now();
    for number in 0..CALLS {
        black_box(call(number).await);
    }
    begun.elapsed()
}

/// How long they take from so many tasks at once.
async fn concurrent<F: Future<Output = ()> + Send + 'static>(
    call: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Duration {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..CONCURRENT)
        .map(|task| {
            let call = call.clone();
            tokio::spawn(async move {
                for number in 0..CALLS / 4 {
                    call((task * 131 + number) % KEYS).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a call panicked");
    }
    begun.elapsed()
}

/// For how long the threads of this process have run, together.
fn processor() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ran = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(ran.sum())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn is_asked_for(case: &str) -> bool {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    only.is_none_or(|only| case.contains(&only))
}

/// Prints a case: both in turns, and the median of their ratios.
async fn compare<A: Future<Output = Duration>, B: Future<Output = Duration>>(
    case: &str,
    calls: u64,
    ours: impl Fn() -> A,
    bare: impl Fn() -> B,
) {
    if !is_asked_for(case) {
        return;
    }
    // by the clock, and on a processor
    let mut all = [const { Vec::new() }; 6];
    let each = |time: Duration| time.as_secs_f64() * 1e6 / calls as f64;
    for _ in 0..TURNS {
        let begun = processor();
        let ours = each(ours().await);
        let between = processor();
        let bare = each(bare().await);
        let (ours_ran, bare_ran) = (each(between - begun), each(processor() - between));
        let turn = [ours, bare, ours / bare, ours_ran, bare_ran, ours_ran / bare_ran];
        all.iter_mut().zip(turn).for_each(|(all, turn)| all.push(turn));
    }
    let least = |all: &Vec<f64>| all.iter().copied().fold(f64::INFINITY, f64::min);
    let [least_ours, least_bare, _, least_ours_ran, least_bare_ran, _] = all.each_ref().map(least);
    let [ours, bare, ratio, ours_ran, bare_ran, ratio_ran] = all.map(median);
    println!("{case}: medians (minima)");
    println!(
        "    by the clock     memo {ours:7.2} ({least_ours:6.2}) us   bare {bare:7.2} ({least_bare:6.2}) us   \
         ratio {ratio:.2} ({:.2})",
        least_ours / least_bare
    );
    println!(
        "    on a processor   memo {ours_ran:7.2} ({least_ours_ran:6.2}) us   bare {bare_ran:7.2} \
         ({least_bare_ran:6.2}) us   ratio {ratio_ran:.2} ({:.2})",
        least_ours_ran / least_bare_ran
    );
}

async fn measure(runtime: &str, port: u16, connection: MultiplexedConnection, where_: &str) {
    for number in 0..KEYS {
        assert_eq!(value(number).await.len(), 1024);
    }
    memo::engines().flush().expect("the server is there");
    let mut names: Vec<String> = {
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("the server is there");
        connection.keys("memo:*:*").await.expect("names")
    };
    names.sort();
    assert_eq!(names.len() as u64, KEYS);
    let names: &'static [String] = names.leak();
    let get = move |number: u64| {
        let mut connection = connection.clone();
        async move {
            let bytes: Vec<u8> = connection.get(&names[number as usize]).await.expect("it is there");
            black_box(bytes);
        }
    };
    let call = |number: u64| async move { drop(black_box(value(number).await)) };
    let before = value::stats().computes;
    let case = |what: &str| format!("{what}, {runtime}, driver {where_}");
    compare(&case("sequential"), CALLS, || sequential(call), || sequential(&get)).await;
    let calls = CONCURRENT * (CALLS / 4);
    compare(&case("64 concurrent"), calls, || concurrent(call), || concurrent(get.clone())).await;
    assert_eq!(value::stats().computes, before, "all were hits");
}

fn main() {
    let server = server();
    let url = format!("redis://127.0.0.1:{}", server.1);
    memo::engines().register("measured", Redis::open(RedisOptions::at(&*url)).expect("an address"));
    let client = redis::Client::open(format!("{url}/?protocol=resp3")).expect("an address");
    let behind = RedisOptions { prefix: "behind".to_owned(), ..RedisOptions::at(&*url) };
    memo::engines().register("behind", Redis::open(behind).expect("an address"));
    if is_asked_for("near hit") {
        measure_near();
    }
    // where the library's connection lives is half of what a call costs: on the caller's runtime, or as ours on another
    let apart = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let open = || async { client.get_multiplexed_async_connection().await.expect("the server is there") };
    for threads in [1, 2] {
        let (runtime, name) = match threads {
            1 => (tokio::runtime::Builder::new_current_thread().enable_all().build(), "one thread"),
            _ => (
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
                "two threads",
            ),
        };
        let runtime = runtime.expect("a runtime");
        let connection = apart.block_on(open());
        runtime.block_on(measure(name, server.1, connection, "apart"));
        runtime.block_on(async { measure(name, server.1, open().await, "here").await });
    }
}
