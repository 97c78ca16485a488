//! A cache that is filled from empty.

use std::convert::Infallible;
use std::sync::LazyLock;

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::everybody::{contenders, everybody};
use super::{Contender, timed};
use crate::work::number;

const ENTRIES: u64 = 100_000;

everybody! {
    (n: u64) -> u64 {
        n ^ 1
    }
}

/// `quick_cache`, sized for what comes, so that it does not grow.
mod quick {
    use super::*;

    type Quick = Cache<u64, u64, UnitWeighter, foldhash::fast::RandomState>;

    static CACHE: LazyLock<Quick> = LazyLock::new(|| {
        let entries = ENTRIES as usize;
        let lifecycle = DefaultLifecycle::default();
        // twice the weight: quick_cache splits it among its shards, and nothing is to be evicted
        Cache::with(entries, 2 * ENTRIES, UnitWeighter, foldhash::fast::RandomState::default(), lifecycle)
    });

    pub(super) fn by_get_and_insert(n: u64) -> u64 {
        if let Some(known) = CACHE.get(&n) {
            return known;
        }
        let value = n ^ 1;
        CACHE.insert(n, value);
        value
    }

    pub(super) fn once(n: u64) -> u64 {
        match CACHE.get_or_insert_with(&n, || Ok::<_, Infallible>(n ^ 1)) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

fn sum(state: fn(u64) -> u64) -> u64 {
    (0..ENTRIES).fold(0, |sum, i| sum.wrapping_add(state(number(i))))
}

fn per_call(filled: fn() -> u64) -> f64 {
    timed(filled, sum(|n| n ^ 1)) * 1e6 / ENTRIES as f64
}

pub(super) fn contenders() -> Vec<Contender> {
    macro_rules! run {
        ($by:ident) => {
            || per_call(|| sum($by::state))
        };
    }
    let mut all = contenders!(run);
    all.extend([
        Contender { name: "quick_cache", run: || per_call(|| sum(quick::by_get_and_insert)) },
        Contender { name: "quick_cache get_or_insert_with", run: || per_call(|| sum(quick::once)) },
    ]);
    all
}
