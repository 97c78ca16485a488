//! The built-in near store: a hit takes no lock, does no read-modify-write, and writes nothing that another thread
//! reads.
//!
//! # How it is made
//!
//! * [`index`]: groups of one cache line with the tags and addresses of seven entries each; an entry is a box of its own.
//! * [`readers`]: how readers keep what they look at from being freed, without telling anybody.
//! * [`garbage`]: what has left, until no reader can see it any more.
//! * [`shard`]: what writers need and readers do not, under a lock per shard: the queues, and what leaves.
//!
//! * [`queue`], [`ghosts`], [`portion`]: what that goes by.
//!
//! All unsafe code is in the first five. Here is the rest: lifetimes, bounds, and the user's code.
//!
//! # The user's code
//!
//! `Eq` and `Clone` run while this thread [reads](readers::reading) and under no lock; they may do whatever they like,
//! come back to this store too. While they take their time, what leaves the store is not freed: at worst (see
//! [`has_room`](garbage::Graveyard::has_room)) as much again as the store may hold, and then inserts are refused until they
//! are done. `Drop` runs under no lock either, [caught](drop_retired).
//!
//! A key is compared with its like outside of the lock, and what was found is looked for again under it, by address:
//! nearly always it is still there, or there was none with that hash.
//!
//! # Bounds
//!
//! Each shard is bounded for itself, exactly, under its lock; so the sum is exact as well. A capacity is split evenly,
//! rounded down. The price is that one shard may be full while others are not; it is kept small by giving each at
//! least [`SHARE`] entries. With a bound on weight there is one shard, since an entry must fit into its shard, and one
//! within the bound is to be stored; readers do not mind.
//!
//! What has left is freed some time later, in batches: of a bounded store at most an eighth of its capacity (or a few
//! entries, where that is less) waits for it, as long as no reader takes its time. What is removed or
//! replaced, if it has anything to drop, is freed at once unless a reader is at work for longer than a moment.
//!
//! # Expiry
//!
//! An entry found expired is a miss, and removed. The others are found by a [sweep](crate::sweep): it reads as any
//! reader does, and locks a shard only for each entry that it removes.

use super::counts::NearCounts;
use super::limits::{Bound, Limits, ends};
use super::lookup::{Fast, Lookup};
use super::retired::drop_retired;
use crate::clock::{FINE, NEVER, coarse, exact, nanos, tick};
use crate::sweep::{Keep, Schedule, unforked_sweeper};
use garbage::{Garbage, Graveyard, Rules};
use index::{COARSE, FOREVER, Found, MARKS, New, UNTIMED, USES, word};
pub(super) use readers::is_reading;
use readers::{Read, Reading, reading, reading_as, usually_reading_as};
use shard::{Shards, Share};
use std::mem::needs_drop;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

#[cfg(feature = "config")]
use {
    crate::sync::{Mutex, lock},
    shard::Locked,
};

mod garbage;
mod ghosts;
mod index;
mod portion;
mod queue;
mod readers;
mod returns;
mod shard;
#[cfg(all(test, memo_shuttle))]
mod shuttle_models;
mod slabs;
#[cfg(all(test, not(memo_shuttle)))]
mod tests;

/// A shard holds at least this many entries.
const SHARE: u64 = 256;

/// See the [module](self).
pub(crate) struct Memory<K: 'static, V: 'static> {
    shards: Shards<K, V>,
    /// How long an entry stays without being read, [`NEVER`] being for ever.
    tti: AtomicU64,
    rest: Written<K, V>,
}

/// What is written now and then: away from what hits read.
#[repr(align(128))]
struct Written<K: 'static, V: 'static> {
    schedule: Schedule,
    /// Whether a shard has found that it thrashes, and nobody has asked since.
    thrashes: AtomicBool,
    graveyard: Graveyard<K, V>,
    /// Held while the limits are changed.
    #[cfg(feature = "config")]
    changing: Mutex<()>,
}

