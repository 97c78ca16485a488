//! Promise 8: whoever calls, from wherever.

use memo::memoize;

use crate::register;
use crate::servers::{Kind, REDIS, Server};

#[memoize(engine = "promise-08")]
fn square(number: u64) -> u64 {
    number * number
}

#[memoize(engine = "promise-08")]
async fn cube(number: u64) -> u64 {
    number * number * number
}

/// Computes, waits until it is stored, and asks again.
fn sync() {
    square::clear().unwrap();
    for _ in 0..3 {
        assert_eq!(square(3), 9);
        crate::flush();
    }
    let stats = square::stats();
    assert_eq!((stats.hits % 2, stats.tiers[0].errors), (0, 0), "{stats:?}");
}

async fn asynchronous() {
    cube::clear().await.unwrap();
    for _ in 0..3 {
        assert_eq!(cube(3).await, 27);
        crate::flush();
    }
    let stats = cube::stats();
    assert_eq!((stats.hits % 2, stats.tiers[0].errors), (0, 0), "{stats:?}");
}

async fn both() {
    sync();
    asynchronous().await;
}

#[test]
fn promise_08_sync_and_async_callers_with_and_without_a_runtime() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    register("promise-08", &server.url());
    sync();
    smol::block_on(both());
    let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
    one.block_on(both());
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    many.block_on(both());
    many.block_on(async { tokio::spawn(both()).await.unwrap() });
    many.block_on(async { tokio::task::spawn_blocking(sync).await.unwrap() });
    // runtimes end, the connection does not
    drop((one, many));
    sync();
    let calls = 7;
    assert_eq!((square::stats().hits, cube::stats().hits), (2 * calls, 2 * (calls - 3)));
}
