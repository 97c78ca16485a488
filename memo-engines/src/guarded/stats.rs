//! The counters of a guard.

use std::sync::atomic::{AtomicU64, Ordering};

/// What happened to the calls of a [`Guarded`](crate::Guarded) engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardStats {
    /// Calls that were made of the engine.
    pub calls: u64,
    /// Those that failed, whatever the reason.
    pub failures: u64,
    /// Those among the failures that took longer than their budget.
    pub timeouts: u64,
    /// Calls that were not made because the circuit was open.
    pub refused: u64,
    /// How often a circuit opened.
    pub opened: u64,
    /// Entries for which the engine had no room just now: its queue, or its memory, was full. No failures.
    pub dropped: u64,
}

/// What is counted as it happens.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) timeouts: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) dropped: AtomicU64,
}

impl Counters {
    /// The counts so far; the circuits count how often they `opened`.
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
