//! Promise 20, as callers see it: Redis stops, dies, comes back, and no call fails or waits longer than its budget.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memo::engine::{GuardOptions, Guarded, Redis, RedisOptions};
use memo::memoize;
use memo_tests::size;

use crate::servers::{Cluster, Kind, REDIS, Server, until};
use crate::{Ends, register};

const BUDGET: Duration = Duration::from_millis(20);
/// What a busy machine may add before a thread whose time is over runs again.
const BUSY: Duration = Duration::from_secs(1);

static COMPUTES: AtomicU64 = AtomicU64::new(0);

#[memoize(engine = "ill")]
fn square(number: u64) -> u64 {
    COMPUTES.fetch_add(1, Ordering::Relaxed);
    number * number
}

#[memoize(engine = ["memory", "ill"], capacity = 16)]
async fn cube(number: u64) -> u64 {
    COMPUTES.fetch_add(1, Ordering::Relaxed);
    number * number * number
}

/// Calls for so long, and tells how many calls that were and how long the longest took.
fn load(time: Duration) -> (u64, Duration) {
    let (end, mut calls, mut most) = (Instant::now() + time, 0, Duration::ZERO);
    while Instant::now() < end {
        let number = calls % 200;
        let begun = Instant::now();
        assert_eq!(square(number), number * number);
        assert_eq!(smol::block_on(cube(number)), number * number * number);
        most = most.max(begun.elapsed());
        assert!(most < 2 * (BUDGET + BUSY), "{most:?}");
        calls += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    (calls, most)
}

#[test]
fn promise_20_no_call_fails_or_waits_while_redis_is_away() {
    if !REDIS.is_there() {
        return;
    }
    let mut server = Server::start(REDIS, Kind::default());
    let engine = Redis::open(RedisOptions::at(server.url())).unwrap();
    let guard = GuardOptions { budget: BUDGET, ..GuardOptions::default() };
    memo::engines().register("ill", Guarded::new(engine, guard));
    let long = Duration::from_secs(if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 10 } else { 1 });
    // keys that were never asked for: what was computed meanwhile is in memory
    let mut fresh = 1000;
    let mut is_back = || {
        let begun = Instant::now();
        until("a hit", || {
            let before = square::stats().tiers[0].hits;
            fresh += 1;
            square(fresh);
            crate::flush();
            square(fresh);
            (square::stats().tiers[0].hits > before).then_some(begun.elapsed())
        })
    };
    eprintln!("well: {:?}", load(long / 4));
    is_back();
    server.signal("STOP");
    eprintln!("stopped: {:?}", load(long));
    server.signal("CONT");
    eprintln!("back after {:?}", is_back());
    server.kill();
    eprintln!("killed: {:?}", load(long));
    server.restart();
    eprintln!("back after {:?}", is_back());
}

#[memoize(engine = "plainly-registered")]
fn half(number: u64) -> u64 {
    number / 2
}

#[test]
fn promise_20_an_engine_that_is_registered_has_the_budget_of_a_server() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    register("plainly-registered", &server.url());
    let stats =
        || memo::engines().stats().into_iter().find(|stats| stats.name == "plainly-registered").unwrap();
    until("an answer", || {
        half(0);
        (stats().calls.calls > stats().calls.failures).then_some(())
    });
    server.signal("STOP");
    let mut fresh = 0;
    // those that a busy machine has delayed say nothing
    until("a call that timed out in less than half the usual budget", || {
        let (before, begun) = (stats().calls.timeouts, Instant::now());
        fresh += 1;
        half(fresh);
        let took = begun.elapsed();
        (stats().calls.timeouts > before && took < GuardOptions::default().budget / 2).then_some(())
    });
}

/// Who calls, and how often each: together 1,000 times a second.
const CALLERS: u64 = 20;
const EVERY: Duration = Duration::from_millis(20);

#[memoize(engine = "stopped")]
async fn slow_square(number: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    number * number
}

/// How long calls took, in the order of that.
struct Took(Vec<Duration>);

impl Took {
    fn percent(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent / 100).min(self.0.len() - 1)]
    }
}