/// What an insert leaves to be cleaned, and whether at once.
type Placed<K, V> = (Option<Box<Garbage<K, V>>>, bool);

/// Why an entry is not put in.
enum Not {
    /// The store is not to hold such.
    Admitted,
    /// It is off.
    Wanted,
}

/// Finds an owned key by another.
struct Same<'a, K>(&'a K);

impl<K: Eq> Lookup<K> for Same<'_, K> {
    #[inline]
    fn matches(&self, key: &K) -> bool {
        *self.0 == *key
    }
}

/// A lookup. `uses`: that is a use of what it finds.
struct Look<'a, K: 'static, V: 'static, Q> {
    store: &'a Memory<K, V>,
    hash: u64,
    query: &'a Q,
    uses: bool,
    /// Where the clone goes.
    into: &'a mut Option<V>,
}

impl<K, V: Clone, Q: Lookup<K>> Read for Look<'_, K, V, Q> {
    type Out = ();

    fn read(self, reading: &Reading) {
        let index = self.store.shards.index(self.hash);
        let found = index.find(reading, self.hash, |found| self.query.matches(&found.key));
        if let Some(found) = found
            && is_alive(&found, self.store.tti.load(Relaxed), self.uses)
        {
            *self.into = Some(found.value.clone());
        }
    }
}

/// The lookup of a hit as it nearly always is: the entry stands where it belongs, has been used before, and is not
/// near its end. It calls nothing but the user's code, and leaves all else to [`Look`].
struct QuickLook<'a, K: 'static, V: 'static, Q> {
    store: &'a Memory<K, V>,
    hash: u64,
    query: &'a Q,
}

impl<K, V, Q: Lookup<K>> QuickLook<'_, K, V, Q> {
    #[inline(always)]
    fn is(&self, found: &Found<'_, K, V>) -> bool {
        (Q::IS_CHEAP || found.hash == self.hash) && self.query.matches(&found.key)
    }
}

impl<K, V: Clone, Q: Lookup<K>> Read for QuickLook<'_, K, V, Q> {
    type Out = Fast<V>;

    #[inline(always)]
    fn read(self, reading: &Reading) -> Fast<V> {
        let index = self.store.shards.index(self.hash);
        match index.find_near(reading, self.hash) {
            Ok(found) if self.is(&found) && is_usual(found.word.load(Relaxed)) => {
                Fast::Hit(found.value.clone())
            }
            Err(false) => Fast::Miss,
            _ => Fast::Slow,
        }
    }
}

/// In a word: no time is to be kept but by the coarse clock.
const PLAIN: u64 = COARSE | UNTIMED;

/// Whether an entry has not expired, and there is nothing to be noted about its use.
#[inline(always)]
fn is_usual(word: u64) -> bool {
    const { assert!(PLAIN | USES == MARKS) };
    // All bits are set where there is no lifetime, all marks where one goes by the coarse clock: the next number has none
    // of them, which takes fewer instructions to find. That it is one more is a nanosecond.
    let next = word.wrapping_add(1);
    next == 0 || (next & MARKS == 0 && tick() < next)
}

/// Whether an entry has not expired; if `uses`, finding it is a use, which is counted.
#[inline]
fn is_alive<K, V>(found: &Found<'_, K, V>, tti: u64, uses: bool) -> bool {
    let word = found.word.load(Relaxed);
    if word & PLAIN != PLAIN {
        return is_alive_in_full(found, word, tti, uses);
    }
    let alive = word >= FOREVER || coarse() < word;
    if alive && uses && word & USES != USES {
        found.word.store(word + 1, Relaxed);
    }
    alive
}

