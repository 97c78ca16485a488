//! How old an entry is, and until when it serves: what stores keep of entries that are served stale or renewed before they end.
//!
//! Such an entry has three times. From the first on each hit [looks closely](Ages::close), since a renewal may be due. At
//! the second it is no longer fresh. At the third it is gone. Most entries have one time only, and no [`Ages`].

use std::time::Duration;
// These are not for the model checker: whatever is read of them is right.
use std::sync::atomic::{AtomicU64 as Word, Ordering::Relaxed};

use crate::sync::atomic::AtomicU64 as Next;

/// For how long an entry is stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life<'a> {
    /// For how long it is fresh; `None` is for ever.
    pub lifetime: Option<Duration>,
    /// What else there is to know of an entry that may be served stale, or renewed before it ends.
    pub beyond: Option<&'a Beyond>,
}

impl From<Option<Duration>> for Life<'_> {
    fn from(lifetime: Option<Duration>) -> Self {
        Life { lifetime, beyond: None }
    }
}

/// What is stored with an entry that may be served stale, or renewed before it ends. All of it is in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// For how long it is kept after its lifetime.
    pub stale: u64,
    /// At which age hits begin to look closely, at the latest at the end of the lifetime.
    pub close: u64,
    /// How long its computation took; 0 where that is not known.
    pub cost: u64,
}

/// What a store keeps with an entry.
#[derive(Debug)]
pub(crate) struct Ages {
    /// When it was stored.
    made: u64,
    /// How long its computation took; 0 where that is not known.
    cost: u64,
    /// From when on each hit looks closely.
    close: Word,
    /// Until when it is fresh.
    fresh: Word,
    /// When it is gone.
    gone: Word,
    /// Before this time nobody renews it, and how often in a row that has failed: see [`FAILURES`].
    next: Next,
}

/// In [`Ages::next`]: how often in a row a renewal has failed, at most so often. The time has the bits above.
const FAILURES: u64 = 0b1_1111;

/// A renewal that does not come back for so long is taken to be lost, and another begins.
const LOST: u64 = 60_000_000_000;

/// So long after a renewal has failed for the first time, none is tried. After each further failure it is twice as long ...
const FIRST_DELAY: u64 = 1_000_000_000;
/// ... up to this.
const LONGEST_DELAY: u64 = 60_000_000_000;

impl Ages {
    /// Those of an entry that is stored now.
    pub(crate) fn new(now: u64, lifetime: u64, beyond: &Beyond) -> Self {
        let Beyond { stale, close, cost } = *beyond;
        let fresh = now.saturating_add(lifetime);
        Ages {
            made: now,
            cost,
            close: Word::new(now.saturating_add(close).min(fresh)),
            fresh: Word::new(fresh),
            gone: Word::new(fresh.saturating_add(stale)),
            next: Next::new(0),
        }
    }

    /// When it was stored, which tells it from what is stored in its place later.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// From when on each hit looks closely.
    #[cfg(all(test, not(memo_shuttle)))]
    pub(crate) fn close(&self) -> u64 {
        self.close.load(Relaxed)
    }

    /// When it is gone.
    #[inline]
    pub(crate) fn gone(&self) -> u64 {
        self.gone.load(Relaxed)
    }

    /// Whether it is fresh.
    #[inline]
    pub(crate) fn is_fresh(&self, now: u64) -> bool {
        now < self.fresh.load(Relaxed)
    }

    /// What there is to say of its age now.
    pub(crate) fn at(&self, now: u64) -> Age {
        let (fresh, gone) = (self.fresh.load(Relaxed), self.gone());
        let failures = self.next.load(Relaxed) & FAILURES;
        Age { now, made: self.made, cost: self.cost, fresh, gone, failures }
    }

    /// Takes the right to renew it, which nobody else has from now on until that has been [put off](Self::put_off), or is lost;
    /// false where somebody has it, or where it has failed lately.
    pub(crate) fn claim(&self, now: u64) -> bool {
        let next = self.next.load(Relaxed);
        next & !FAILURES <= now && {
            let claimed = (now.saturating_add(LOST) & !FAILURES) | (next & FAILURES);
            self.next.compare_exchange(next, claimed, Relaxed, Relaxed).is_ok()
        }
    }

    /// Gives the right to renew it back, since that has failed: nobody tries it again for a while. Gives how often in a row that
    /// has been so, and for how long nobody tries.
    pub(crate) fn put_off(&self, now: u64) -> (u64, Duration) {
        let delay = |failures: u64| FIRST_DELAY.saturating_mul(1 << failures).min(LONGEST_DELAY);
        let once_more = |failures: u64| (failures + 1).min(FAILURES);
        let before =
            self.set_next(|failures| (now.saturating_add(delay(failures)) & !FAILURES) | once_more(failures));
        (once_more(before), Duration::from_nanos(delay(before)))
    }

