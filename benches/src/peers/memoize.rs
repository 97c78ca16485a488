//! `memoize` with `SharedCache`, one mutex over a map; its arguments are owned. Its default, a cache per
//! thread, stands where caches of threads are compared.

use std::time::Duration;

use memoize::memoize;

use crate::contender::{Contender, Recursive};
use crate::entrants::Entrants;
use crate::work::{fly, render, score};

#[memoize(SharedCache)]
fn step(x: u64) -> u64 {
    crate::work::step(x)
}

#[memoize(SharedCache, Capacity: 10_000)]
fn bounded(x: u64) -> u64 {
    crate::work::step(x)
}

#[memoize(SharedCache, TimeToLive: Duration::from_secs(300))]
fn expiring(x: u64) -> u64 {
    crate::work::step(x)
}

#[memoize(SharedCache, Capacity: 10_000)]
fn missing(x: u64) -> u64 {
    crate::work::step(x)
}

#[memoize]
fn by_thread(x: u64) -> u64 {
    crate::work::step(x)
}

#[memoize(SharedCache)]
fn pair(s: String, n: u32) -> u64 {
    score(&s, n)
}

#[memoize(SharedCache)]
fn text(s: String) -> String {
    render(&s)
}

#[memoize(SharedCache)]
fn flight(x: u64) -> u64 {
    fly(x)
}

#[memoize(SharedCache)]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

pub(crate) fn enter(all: &mut Entrants) {
    all.number("memoize", step);
    all.number("memoize Capacity", bounded);
    all.pairs.push(Contender::new("memoize", |(s, n): (&str, u32)| pair(s.to_owned(), n)));
    all.texts.push(Contender::new("memoize", |s: &str| text(s.to_owned())));
    all.ttl.push(Contender::new("memoize", step));
    all.ttl.push(Contender::new("memoize TimeToLive", expiring).against("memoize"));
    all.by_thread.push(Contender::new("memoize", by_thread));
    all.misses.push(Contender::new("memoize Capacity", missing));
    all.flights.push(Contender::new("memoize", flight));
    all.recursive.push(Recursive::new("memoize", memoized_flush_fib, fib));
}
