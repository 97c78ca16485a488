//! What a table counts, for all threads to read.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A weight that is the number of entries.
pub(super) const AS_ENTRIES: u64 = u64::MAX;

/// What one table counts. Only its thread writes it.
pub(super) struct Counts {
    /// The epoch that the table has caught up with.
    pub epoch: AtomicU64,
    pub entries: AtomicU64,
    /// [`AS_ENTRIES`] where each weighs one.
    pub weight: AtomicU64,
    pub evicted: AtomicU64,
    pub expired: AtomicU64,
}

impl Counts {
    /// Those of an empty table of this epoch.
    pub(super) fn new(epoch: u64) -> Self {
        Counts {
            epoch: AtomicU64::new(epoch),
            entries: AtomicU64::new(0),
            weight: AtomicU64::new(AS_ENTRIES),
            evicted: AtomicU64::new(0),
            expired: AtomicU64::new(0),
        }
    }
}

/// Only the thread that owns the table writes, so this needs no atomic addition.
#[inline(always)]
pub(super) fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}