    /// Gives the right to renew it back, since somebody renews it whose result does not come here by itself: nobody asks again
    /// for a while.
    pub(crate) fn defer(&self, now: u64) {
        let _ = self.set_next(|failures| (now.saturating_add(FIRST_DELAY) & !FAILURES) | failures);
    }

    /// Gives the right to renew it back, since nobody has tried.
    pub(crate) fn release(&self) {
        let _ = self.set_next(|failures| failures);
    }

    /// Sets [`Ages::next`] by how often in a row a renewal has failed, and gives that. None of several that do this at a time is
    /// lost.
    fn set_next(&self, next: impl Fn(u64) -> u64) -> u64 {
        let set = self.next.fetch_update(Relaxed, Relaxed, |before| Some(next(before & FAILURES)));
        set.unwrap_or_else(|before| before) & FAILURES
    }

    /// Ends its freshness. It is kept for as long as it would have been after its lifetime.
    pub(crate) fn expire(&self, now: u64) {
        let fresh = self.fresh.load(Relaxed);
        if now < fresh {
            let stale = self.gone().saturating_sub(fresh);
            self.gone.store(now.saturating_add(stale), Relaxed);
            self.fresh.store(now, Relaxed);
            self.close.store(now, Relaxed);
        }
    }
}

/// How old an entry is that was found, in nanoseconds of the [clock](crate::clock).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// When it was found.
    pub now: u64,
    /// When it was stored; 0 where that is not kept.
    pub made: u64,
    /// How long its computation took; 0 where that is not known.
    pub cost: u64,
    /// Until when it is fresh.
    pub fresh: u64,
    /// When it is gone.
    pub gone: u64,
    /// How often in a row a renewal of it has failed.
    pub failures: u64,
}

impl Age {
    /// That of an entry of which nothing is kept but its end.
    pub(crate) fn ending(now: u64, ends: u64) -> Self {
        Age { now, made: 0, cost: 0, fresh: ends, gone: ends, failures: 0 }
    }

    /// Whether it is no longer fresh.
    pub(crate) fn is_stale(&self) -> bool {
        self.now >= self.fresh
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use crate::clock::NEVER;

    const SECOND: u64 = 1_000_000_000;

    fn ages() -> Ages {
        Ages::new(SECOND, 100 * SECOND, &Beyond { stale: 10 * SECOND, close: 80 * SECOND, cost: 7 })
    }

    #[test]
    fn the_three_times_are_counted_from_when_it_was_stored() {
        let ages = ages();
        assert_eq!((ages.close(), ages.gone()), (81 * SECOND, 111 * SECOND));
        assert!(ages.is_fresh(101 * SECOND - 1) && !ages.is_fresh(101 * SECOND));
        let age = ages.at(105 * SECOND);
        assert_eq!((age.made, age.cost, age.fresh, age.failures), (SECOND, 7, 101 * SECOND, 0));
        assert!(age.is_stale());
        let for_ever = Ages::new(SECOND, NEVER, &Beyond { stale: SECOND, close: NEVER, cost: 0 });
        assert_eq!((for_ever.close(), for_ever.gone()), (NEVER, NEVER));
        assert!(for_ever.is_fresh(NEVER - 1));
    }

    #[test]
    fn one_has_the_right_to_renew_until_it_is_given_back_or_lost() {
        let ages = ages();
        let now = 102 * SECOND;
        assert!(ages.claim(now));
        assert!(!ages.claim(now + LOST / 2));
        assert!(ages.claim(now + LOST), "it is lost by then");
        ages.release();
        assert!(ages.claim(now));
    }

    #[test]
    fn failures_are_further_and_further_apart() {
        let ages = ages();
        let mut now = 102 * SECOND;
        let mut delays = Vec::new();
        for failures in 0..9 {
            assert!(ages.claim(now));
            assert_eq!(ages.at(now).failures, failures);
            ages.put_off(now);
            let begun = now;
            while !ages.claim(now) {
                now += SECOND / 2;
            }
            ages.release();
            delays.push((now - begun) / SECOND);
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        for _ in 0..100 {
            ages.put_off(now);
        }
        assert_eq!(ages.put_off(now), (FAILURES, Duration::from_nanos(LONGEST_DELAY)));
        assert_eq!(ages.at(now).failures, FAILURES);
    }

    #[test]
    fn what_is_expired_is_kept_as_long_as_after_its_lifetime() {
        let ages = ages();
        ages.expire(31 * SECOND);
        assert!(!ages.is_fresh(31 * SECOND));
        assert_eq!((ages.close(), ages.gone()), (31 * SECOND, 41 * SECOND));
        ages.expire(35 * SECOND);
        assert_eq!(ages.gone(), 41 * SECOND, "it was stale before");
    }
}
