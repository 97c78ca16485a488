//! What the tables of a store have in common.

use super::counts::{AS_ENTRIES, Counts};
use crate::near::counts::NearCounts;
use crate::near::limits::Limits;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the tables of a store have in common.
pub(super) struct Shared {
    /// Moves when the tables have something to catch up with.
    pub epoch: AtomicU64,
    /// The epoch in which all were to be emptied last.
    cleared: AtomicU64,
    rest: Mutex<Rest>,
}

struct Rest {
    limits: Limits,
    live: Vec<Arc<Counts>>,
    /// What tables counted that are gone.
    evicted: u64,
    expired: u64,
}

impl Shared {
    pub(super) fn new(limits: &Limits) -> Self {
        let rest = Rest { limits: *limits, live: Vec::new(), evicted: 0, expired: 0 };
        Shared { epoch: AtomicU64::new(0), cleared: AtomicU64::new(0), rest: Mutex::new(rest) }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all tables emptied, each as its thread uses it next.
    pub(super) fn clear(&self) {
        let rest = self.rest();
        let epoch = self.epoch.load(Relaxed) + 1;
        self.cleared.store(epoch, Relaxed);
        self.epoch.store(epoch, Relaxed);
        drop(rest);
    }

    /// Has all tables held to these limits, each as its thread uses it next.
    #[cfg(feature = "config")]
    pub(super) fn resize(&self, limits: &Limits) {
        let mut rest = self.rest();
        rest.limits = *limits;
        self.epoch.store(self.epoch.load(Relaxed) + 1, Relaxed);
    }

    /// The epoch, the one in which all tables were to be emptied last, and the limits.
    pub(super) fn now(&self) -> (u64, u64, Limits) {
        let rest = self.rest();
        (self.epoch.load(Relaxed), self.cleared.load(Relaxed), rest.limits)
    }

    /// What all tables count together.
    pub(super) fn counts(&self) -> NearCounts {
        let rest = self.rest();
        let cleared = self.cleared.load(Relaxed);
        let mut counts = NearCounts { evicted: rest.evicted, expired: rest.expired, ..NearCounts::default() };
        for live in &rest.live {
            counts.evicted += live.evicted.load(Relaxed);
            counts.expired += live.expired.load(Relaxed);
            // what has not caught up with that yet is empty for all who ask
            if live.epoch.load(Relaxed) >= cleared {
                let (entries, weight) = (live.entries.load(Relaxed), live.weight.load(Relaxed));
                counts.entries += entries;
                counts.weight += if weight == AS_ENTRIES { entries } else { weight };
            }
        }
        counts
    }

    /// A new table's counts, and the epoch and limits that it begins with.
    pub(super) fn join(&self) -> (Arc<Counts>, u64, Limits) {
        let mut rest = self.rest();
        let epoch = self.epoch.load(Relaxed);
        let counts = Arc::new(Counts::new(epoch));
        rest.live.push(counts.clone());
        (counts, epoch, rest.limits)
    }

    /// A table is gone; what it has counted stays.
    pub(super) fn leave(&self, gone: &Arc<Counts>) {
        let mut rest = self.rest();
        rest.live.retain(|counts| !Arc::ptr_eq(counts, gone));
        rest.evicted += gone.evicted.load(Relaxed);
        rest.expired += gone.expired.load(Relaxed);
    }
}
