//! Promise 20, as callers see it: Redis stops, dies, comes back, and no call fails or waits longer than its budget.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memo::engine::{GuardOptions, Guarded, Redis, RedisOptions};
use memo::memoize;

use crate::servers::{Kind, REDIS, Server, until};

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
