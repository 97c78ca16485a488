//! When a store wants to be swept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::thread;
use crate::clock::{NEVER, exact};

/// Sweeps are at least this far apart.
const SOONEST: u64 = 250_000_000;
/// And at most this far, for a store that has something to sweep.
const LATEST: u64 = 30_000_000_000;

/// How long to leave a store alone after a sweep, if lifetimes are as short as this.
fn pause(lifetime: u64) -> u64 {
    (lifetime / 4).clamp(SOONEST, LATEST)
}

/// What a store knows of when it wants to be swept.
pub(crate) struct Schedule {
    /// No entry ends before this; [`NEVER`] when none does.
    earliest: AtomicU64,
    /// The shortest lifetime there has been.
    shortest: AtomicU64,
    /// When it was last swept.
    swept: AtomicU64,
    /// Whether anybody sweeps it. Waking the thread for others would be in vain, each time anew.
    watched: AtomicBool,
}

impl Schedule {
    pub(crate) const fn new() -> Self {
        Schedule {
            earliest: AtomicU64::new(NEVER),
            shortest: AtomicU64::new(NEVER),
            swept: AtomicU64::new(0),
            watched: AtomicBool::new(false),
        }
    }

    /// See [`Sweep::watch`](super::Sweep::watch).
    pub(crate) fn watch(&self) {
        self.watched.store(true, Relaxed);
    }

    /// Takes note of an entry, once it is in the store: made at `now`, ending at `ends`.
    #[inline]
    pub(crate) fn stored(&self, now: u64, ends: u64) {
        if ends != NEVER {
            self.ending(now, ends);
        }
    }

    fn ending(&self, now: u64, ends: u64) {
        let lifetime = ends - now;
        if lifetime < self.shortest.load(Relaxed) {
            self.shortest.fetch_min(lifetime, Relaxed);
        }
        self.ends_at(ends);
        thread::wish(ends.max(now.saturating_add(pause(lifetime))), || self.watched.load(Relaxed));
    }

    /// Takes note that an entry ends then, without wishing for anything.
    pub(crate) fn ends_at(&self, ends: u64) {
        if ends < self.earliest.load(Relaxed) {
            self.earliest.fetch_min(ends, Relaxed);
        }
    }

    /// Whether anything in the store ends at some time.
    #[inline]
    pub(crate) fn has_lifetimes(&self) -> bool {
        self.earliest.load(Relaxed) != NEVER
    }

    /// Whether an entry may have expired by now. Reads no clock where none ever will.
    pub(crate) fn may_have_expired(&self) -> bool {
        let earliest = self.earliest.load(Relaxed);
        earliest != NEVER && earliest <= exact()
    }

    /// Begins a sweep; false if there is nothing to do. The caller then looks at every entry, and calls
    /// [`ends_at`](Self::ends_at) for each that stays.
    pub(crate) fn begin(&self, now: u64) -> bool {
        self.swept.store(now, Relaxed);
        // An insert either is in the store before the sweep looks there, or lowers this afterwards.
        now >= self.earliest.load(Relaxed) && now >= self.earliest.swap(NEVER, Relaxed)
    }

    /// See [`Sweep::due`](super::Sweep::due).
    pub(crate) fn due(&self) -> Option<u64> {
        let earliest = self.earliest.load(Relaxed);
        let rested = self.swept.load(Relaxed).saturating_add(pause(self.shortest.load(Relaxed)));
        (earliest != NEVER).then(|| earliest.max(rested))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_a_quarter_of_a_lifetime_within_reason() {
        let second = 1_000_000_000;
        assert_eq!(pause(1), SOONEST);
        assert_eq!(pause(8 * second), 2 * second);
        assert_eq!(pause(3600 * second), LATEST);
        assert_eq!(pause(NEVER), LATEST);
    }

    #[test]
    fn a_schedule_is_due_when_something_ends_and_it_has_rested() {
        let schedule = Schedule::new();
        assert_eq!(schedule.due(), None);
        schedule.shortest.store(40_000_000_000, Relaxed);
        schedule.ends_at(50_000_000_000);
        assert_eq!(schedule.due(), Some(50_000_000_000));
        assert!(!schedule.begin(45_000_000_000));
        assert_eq!(schedule.due(), Some(55_000_000_000));
        assert!(schedule.begin(55_000_000_000));
        assert_eq!(schedule.due(), None);
    }
}
