//! The store without the types of its keys and values: all that a hit does not inline, compiled once.
//!
//! What is put in, looked for and dropped comes as [`Arriving`](super::kind::Arriving), [`Looking`] and [`Kind`], from the typed store around this.
//! User code runs in those only: `has_key`, `matches` and `clone_value` while this thread reads and holds no lock, drops
//! under no lock either.

#![allow(unsafe_code)]

use super::alive::{is_alive, is_there, now};
use super::batch::Batch;
use super::index::Found;
use super::kind::{Kind, Looking};
use super::readers::reading;
use super::retired::{Retired, Rules};
use super::shards::{self, Shards};
use super::share::Share;
use crate::clock::{NEVER, coarse, exact, nanos};
use crate::fork::Keep;
use crate::near::ages::{Age, Ages};
use crate::near::counts::NearCounts;
use crate::near::limits::{Bound, Limits};
use crate::sweep::Schedule;
use std::mem::ManuallyDrop;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

#[cfg(feature = "config")]
use crate::sync::Mutex;

mod expiry;
pub(super) mod insert;
#[cfg(feature = "config")]
mod resize;

/// A shard holds at least this many entries.
const SHARE: u64 = 256;

/// See the [module](self).
pub(super) struct Erased {
    pub shards: Shards,
    /// How long an entry stays without being read, [`NEVER`] being for ever.
    tti: AtomicU64,
    pub rest: Written,
}

/// What is written now and then: away from what hits read.
#[repr(align(128))]
pub(super) struct Written {
    kind: &'static Kind,
    pub schedule: Schedule,
    /// Whether a shard has found that it thrashes, and nobody has asked since.
    thrashes: AtomicBool,
    pub retired: Retired,
    /// Held while the limits are changed.
    #[cfg(feature = "config")]
    changing: Mutex<()>,
}

impl Erased {
    pub(super) fn new(kind: &'static Kind, limits: &Limits) -> Self {
        let bound = Bound::new(limits, true);
        let shards = if bound.weighs() { 1 } else { shards(bound.limit) };
        let (share, rules) = Self::terms(kind, limits, shards);
        Erased {
            shards: Shards::new(shards, kind, share),
            tti: AtomicU64::new(limits.tti.map_or(NEVER, nanos)),
            rest: Written {
                kind,
                schedule: Schedule::new(),
                thrashes: AtomicBool::new(false),
                retired: Retired::new(kind, rules),
                #[cfg(feature = "config")]
                changing: Mutex::new(()),
            },
        }
    }

    /// Whether what somebody has removed or replaced is to be freed at once: whoever says that something is not to be used
    /// any more may wait for it to be dropped.
    fn at_once(&self) -> bool {
        self.rest.kind.drops_values
    }

    /// What these limits mean for each of so many shards, and for what has left.
    fn terms(kind: &Kind, limits: &Limits, shards: usize) -> (Share, Rules) {
        let bound = Bound::new(limits, true);
        let tti = limits.tti.map_or(NEVER, nanos);
        if limits.lifetimes || tti != NEVER {
            // Sets the clock going, so that its beginning is not somewhere in the middle.
            exact();
        }
        // As many entries as the store may hold, as far as that is known.
        let entries = if bound.weighs() { limits.capacity } else { Some(bound.limit) };
        let entries = usize::try_from(entries.unwrap_or(NEVER)).unwrap_or(usize::MAX);
        // What may own more than its place is not to be kept for long where there is little of it.
        let few = if kind.needs_drop { 8 } else { 64 };
        let worth = (entries / 16).clamp(few, 1024);
        let worth_weight = limits.max_weight.map_or(NEVER, |most| most / 16);
        let batch = (worth / shards).clamp(1, 64);
        let share = Share::new(bound, shards, batch, tti, limits.aged);
        let rules = Rules {
            worth,
            worth_weight,
            most: entries.clamp(256, 1 << 20) + 2 * worth,
            most_weight: limits.max_weight.unwrap_or(NEVER),
            shape: share.shape(),
        };
        (share, rules)
    }