/// The same for what needs the exact clock, or has an idle time: that starts anew.
fn is_alive_in_full<K, V>(found: &Found<'_, K, V>, word: u64, tti: u64, uses: bool) -> bool {
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

impl<K, V> Memory<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Whether what somebody has removed or replaced is to be freed at once: whoever says that something is not to be used
    /// any more may wait for it to be dropped.
    const AT_ONCE: bool = needs_drop::<V>();

    pub(super) fn new(limits: &Limits) -> Self {
        let bound = Bound::new(limits, true);
        let shards = if bound.weighs() { 1 } else { shards(bound.limit) };
        let (share, rules) = Self::terms(limits, shards);
        Memory {
            shards: Shards::new(shards, share),
            tti: AtomicU64::new(limits.tti.map_or(NEVER, nanos)),
            rest: Written {
                schedule: Schedule::new(),
                thrashes: AtomicBool::new(false),
                graveyard: Graveyard::new(rules),
                #[cfg(feature = "config")]
                changing: Mutex::new(()),
            },
        }
    }

    /// What these limits mean for each of so many shards, and for what has left.
    fn terms(limits: &Limits, shards: usize) -> (Share, Rules) {
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
        let few = if needs_drop::<(K, V)>() { 8 } else { 64 };
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
        let (share, rules) = Self::terms(limits, shards);
        if !share.is_fair(shards) {
            return false;
        }
        let changing = lock(&self.rest.changing);
        self.tti.store(limits.tti.map_or(NEVER, nanos), Relaxed);
        self.rest.graveyard.adopt(rules);
        let adopt = |mut locked: Locked<'_, K, V>| {
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

    #[inline(always)]
    pub(super) fn get_fast<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Fast<V> {
        usually_reading_as(QuickLook { store: self, hash, query }).unwrap_or(Fast::Slow)
    }

    #[inline(always)]
    pub(super) fn get<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Option<V> {
        match self.get_fast(hash, &query) {
            Fast::Hit(value) => Some(value),
            Fast::Miss => {
                self.missed(hash);
                None
            }
            Fast::Slow => {
                let mut value = None;
                self.get_in_full(hash, query, &mut value);
                value
            }
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn get_in_full<Q: Lookup<K>>(&self, hash: u64, query: Q, into: &mut Option<V>) {
        self.look(hash, &query, true, into);
        if into.is_none() {
            self.missed(hash);
        }
    }

    pub(super) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        let mut value = None;
        self.look(hash, query, false, &mut value);
        value
    }

    fn look<Q: Lookup<K>>(&self, hash: u64, query: &Q, uses: bool, into: &mut Option<V>) {
        reading_as(Look { store: self, hash, query, uses, into });
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

    /// Stores a value by itself.
    #[cfg(test)]
    pub(super) fn insert(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) {
        self.insert_from(hash, key, &mut Some(value), weight, lifetime);
    }

    pub(super) fn insert_from(
        &self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) {
        self.insert_unless(|| false, hash, key, value, weight, lifetime);
    }

    /// As [`insert_from`](Self::insert_from), unless `is_off` when the entry is about to be put in, under the lock that a
    /// removal takes as well. Whether it was not.
    #[inline]
    pub(super) fn insert_unless(
        &self,
        is_off: impl Fn() -> bool,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) -> bool {
        let lifetime = lifetime.map_or(NEVER, nanos);
        let tti = self.tti();
        let shortest = lifetime.min(tti);
        if shortest == 0 || !self.rest.graveyard.has_room() {
            self.refuse(hash, key, value);
            return true;
        }
        let now = if shortest == NEVER { 0 } else { exact() };
        let deadline = now.saturating_add(lifetime);
        let word = word(deadline, shortest >= FINE, tti != NEVER);
        match self.place(&is_off, New { hash, key, value, weight, word, read: now, tti }) {
            Ok((garbage, at_once)) => self.clean(garbage, at_once),
            Err((New { key, value, .. }, Not::Admitted)) => {
                self.refuse(hash, key, value);
                return true;
            }
            Err((New { key, value, .. }, Not::Wanted)) => {
                drop_retired(key);
                drop_retired(value.take());
                return false;
            }
        }
        self.rest.schedule.stored(now, ends(deadline, now, tti));
        true
    }

    /// Not stored; but what it would have taken the place of, has been superseded all the same.
    #[cold]
    #[inline(never)]
    fn refuse(&self, hash: u64, key: K, value: &mut Option<V>) {
        self.remove(hash, &Same(&key));
        drop_retired(key);
        drop_retired(value.take());
    }

    /// Puts a node in, in place of what was there. What is to be cleaned, and whether at once; the node, if it is not
    /// let in.
    #[inline]
    fn place<'v>(
        &self,
        is_off: &impl Fn() -> bool,
        new: New<'v, K, V>,
    ) -> Result<Placed<K, V>, (New<'v, K, V>, Not)> {
        let mut locked = self.shards.lock(new.hash);
        if !locked.admits(&new) {
            return Err((new, Not::Admitted));
        }
        locked.fetch_spares(&self.rest.graveyard);
        if locked.has(new.hash) {
            drop(locked);
            return self.place_among(is_off, new);
        }
        if is_off() {
            return Err((new, Not::Wanted));
        }
        let thrashes = locked.insert(new);
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

    /// See [`Near::thrashes`](super::Near::thrashes).
    #[inline]
    pub(super) fn thrashes(&self) -> bool {
        self.rest.thrashes.load(Relaxed) && self.rest.thrashes.swap(false, Relaxed)
    }

    /// The same where an entry has the hash of the new one, and perhaps its key.
    #[cold]
    #[inline(never)]
    fn place_among<'v>(
        &self,
        is_off: &impl Fn() -> bool,
        mut new: New<'v, K, V>,
    ) -> Result<Placed<K, V>, (New<'v, K, V>, Not)> {
        let hash = new.hash;
        reading(|reading| {
            // Entries with this hash and another key. While this reads, none of them can be taken for another.
            let mut others = Vec::new();
            loop {
                let mut locked = self.shards.lock(hash);
                if !locked.admits(&new) {
                    return Err((new, Not::Admitted));
                }
                locked.fetch_spares(&self.rest.graveyard);
                let Some(found) = locked.find(reading, hash, |found| !others.contains(&found.entry())) else {
                    if is_off() {
                        return Err((new, Not::Wanted));
                    }
                    let thrashes = locked.insert(new);
                    self.note(thrashes);
                    return Ok((locked.unlock(false), false));
                };
                drop(locked);
                if found.key != new.key {
                    others.push(found.entry());
                    continue;
                }
                let mut locked = self.shards.lock(hash);
                if !locked.admits(&new) {
                    return Err((new, Not::Admitted));
                }
                if is_off() {
                    return Err((new, Not::Wanted));
                }
                match locked.replace(found.entry(), new) {
                    Ok(()) => return Ok((locked.unlock(Self::AT_ONCE), Self::AT_ONCE)),
                    // It has left meanwhile.
                    Err(back) => new = back,
                }
            }
        })
    }

    pub(super) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        let (lived, garbage) = reading(|reading| {
            loop {
                let index = self.shards.index(hash);
                let Some(found) = index.find(reading, hash, |found| query.matches(&found.key)) else {
                    return (false, None);
                };
                let mut locked = self.shards.lock(hash);
                if locked.remove(hash, found.entry()) {
                    return (self.lives(&found), locked.unlock(Self::AT_ONCE));
                }
            }
        });
        self.clean(garbage, Self::AT_ONCE);
        lived
    }

    fn lives(&self, found: &Found<'_, K, V>) -> bool {
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
                let unforked = unforked_sweeper();
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
            let unforked = unforked_sweeper();
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
        let unforked = unforked_sweeper();
        let mut locked = self.shards.lock(hash);
        let gone = locked.expire(hash, self.tti(), now);
        let garbage = locked.unlock(false);
        drop(unforked);
        self.clean(garbage, false);
        gone
    }

    /// Sees to what has been taken out, with no lock held any more.
    #[inline]
    fn clean(&self, garbage: Option<Box<Garbage<K, V>>>, now: bool) {
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
    fn tidy(&self) {
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

impl<K, V> Drop for Memory<K, V> {
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
