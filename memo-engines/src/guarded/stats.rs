//! The counters of a guard.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of a [`Guarded`](crate::Guarded) engine's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardStats {
    /// Calls that were made to the engine.
    pub calls: u64,
    /// Calls that failed, for any reason.
    pub failures: u64,
    /// Failed calls that took longer than their budget.
    pub timeouts: u64,
    /// Calls that were not made because the circuit was open.
    pub refused: u64,
    /// How often a circuit opened.
    pub opened: u64,
    /// Entries for which the engine had no room just now, because its queue or its memory was full. They do
    /// not count as failures.
    pub dropped: u64,
}

/// The counters.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) timeouts: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) dropped: AtomicU64,
}

impl Counters {
    /// The counts so far. `opened` is counted by the circuits.
    pub(super) fn read(&self, opened: u64) -> GuardStats {
        let Self { calls, failures, timeouts, refused, dropped } = self;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        GuardStats {
            calls: read(calls),
            failures: read(failures),
            timeouts: read(timeouts),
            refused: read(refused),
            opened,
            dropped: read(dropped),
        }
    }
}
