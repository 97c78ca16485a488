//! The store without the types of its keys and values: all that a hit does not inline, compiled once.
//!
//! What is put in, looked for and dropped comes as [`Arriving`], [`Looking`] and [`Kind`], from the typed store around this.
//! User code runs in those only: `has_key`, `matches` and `clone_value` while this thread reads and holds no lock, drops
//! under no lock either.

use super::entry::{COARSE, FOREVER, New, UNTIMED, USES, word};
use super::garbage::{Garbage, Graveyard, Rules};
use super::index::Found;
use super::kind::{Arriving, Kind, Looking};
use super::readers::reading;
use super::shard::{self, Shards, Share};
use crate::clock::{FINE, NEVER, coarse, exact, nanos};
use crate::fork::Keep;
use crate::near::counts::NearCounts;
use crate::near::limits::{Bound, Limits, ends};
use crate::sweep::{Schedule, hold_off_for_sweeper};
use std::mem::ManuallyDrop;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

#[cfg(feature = "config")]
use {
    super::shard::Locked,
    crate::sync::{Mutex, lock},
};

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
    pub graveyard: Graveyard,
    /// Held while the limits are changed.
    #[cfg(feature = "config")]
    changing: Mutex<()>,
}

/// An entry that is to be put in.
pub(super) struct Wish<'a> {
    pub hash: u64,
    pub weight: u32,
    pub lifetime: Option<Duration>,
    /// Asked as the entry is about to be put in, under the lock that a removal takes as well: then it is not.
    pub is_off: &'a dyn Fn() -> bool,
}

/// What an insert leaves to be cleaned, and whether at once.
type Placed = (Option<Box<Garbage>>, bool);

/// Why an entry is not put in.
pub(super) enum Not {
    /// The store is not to hold such.
    Admitted,
    /// It is off.
    Wanted,
}

/// In a word: no time is to be kept but by the coarse clock.
pub(super) const PLAIN: u64 = COARSE | UNTIMED;

/// Whether an entry has not expired; if `uses`, finding it is a use, which is counted.
#[inline]
fn is_alive(found: &Found<'_>, tti: u64, uses: bool) -> bool {
    let word = found.word.load(Relaxed);
    if word & PLAIN != PLAIN {
        return is_alive_in_time(found, word, tti, uses);
    }
    let alive = word >= FOREVER || coarse() < word;
    if alive && uses && word & USES != USES {
        found.word.store(word + 1, Relaxed);
    }
    alive
}

