//! `cached`: its default form (one unbounded map, a lock over all of it, results computed twice by
//! concurrent misses) and those that its documentation offers for more: a shared lock for reads,
//! an LRU bound, shards, a lifetime, one computation per key.

use cached::macros::{cached, concurrent_cached};
use cached::{Cached, ConcurrentCached};

use crate::contender::{Contender, Recursive};
use crate::entrants::Entrants;
use crate::work::{fly, render, score, step};

/// One wrapper for each form that is named, all around the same body.
macro_rules! forms {
    ($($name:ident: #[$($attr:tt)*] ($($arg:ident: $type:ty),*) -> $out:ty = $body:expr;)*) => {
        $(
            #[$($attr)*]
            fn $name($($arg: $type),*) -> $out { $body }
        )*
    };
}

forms! {
    step_default: #[cached] (x: u64) -> u64 = step(x);
    step_unsync_reads: #[cached(unsync_reads = true)] (x: u64) -> u64 = step(x);
    step_max_size: #[cached(max_size = 10_000)] (x: u64) -> u64 = step(x);
    step_concurrent: #[concurrent_cached] (x: u64) -> u64 = step(x);
    step_concurrent_max_size: #[concurrent_cached(max_size = 10_000)] (x: u64) -> u64 = step(x);

    score_default: #[cached(key = "(String, u32)", convert = { (s.to_owned(), n) })]
        (s: &str, n: u32) -> u64 = score(s, n);
    score_unsync_reads: #[cached(unsync_reads = true, key = "(String, u32)", convert = { (s.to_owned(), n) })]
        (s: &str, n: u32) -> u64 = score(s, n);
    score_max_size: #[cached(max_size = 10_000, key = "(String, u32)", convert = { (s.to_owned(), n) })]
        (s: &str, n: u32) -> u64 = score(s, n);
    score_concurrent: #[concurrent_cached(key = "(String, u32)", convert = { (s.to_owned(), n) })]
        (s: &str, n: u32) -> u64 = score(s, n);

    render_default: #[cached(key = "String", convert = { s.to_owned() })] (s: &str) -> String = render(s);
    render_unsync_reads: #[cached(unsync_reads = true, key = "String", convert = { s.to_owned() })]
        (s: &str) -> String = render(s);
    render_max_size: #[cached(max_size = 10_000, key = "String", convert = { s.to_owned() })]
        (s: &str) -> String = render(s);
    render_concurrent: #[concurrent_cached(key = "String", convert = { s.to_owned() })]
        (s: &str) -> String = render(s);

    lasting_default: #[cached] (x: u64) -> u64 = step(x);
    lasting_max_size: #[cached(max_size = 10_000)] (x: u64) -> u64 = step(x);
    lasting_concurrent: #[concurrent_cached] (x: u64) -> u64 = step(x);
    ttl_default: #[cached(ttl_secs = 300)] (x: u64) -> u64 = step(x);
    ttl_max_size: #[cached(max_size = 10_000, ttl_secs = 300)] (x: u64) -> u64 = step(x);
    ttl_concurrent: #[concurrent_cached(ttl_secs = 300)] (x: u64) -> u64 = step(x);

    miss_max_size: #[cached(max_size = 10_000)] (x: u64) -> u64 = step(x);
    miss_concurrent: #[concurrent_cached(max_size = 10_000)] (x: u64) -> u64 = step(x);

    fly_default: #[cached] (x: u64) -> u64 = fly(x);
    fly_by_key: #[cached(sync_writes = "by_key")] (x: u64) -> u64 = fly(x);
    fly_whole: #[cached(sync_writes = "default")] (x: u64) -> u64 = fly(x);
    fly_concurrent: #[concurrent_cached] (x: u64) -> u64 = fly(x);

    fib_default: #[cached] (n: u64) -> u64 = if n < 2 { n } else { fib_default(n - 1) + fib_default(n - 2) };
    fib_max_size: #[cached(max_size = 10_000)] (n: u64) -> u64 =
        if n < 2 { n } else { fib_max_size(n - 1) + fib_max_size(n - 2) };
    fib_concurrent: #[concurrent_cached] (n: u64) -> u64 =
        if n < 2 { n } else { fib_concurrent(n - 1) + fib_concurrent(n - 2) };

    free: #[cached] (x: u64) -> u64 = step(x);
}

#[cached]
async fn awaited_default(x: u64) -> u64 {
    step(x)
}

#[cached(max_size = 10_000)]
async fn awaited_max_size(x: u64) -> u64 {
    step(x)
}

#[cached(max_size = 10_000)]
async fn missing_awaited(x: u64) -> u64 {
    step(x)
}

#[concurrent_cached(max_size = 10_000)]
async fn missing_awaited_concurrent(x: u64) -> u64 {
    step(x)
}

#[concurrent_cached]
async fn awaited_concurrent(x: u64) -> u64 {
    step(x)
}

/// One cache for all types: a key of its own is all that the attribute takes here.
#[cached(key = "u64", convert = { x.into() })]
fn generic<N: Copy + Into<u64>>(x: N) -> u64 {
    step(x.into())
}

pub(crate) fn enter(all: &mut Entrants) {
    all.number("cached", step_default);
    all.number("cached unsync_reads", step_unsync_reads);
    all.number("cached max_size", step_max_size);
    all.number("cached concurrent", step_concurrent);
    all.number("cached concurrent max_size", step_concurrent_max_size);

    all.pairs.extend([
        Contender::new("cached", |(s, n)| score_default(s, n)),
        Contender::new("cached unsync_reads", |(s, n)| score_unsync_reads(s, n)),
        Contender::new("cached max_size", |(s, n)| score_max_size(s, n)),
        Contender::new("cached concurrent", |(s, n)| score_concurrent(s, n)),
    ]);
    all.texts.extend([
        Contender::new("cached", render_default),
        Contender::new("cached unsync_reads", render_unsync_reads),
        Contender::new("cached max_size", render_max_size),
        Contender::new("cached concurrent", render_concurrent),
    ]);
    all.ttl.extend([
        Contender::new("cached", lasting_default),
        Contender::new("cached ttl", ttl_default).against("cached"),
        Contender::new("cached max_size", lasting_max_size),
        Contender::new("cached max_size ttl", ttl_max_size).against("cached max_size"),
        Contender::new("cached concurrent", lasting_concurrent),
        Contender::new("cached concurrent ttl", ttl_concurrent).against("cached concurrent"),
    ]);
    all.awaited.extend([
        Contender::new("cached sync", lasting_default),
        Contender::on_tokio("cached", awaited_default).against("cached sync"),
        Contender::new("cached max_size sync", lasting_max_size),
        Contender::on_tokio("cached max_size", awaited_max_size).against("cached max_size sync"),
        Contender::new("cached concurrent sync", lasting_concurrent),
        Contender::on_tokio("cached concurrent", awaited_concurrent).against("cached concurrent sync"),
    ]);
    all.generic.extend([
        Contender::new("cached free", free),
        Contender::new("cached generic function", generic::<u64>).against("cached free"),
    ]);
    all.misses.extend([
        Contender::new("cached max_size", miss_max_size),
        Contender::new("cached concurrent max_size", miss_concurrent),
    ]);
    all.awaited_misses.extend([
        Contender::on_tokio("cached max_size", missing_awaited),
        Contender::on_tokio("cached concurrent max_size", missing_awaited_concurrent),
    ]);
    all.flights.extend([
        Contender::new("cached", fly_default),
        Contender::new("cached sync_writes by_key", fly_by_key),
        Contender::new("cached sync_writes", fly_whole),
        Contender::new("cached concurrent", fly_concurrent),
    ]);
    all.recursive.extend([
        Recursive::new("cached", || FIB_DEFAULT.write().cache_clear(), fib_default),
        Recursive::new("cached max_size", || FIB_MAX_SIZE.write().cache_clear(), fib_max_size),
        Recursive::new(
            "cached concurrent",
            || FIB_CONCURRENT.cache_clear().expect("a store in memory cannot fail"),
            fib_concurrent,
        ),
    ]);
}
