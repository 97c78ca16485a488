//! `moka` by hand: `get`, on a miss the body and `insert`; where a miss is what counts, `get_with`,
//! which computes a key once. (Its async cache is left out: the feature is not worth its crates.)

use std::hash::Hash;
use std::sync::LazyLock;

use equivalent::Equivalent;
use moka::sync::Cache;

use crate::contender::{Contender, Recursive};
use crate::entrants::Entrants;
use crate::work::{CAPACITY, PairRef, TTL, fly, render, score, step};

const NAME: &str = "moka";

fn cache<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
    Cache::new(CAPACITY as u64)
}

#[inline]
fn remember<K, V, Q>(cache: &Cache<K, V>, key: &Q, own: impl FnOnce() -> K, body: impl FnOnce() -> V) -> V
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    Q: Hash + Equivalent<K> + ?Sized,
{
    if let Some(known) = cache.get(key) {
        return known;
    }
    let value = body();
    cache.insert(own(), value.clone());
    value
}

fn stepping(cache: Cache<u64, u64>) -> impl Fn(u64) -> u64 + Sync {
    move |x| remember(&cache, &x, || x, || step(x))
}

fn once(body: fn(u64) -> u64) -> impl Fn(u64) -> u64 + Sync {
    let cache = cache();
    move |x| cache.get_with(x, || body(x))
}

pub(crate) fn enter(all: &mut Entrants) {
    all.number(NAME, stepping(cache()));

    let pairs = cache();
    all.pairs.push(Contender::new(NAME, move |(s, n): (&'static str, u32)| {
        remember(&pairs, &PairRef(s, n), || (s.to_owned(), n), || score(s, n))
    }));

    let texts: Cache<String, String> = cache();
    all.texts.push(Contender::new(NAME, move |s: &'static str| {
        remember(&texts, s, || s.to_owned(), || render(s))
    }));

    let expiring = Cache::builder().max_capacity(CAPACITY as u64).time_to_live(TTL).build();
    all.ttl.push(Contender::new(NAME, stepping(cache())));
    all.ttl.push(Contender::new("moka time_to_live", stepping(expiring)).against(NAME));

    all.misses.push(Contender::new(NAME, stepping(cache())));
    all.misses.push(Contender::new("moka get_with", once(step)));
    all.flights.push(Contender::new("moka get_with", once(fly)));
    all.recursive.push(Recursive::new(NAME, clear, fib));
}

static FIB: LazyLock<Cache<u64, u64>> = LazyLock::new(cache);

fn clear() {
    FIB.invalidate_all();
    FIB.run_pending_tasks();
}

fn fib(n: u64) -> u64 {
    remember(&FIB, &n, || n, || if n < 2 { n } else { fib(n - 1) + fib(n - 2) })
}