/// The same for what needs the exact clock, or has an idle time: that starts anew.
fn is_alive_in_time(found: &Found<'_>, word: u64, tti: u64, uses: bool) -> bool {
    let now = if word & COARSE == 0 { exact() } else { coarse() };
    let alive = now < found.ends(tti);
    if alive && uses {
        if word & USES != USES {
            found.word.store(word + 1, Relaxed);
        }
        // By the coarse clock a written line of memory per tick, not per hit.
        if let Some(read) = found.read()
            && read.load(Relaxed) < now
        {
            read.store(now, Relaxed);
        }
    }
    alive
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
                graveyard: Graveyard::new(kind, rules),
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
        let rules = Rules {
            worth,
            worth_weight,
            most: entries.clamp(256, 1 << 20) + 2 * worth,
            most_weight: limits.max_weight.unwrap_or(NEVER),
            timed: tti != NEVER,
        };
        (Share::new(bound, shards, batch, tti), rules)
    }

    /// Locks all shards, and what has left them, in the order in which an insert does.
    pub(super) fn hold<'s>(&'s self, held: Keep<'_, 's>) {
        self.shards.each().for_each(|locked| held(Box::new(locked)));
        held(Box::new(self.rest.graveyard.held_lock()));
    }

    /// Holds itself to other limits. What fits into them stays, unless it is the idle time that changes. False, and
    /// all is as it was, where the shards, which stay as many as they are, could not keep to them: where there are
    /// several, none goes by weight, and each has room for one entry.
    #[cfg(feature = "config")]
    pub(super) fn resize(&self, limits: &Limits) -> bool {
        let shards = self.shards.indices().len();
        let (share, rules) = Self::terms(self.rest.kind, limits, shards);
        if !share.is_fair(shards) {
            return false;
        }
        let changing = lock(&self.rest.changing);
        self.tti.store(limits.tti.map_or(NEVER, nanos), Relaxed);
        self.rest.graveyard.adopt(rules);
        let adopt = |mut locked: Locked<'_>| {
            locked.adopt(share);
            locked.unlock(true)
        };
        let garbage: Vec<_> = self.shards.each().filter_map(adopt).collect();
        drop(changing);
        garbage.into_iter().for_each(|garbage| self.clean(Some(garbage), true));
        for number in 0..shards {
            // A few at a time: others want the lock as well.
            while !self.trim(number, 256) {}
        }
        true
    }

    /// Evicts what is over the bounds, at most so many; whether that is done.
    #[cfg(feature = "config")]
    fn trim(&self, number: usize, most: usize) -> bool {
        let mut locked = self.shards.lock_number(number);
        let done = locked.trim(most);
        let garbage = locked.unlock(true);
        self.clean(garbage, true);
        done
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

    /// A miss takes what has expired with it, so that a value is not kept longer for having been asked for.
    #[inline]
    pub(super) fn missed(&self, hash: u64) {
        if self.rest.schedule.has_lifetimes() {
            self.missed_in_time(hash);
        }
    }

    #[cold]
    #[inline(never)]
    fn missed_in_time(&self, hash: u64) {
        if self.rest.schedule.may_have_expired() {
            self.expire(hash, exact());
        }
    }

    /// Puts an entry in, in place of what was there. With a lifetime of zero, or a weight beyond the bound, it is not put in,
    /// and what was there is removed all the same: it has been superseded. False, and nothing has happened, if it was off.
    ///
    /// Where it is not put in, key and value are still in `arriving`.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    pub(super) unsafe fn insert(&self, wish: &Wish<'_>, arriving: &mut dyn Arriving) -> bool {
        let Wish { hash, weight, lifetime, is_off } = *wish;
        let lifetime = lifetime.map_or(NEVER, nanos);
        let tti = self.tti();
        let shortest = lifetime.min(tti);
        if shortest == 0 || !self.rest.graveyard.has_room() {
            // SAFETY: as the caller says.
            unsafe { self.refuse(hash, arriving) };
            return true;
        }
        let now = if shortest == NEVER { 0 } else { exact() };
        let deadline = now.saturating_add(lifetime);
        let word = word(deadline, shortest >= FINE, tti != NEVER);
        let new = New { hash, weight, word, read: now, tti };
        // SAFETY: as the caller says.
        match unsafe { self.place(is_off, &new, arriving) } {
            Ok((garbage, at_once)) => self.clean(garbage, at_once),
            Err(Not::Admitted) => {
                // SAFETY: as the caller says.
                unsafe { self.refuse(hash, arriving) };
                return true;
            }
            Err(Not::Wanted) => return false,
        }
        self.rest.schedule.stored(now, ends(deadline, now, tti));
        true
    }

    /// Removes what an entry that is not stored would have taken the place of.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[cold]
    #[inline(never)]
    unsafe fn refuse(&self, hash: u64, arriving: &dyn Arriving) {
        // SAFETY: all entries are of the store's kind, and so is what arrives, as the caller says.
        self.remove_where(hash, |found| unsafe { arriving.has_key(found) });
    }

    /// Puts an entry in, in place of what was there. What is to be cleaned, and whether at once; or why it is not let in.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[inline]
    pub(super) unsafe fn place(
        &self,
        is_off: &dyn Fn() -> bool,
        new: &New,
        arriving: &mut dyn Arriving,
    ) -> Result<Placed, Not> {
        let mut locked = self.shards.lock(new.hash);
        if !locked.admits(new) {
            return Err(Not::Admitted);
        }
        locked.fetch_spares(&self.rest.graveyard);
        if locked.has(new.hash) {
            drop(locked);
            // SAFETY: as the caller says.
            return unsafe { self.place_among(is_off, new, arriving) };
        }
        if is_off() {
            return Err(Not::Wanted);
        }
        // SAFETY: as the caller says.
        let thrashes = unsafe { locked.insert(new, arriving) };
        let garbage = locked.unlock(false);
        self.note(thrashes);
        Ok((garbage, false))
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

    /// As [`place`](Self::place), where an entry has the hash of the new one, and perhaps its key.
    ///
    /// # Safety
    ///
    /// As for [`place`](Self::place).
    #[cold]
    #[inline(never)]
    unsafe fn place_among(
        &self,
        is_off: &dyn Fn() -> bool,
        new: &New,
        arriving: &mut dyn Arriving,
    ) -> Result<Placed, Not> {
        let hash = new.hash;
        reading(|reading| {
            // Entries with this hash and another key. While this reads, none of them can be taken for another.
            let mut others = Vec::new();
            loop {
                let mut locked = self.shards.lock(hash);
                if !locked.admits(new) {
                    return Err(Not::Admitted);
                }
                locked.fetch_spares(&self.rest.graveyard);
                let Some(found) = locked.find(reading, hash, |found| !others.contains(&found.entry())) else {
                    if is_off() {
                        return Err(Not::Wanted);
                    }
                    // SAFETY: as the caller says.
                    let thrashes = unsafe { locked.insert(new, arriving) };
                    self.note(thrashes);
                    return Ok((locked.unlock(false), false));
                };
                drop(locked);
                // SAFETY: all entries are of the store's kind, and so is what arrives, as the caller says.
                if !unsafe { arriving.has_key(found) } {
                    others.push(found.entry());
                    continue;
                }
                let mut locked = self.shards.lock(hash);
                if !locked.admits(new) {
                    return Err(Not::Admitted);
                }
                if is_off() {
                    return Err(Not::Wanted);
                }
                // SAFETY: as the caller says. If the old one has left meanwhile, this looks again.
                if unsafe { locked.replace(found.entry(), *new, arriving) } {
                    return Ok((locked.unlock(self.at_once()), self.at_once()));
                }
            }
        })
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
        let (lived, garbage) = reading(|reading| {
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
        self.clean(garbage, self.at_once());
        lived
    }

    fn lives(&self, found: &Found<'_>) -> bool {
        let ends = found.ends(self.tti());
        let is_coarse = found.word.load(Relaxed) & COARSE != 0;
        ends == NEVER || if is_coarse { coarse() } else { exact() } < ends
    }

    pub(super) fn clear(&self) {
        for mut locked in self.shards.each() {
            locked.clear();
            self.clean(locked.unlock(true), true);
        }
    }

    pub(super) fn sweep(&self) {
        let (now, tti) = (exact(), self.tti());
        if self.rest.schedule.begin(now) {
            for (number, index) in self.shards.indices().iter().enumerate() {
                // What was stored before the schedule began anew was stored under this lock, and is seen from here on.
                let unforked = hold_off_for_sweeper();
                drop(self.shards.lock_number(number));
                drop(unforked);
                let mut expired = Vec::new();
                reading(|reading| {
                    index.each(reading, |found| match found.ends(tti) {
                        ends if ends <= now => expired.push(found.hash),
                        ends => self.rest.schedule.ends_at(ends),
                    });
                });
                for hash in expired {
                    if !self.expire(hash, now) && tti != NEVER {
                        // It may have been read meanwhile, and then ends later.
                        self.rest.schedule.ends_at(now);
                    }
                }
            }
        }
        for number in 0..self.shards.indices().len() {
            let unforked = hold_off_for_sweeper();
            let mut locked = self.shards.lock_number(number);
            locked.shrink();
            let garbage = locked.unlock(true);
            drop(unforked);
            self.clean(garbage, false);
        }
        self.rest.graveyard.flush();
    }

    /// Removes an entry with this hash that has expired by `now`; whether there was one.
    #[cold]
    #[inline(never)]
    fn expire(&self, hash: u64, now: u64) -> bool {
        let unforked = hold_off_for_sweeper();
        let mut locked = self.shards.lock(hash);
        let gone = locked.expire(hash, self.tti(), now);
        let garbage = locked.unlock(false);
        drop(unforked);
        self.clean(garbage, false);
        gone
    }

    /// Sees to what has been taken out, with no lock held any more.
    #[inline]
    fn clean(&self, garbage: Option<Box<Garbage>>, now: bool) {
        match garbage {
            Some(garbage) if now => self.rest.graveyard.free_now(*garbage),
            Some(garbage) => self.rest.graveyard.take(*garbage),
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
        self.rest.graveyard.flush();
    }

    /// Frees all that has left, as soon as other threads' readers let it.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        loop {
            self.tidy();
            if self.rest.graveyard.held() == 0 {
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
            if let Some(garbage) = locked.unlock(true) {
                self.rest.graveyard.keep(*garbage);
            }
        }
        // SAFETY: whoever reads this store borrows it, and it is ours alone.
        unsafe { self.rest.graveyard.free() };
    }
}

/// How many shards a bound on the number of entries is split into: enough for every core to find one
/// free, as far as there are enough entries.
fn shards(capacity: u64) -> usize {
    // Asking is slow, and there may be thousands of stores.
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let wanted = (cores * 4).next_power_of_two().min(shard::MOST);
    let full = (capacity / SHARE).clamp(1, wanted as u64) as usize;
    // Rounded down to a power of two.
    1 << full.ilog2()
}
