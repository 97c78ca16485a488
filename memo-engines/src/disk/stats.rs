//! The counters of the engine.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`Disk`](crate::Disk) has done in this process since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskStats {
    /// Entries that were written.
    pub written: u64,
    /// Entries that were dropped, because the queue was full or nothing could be written.
    pub refused: u64,
    /// Operations whose transaction failed.
    pub failed: u64,
    /// Entries that were evicted for room.
    pub evicted: u64,
    /// Entries that were deleted because they had expired.
    pub expired: u64,
}

/// The counters.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) written: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) expired: AtomicU64,
}

impl Counters {
    /// The counts so far.
    pub(super) fn read(&self) -> DiskStats {
        let Self { written, refused, failed, evicted, expired } = self;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DiskStats {
            written: read(written),
            refused: read(refused),
            failed: read(failed),
            evicted: read(evicted),
            expired: read(expired),
        }
    }
}