/// Calls for so long, 1,000 times a second; each fifth call goes past the cache, and is told of by itself.
async fn load_of_many(time: Duration, round: u64) -> [Took; 2] {
    let caller = |caller: u64| async move {
        let (end, mut took) = (Instant::now() + time, [const { Vec::new() }; 2]);
        let mut ticks = tokio::time::interval(EVERY);
        for call in 0.. {
            ticks.tick().await;
            if Instant::now() > end {
                break;
            }
            // half of them for the first time
            let number = (round * 1_000_000 + caller * 10_000 + call) / 2;
            let past = call % 5 == 4;
            let begun = Instant::now();
            let square = if past { slow_square::uncached(number).await } else { slow_square(number).await };
            took[usize::from(past)].push(begun.elapsed());
            assert_eq!(square, number * number);
        }
        took
    };
    let callers: Vec<_> = (0..CALLERS).map(|number| tokio::spawn(caller(number))).collect();
    let mut all = [const { Vec::new() }; 2];
    for caller in callers {
        let took = caller.await.expect("no wrong value");
        all.iter_mut().zip(took).for_each(|(all, took)| all.extend(took));
    }
    all.map(|mut took| {
        took.sort();
        assert!(!took.is_empty(), "nobody got an answer");
        Took(took)
    })
}

#[test]
fn promise_20_redis_is_stopped_under_a_thousand_calls_a_second() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let engine = Redis::open(RedisOptions::at(server.url())).unwrap();
    let guard = GuardOptions { budget: BUDGET, ..GuardOptions::default() };
    memo::engines().register("stopped", Guarded::new(engine, guard));
    let stop = Duration::from_secs(if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 10 } else { 3 });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let hits = || slow_square::stats().tiers[0].hits;
    let tell = |what: &str, [through, past]: &[Took; 2]| {
        let calls = through.0.len() + past.0.len();
        eprintln!(
            "{what}: {calls} calls; p50 {:?}, p99 {:?}, most {:?}; without a cache p50 {:?}, p99 {:?}, most {:?}",
            through.percent(50),
            through.percent(99),
            through.percent(100),
            past.percent(50),
            past.percent(99),
            past.percent(100),
        );
    };
    let well = runtime.block_on(load_of_many(Duration::from_secs(1), 0));
    tell("well", &well);
    assert!(hits() > 0);
    server.signal("STOP");
    let stopped = runtime.block_on(load_of_many(stop, 1));
    tell("stopped", &stopped);
    let before = hits();
    server.signal("CONT");
    let begun = Instant::now();
    let load = runtime.spawn(load_of_many(Duration::from_secs(2), 2));
    let back = until("a hit", || (hits() > before).then(|| begun.elapsed()));
    eprintln!("back after {back:?}");
    let after = runtime.block_on(load).unwrap();
    tell("goes on", &after);
    assert!(back < Duration::from_secs(2) + BUSY);
    for [through, past] in [&well, &stopped, &after] {
        // a busy machine delays calls of both kinds
        let (most, bare) = (through.percent(100), past.percent(100));
        assert!(most < bare + 2 * (BUDGET + BUSY), "{most:?}, and without a cache {bare:?}");
    }
    let calls = stopped.iter().map(|took| took.0.len() as u64).sum::<u64>();
    assert!(calls > stop.as_secs() * 250, "{calls} calls in {stop:?}");
    // nearly all of them met an open circuit
    let (through, past) = (stopped[0].percent(50), stopped[1].percent(50));
    assert!(through < 2 * past + BUDGET / 2, "{through:?}, and without a cache {past:?}");
}

#[memoize(engine = "cluster")]
fn double(number: u64) -> u64 {
    number * 2
}

#[test]
fn promise_21_no_call_fails_while_a_cluster_loses_a_master_and_moves_slots() {
    if !REDIS.is_there() {
        return;
    }
    let mut cluster = Cluster::start(REDIS);
    register("cluster", &cluster.url());
    let (over, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let hits = || double::stats().tiers.first().map_or(0, |tier| tier.hits);
    let hits_more = |what: &str, more: u64| {
        let before = hits();
        until(what, || (hits() > before + more).then_some(()));
    };
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let (over, calls) = (&over, &calls);
            scope.spawn(move || {
                for round in 0.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    let number = (round * 7 + caller) % 500;
                    if round % 50 == 49 {
                        // an error says that it may still be there
                        let _ = double::invalidate(number);
                    }
                    assert_eq!(double(number), number * 2);
                    calls.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        let over = Ends(&over);
        hits_more("hits", 500);
        cluster.move_slots(size(500, 5000));
        hits_more("hits where slots have moved", 500);
        let master = cluster.master();
        cluster.nodes[master].kill();
        until("another master", || (cluster.masters() == 3).then_some(()));
        hits_more("hits without that master", 500);
        drop(over);
    });
    eprintln!("{} calls, {} hits", calls.load(Ordering::Relaxed), hits());
}
