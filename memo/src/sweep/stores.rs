//! The stores that hold entries with lifetimes: a list to which stores are added, without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::fork::{AtFork, Keep};

/// Something that holds entries that expire.
pub(crate) trait Sweep: Send + Sync {
    /// Drops what has expired by now.
    fn sweep(&self);

    /// The time ([`exact`](crate::clock::exact)) at which to sweep it next; `None` when it holds nothing that can expire.
    fn due(&self) -> Option<u64>;

    /// It is registered: from now on its inserts wake the sweeping thread, see
    /// [`Schedule::watch`](super::Schedule::watch).
    fn watch(&self);

    /// Takes its locks for a fork, and hands them on. They are given back as they are dropped, by this thread.
    fn hold<'s>(&'s self, _keep: Keep<'_, 's>) {}
}

// Buckets, each of twice the size of the one before, so that nothing ever moves and no lock is needed.

const FIRST: usize = 32;
const BUCKETS: usize = 26;
type Slot = OnceLock<&'static dyn Sweep>;
static STORES: [OnceLock<Box<[Slot]>>; BUCKETS] = [const { OnceLock::new() }; BUCKETS];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The bucket, and the slot in it, of the store that is added as number `index`.
fn at(index: usize) -> (usize, usize) {
    let bucket = (index / FIRST + 1).ilog2() as usize;
    (bucket, index - FIRST * ((1 << bucket) - 1))
}

/// Adds a store, for the rest of the program.
pub(super) fn add(store: &'static dyn Sweep) {
    let (bucket, slot) = at(COUNT.fetch_add(1, Relaxed));
    let bucket = STORES[bucket].get_or_init(|| (0..FIRST << bucket).map(|_| OnceLock::new()).collect());
    let _ = bucket[slot].set(store);
}

/// All stores that have been added.
pub(super) fn stores() -> impl Iterator<Item = &'static dyn Sweep> {
    STORES.iter().map_while(OnceLock::get).flatten().filter_map(|slot| slot.get().copied())
}

/// Other threads may be in a store while one forks. With the locks of all stores taken, a child finds them whole.
pub(super) struct Locks;

impl AtFork for Locks {
    fn before(&'static self, keep: Keep<'_, 'static>) {
        stores().for_each(|store| store.hold(keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_store_has_a_slot_of_its_own() {
        let mut slots: Vec<_> = (0..10_000).map(at).collect();
        for &(bucket, slot) in &slots {
            assert!(bucket < BUCKETS && slot < FIRST << bucket);
        }
        assert_eq!(slots[0], (0, 0));
        assert_eq!(slots[31], (0, 31));
        assert_eq!(slots[32], (1, 0));
        assert_eq!(slots[96], (2, 0));
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), 10_000);
    }
}