    /// Locks all shards, and what has left them, in the order in which an insert does.
    pub(super) fn hold<'s>(&'s self, held: Keep<'_, 's>) {
        self.shards.each().for_each(|locked| held(Box::new(locked)));
        held(Box::new(self.rest.retired.held_lock()));
    }

    #[inline]
    fn tti(&self) -> u64 {
        self.tti.load(Relaxed)
    }

    /// Looks for an entry. `uses`: that is a use of what it finds.
    ///
    /// # Safety
    ///
    /// `looking` is for the store's kind.
    pub(super) unsafe fn look(&self, hash: u64, uses: bool, looking: &mut dyn Looking) {
        reading(|reading| {
            // SAFETY: all entries are of the store's kind.
            let is = |found: Found<'_>| unsafe { looking.matches(found) };
            let found = self.shards.index(hash).find(reading, hash, is);
            if let Some(found) = found
                && is_alive(&found, self.tti(), uses)
            {
                // SAFETY: as above.
                unsafe { looking.clone_value(found) };
            }
        });
    }

    /// Looks for an entry that is not gone. `uses`: that is a use of it. Gives how old it is, and whether the caller has the right
    /// to renew it, which it gets if `is_due` and nobody else has it.
    ///
    /// # Safety
    ///
    /// `looking` is for the store's kind.
    pub(super) unsafe fn look_aged(
        &self,
        hash: u64,
        uses: bool,
        is_due: &dyn Fn(&Age) -> bool,
        looking: &mut dyn Looking,
    ) -> Option<(Age, bool)> {
        reading(|reading| {
            // SAFETY: all entries are of the store's kind.
            let is = |found: Found<'_>| unsafe { looking.matches(found) };
            let found = self.shards.index(hash).find(reading, hash, is)?;
            let now = now(&found);
            if !is_there(&found, now, self.tti(), uses) {
                return None;
            }
            // SAFETY: as above.
            unsafe { looking.clone_value(found) };
            let Some(ages) = found.ages() else {
                return Some((Age::ending(now, found.ends(NEVER)), false));
            };
            let age = ages.at(now);
            Some((age, is_due(&age) && ages.claim(now)))
        })
    }

    /// Calls `with` for the ages of an entry, if it is there and has some.
    ///
    /// # Safety
    ///
    /// `looking` is for the store's kind.
    pub(super) unsafe fn with_ages(&self, hash: u64, looking: &dyn Looking, with: &mut dyn FnMut(&Ages)) {
        reading(|reading| {
            // SAFETY: all entries are of the store's kind.
            let is = |found: Found<'_>| unsafe { looking.matches(found) };
            let found = self.shards.index(hash).find(reading, hash, is);
            if let Some(ages) = found.as_ref().and_then(Found::ages) {
                with(ages);
            }
        });
    }

    /// Ends the freshness of an entry; whether it was there and fresh. One that cannot be stale is removed.
    ///
    /// # Safety
    ///
    /// `looking` is for the store's kind.
    pub(super) unsafe fn expire_fresh(&self, hash: u64, looking: &dyn Looking) -> bool {
        let expired = reading(|reading| {
            // SAFETY: all entries are of the store's kind.
            let is = |found: Found<'_>| unsafe { looking.matches(found) };
            let found = self.shards.index(hash).find(reading, hash, is)?;
            let ages = found.ages()?;
            // the coarse clock, which is behind, is to agree
            let now = coarse();
            let before = ages.at(now);
            found.expire(now);
            self.rest.schedule.stored(now, ages.gone());
            (ages.gone() > now).then(|| !before.is_stale())
        });
        // SAFETY: as the caller says.
        expired.unwrap_or_else(|| unsafe { self.remove(hash, looking) })
    }

    #[inline]
    fn note(&self, thrashes: bool) {
        if thrashes {
            self.rest.thrashes.store(true, Relaxed);
        }
    }

    /// See [`Near::thrashes`](crate::near::Near::thrashes).
    #[inline]
    pub(super) fn thrashes(&self) -> bool {
        self.rest.thrashes.load(Relaxed) && self.rest.thrashes.swap(false, Relaxed)
    }

    /// Removes an entry; whether there was one that had not expired.
    ///
    /// # Safety
    ///
    /// `looking` is for the store's kind.
    pub(super) unsafe fn remove(&self, hash: u64, looking: &dyn Looking) -> bool {
        // SAFETY: all entries are of the store's kind.
        self.remove_where(hash, |found| unsafe { looking.matches(found) })
    }

    fn remove_where(&self, hash: u64, is: impl Fn(Found<'_>) -> bool) -> bool {
        let (lived, batch) = reading(|reading| {
            loop {
                let Some(found) = self.shards.index(hash).find(reading, hash, &is) else {
                    return (false, None);
                };
                let mut locked = self.shards.lock(hash);
                if locked.remove(hash, found.entry()) {
                    return (self.lives(&found), locked.unlock(self.at_once()));
                }
            }
        });
        self.clean(batch, self.at_once());
        lived
    }

    pub(super) fn clear(&self) {
        for mut locked in self.shards.each() {
            locked.clear();
            self.clean(locked.unlock(true), true);
        }
    }

    /// Sees to what has been taken out, with no lock held any more.
    #[inline]
    fn clean(&self, batch: Option<Box<Batch>>, now: bool) {
        match batch {
            Some(batch) if now => self.rest.retired.free_now(*batch),
            Some(batch) => self.rest.retired.take(*batch),
            None => (),
        }
    }

    pub(super) fn schedule(&self) -> &Schedule {
        &self.rest.schedule
    }

    pub(super) fn counts(&self) -> NearCounts {
        let sums = self.shards.sums();
        NearCounts {
            entries: sums.len,
            weight: sums.weight,
            evicted: sums.evicted,
            expired: sums.expired,
            recomputed: sums.recomputed,
        }
    }

    /// Frees what can be freed just now.
    #[cfg(test)]
    pub(super) fn tidy(&self) {
        for locked in self.shards.each() {
            self.clean(locked.unlock(true), true);
        }
        self.rest.retired.flush();
    }

    /// Frees all that has left, as soon as other threads' readers let it.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        loop {
            self.tidy();
            if self.rest.retired.held() == 0 {
                return;
            }
            crate::sync::thread::yield_now();
        }
    }
}

/// Drops a store, out of line for all who have one.
///
/// # Safety
///
/// As for [`ManuallyDrop::drop`].
pub(super) unsafe fn discard(store: &mut ManuallyDrop<Erased>) {
    // SAFETY: as the caller says.
    unsafe { ManuallyDrop::drop(store) };
}

impl Drop for Erased {
    fn drop(&mut self) {
        for mut locked in self.shards.each() {
            locked.clear();
            if let Some(batch) = locked.unlock(true) {
                self.rest.retired.keep(*batch);
            }
        }
        // SAFETY: whoever reads this store borrows it, and it is ours alone.
        unsafe { self.rest.retired.free() };
    }
}

/// How many shards a bound on the number of entries is split into: enough for every core to find one
/// free, as far as there are enough entries.
fn shards(capacity: u64) -> usize {
    // Asking is slow, and there may be thousands of stores.
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let wanted = (cores * 4).next_power_of_two().min(shards::MOST);
    let full = (capacity / SHARE).clamp(1, wanted as u64) as usize;
    // Rounded down to a power of two.
    1 << full.ilog2()
}
