//! `quick_cache` by hand: `get`, on a miss the body and `insert`; where a miss is what counts,
//! `get_or_insert_with`, which computes a key once.
//!
//! The caches are values, not `static`s, and hash with `foldhash::fast`, which is a little faster
//! than their default: nobody who writes this by hand gets a faster hit.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::LazyLock;

use equivalent::Equivalent;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::contender::{Contender, Recursive};
use crate::entrants::Entrants;
use crate::work::{CAPACITY, PairRef, fly, render, score, step};

type Quick<K, V> = Cache<K, V, UnitWeighter, foldhash::fast::RandomState>;

const NAME: &str = "quick_cache";

fn cache<K: Hash + Eq, V: Clone>() -> Quick<K, V> {
    let lifecycle = DefaultLifecycle::default();
    Cache::with(CAPACITY, CAPACITY as u64, UnitWeighter, foldhash::fast::RandomState::default(), lifecycle)
}

#[inline]
fn remember<K: Hash + Eq, V: Clone, Q: Hash + Equivalent<K> + ?Sized>(
    cache: &Quick<K, V>,
    key: &Q,
    own: impl FnOnce() -> K,
    body: impl FnOnce() -> V,
) -> V {
    if let Some(known) = cache.get(key) {
        return known;
    }
    let value = body();
    cache.insert(own(), value.clone());
    value
}

/// `step` through a cache of its own.
fn stepping() -> impl Fn(u64) -> u64 + Sync {
    let cache = cache();
    move |x| remember(&cache, &x, || x, || step(x))
}

/// `body` through a cache of its own that computes a key once.
fn once(body: fn(u64) -> u64) -> impl Fn(u64) -> u64 + Sync {
    let cache: Quick<u64, u64> = cache();
    move |x| match cache.get_or_insert_with(&x, || Ok::<_, Infallible>(body(x))) {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// `step` awaited through a cache of its own that computes a key once.
fn awaited(name: &'static str) -> Contender<u64, u64> {
    let cache: Quick<u64, u64> = cache();
    let cache: &'static _ = Box::leak(Box::new(cache));
    Contender::on_tokio(name, move |x| async move {
        match cache.get_or_insert_async(&x, async { Ok::<_, Infallible>(step(x)) }).await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    })
}

pub(crate) fn enter(all: &mut Entrants) {
    all.number(NAME, stepping());

    let pairs = cache();
    all.pairs.push(Contender::new(NAME, move |(s, n): (&'static str, u32)| {
        remember(&pairs, &PairRef(s, n), || (s.to_owned(), n), || score(s, n))
    }));

    let texts: Quick<String, String> = cache();
    all.texts.push(Contender::new(NAME, move |s: &'static str| {
        remember(&texts, s, || s.to_owned(), || render(s))
    }));

    all.awaited.push(Contender::new("quick_cache sync", stepping()));
    all.awaited.push(awaited(NAME).against("quick_cache sync"));
    all.awaited_misses.push(awaited("quick_cache get_or_insert_async"));

    all.generic.push(Contender::new(NAME, stepping()));
    all.misses.push(Contender::new(NAME, stepping()));
    all.misses.push(Contender::new("quick_cache get_or_insert_with", once(step)));
    all.flights.push(Contender::new("quick_cache get_or_insert_with", once(fly)));
    all.recursive.push(Recursive::new(NAME, || FIB.clear(), fib));
}

static FIB: LazyLock<Quick<u64, u64>> = LazyLock::new(cache);

fn fib(n: u64) -> u64 {
    remember(&FIB, &n, || n, || if n < 2 { n } else { fib(n - 1) + fib(n - 2) })
}
