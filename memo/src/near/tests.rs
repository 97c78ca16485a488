//! What every store keeps to: each test runs on all of them.

use super::limits::Bound;
use super::retired::drop_retired;
use super::*;
use crate::{clock, sweep};
use std::cell::Cell;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

mod ages;
mod bounds;
mod contents;
mod lifetimes;
mod panics;
mod reentrance;
#[cfg(feature = "moka")]
mod retired;

const KINDS: &[Kind] = &[
    Kind::Memory,
    #[cfg(feature = "moka")]
    Kind::Moka,
    Kind::Thread,
];

/// Those that threads share.
fn shared_kinds() -> impl Iterator<Item = Kind> {
    KINDS.iter().copied().filter(|kind| *kind != Kind::Thread)
}

fn hash(key: impl Hash) -> u64 {
    static SEED: LazyLock<foldhash::quality::RandomState> = LazyLock::new(Default::default);
    SEED.hash_one(key)
}

/// The seam by keys that hash themselves.
impl<K, V> Near<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn put(&self, key: K, value: V) {
        self.insert(hash(&key), key, value, 1, None);
    }

    fn put_for(&self, key: K, value: V, lifetime: Duration) {
        self.insert(hash(&key), key, value, 1, Some(lifetime));
    }

    fn put_heavy(&self, key: K, value: V, weight: u32) {
        self.insert(hash(&key), key, value, weight, None);
    }

    fn look(&self, key: K) -> Option<V> {
        self.get(hash(&key), Same(&key))
    }

    fn glance(&self, key: K) -> Option<V> {
        self.peek(hash(&key), &Same(&key))
    }

    fn take(&self, key: K) -> bool {
        self.remove(hash(&key), &Same(&key))
    }

    fn entries(&self) -> u64 {
        self.counts().entries
    }

    /// Has all dropped that has left, where that is not done at once.
    fn settle(&self) {
        match self {
            Near::Memory(store) => store.settle(),
            #[cfg(feature = "moka")]
            Near::Moka(_) => (),
            Near::Thread(_) => (),
        }
    }
}

fn entries(capacity: u64) -> Limits {
    Limits { capacity: Some(capacity), ..Limits::default() }
}

fn weight(max_weight: u64) -> Limits {
    Limits { max_weight: Some(max_weight), ..Limits::default() }
}

fn idle(tti: Duration) -> Limits {
    Limits { capacity: Some(1000), tti: Some(tti), lifetimes: true, ..Limits::default() }
}

const HOUR: Duration = Duration::from_secs(3600);

/// A store of this kind.
fn make<K, V>(kind: Kind, limits: &Limits) -> Near<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Near::new(kind, limits, Some(Threads::new))
}

/// Runs `test` on a store of each kind, under each limits.
fn each<K, V>(limits: &[Limits], test: impl Fn(Near<K, V>, Limits))
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    for &kind in KINDS {
        for &limits in limits {
            println!("{kind:?} {limits:?}");
            test(make(kind, &limits), limits);
        }
    }
}
