//! The built-in near store, on quick_cache: sharded, with CLOCK-Pro eviction, which a scan over keys that
//! are never asked for again does not empty of those that are.
//!
//! # Entries
//!
//! All that is known of an entry (hash, deadline, last read, weight) is stored beside its *key*. The
//! comparison made by a lookup therefore sees it, and an expired entry is simply not equal to what is
//! looked for: it is a miss before anything of it is cloned. Replacing an entry replaces its key, and all
//! that with it. The value is stored bare, so a hit is a probe and the value's own clone.
//!
//! # Bounds
//!
//! quick_cache bounds each shard for itself, exactly, under the shard's lock; so the sum is exact as well.
//! What is left to see to here:
//!
//! * A capacity is split evenly, rounded down: no more entries than it says, ever. The price of shards
//!   is that one may be full while others are not. It is kept small by giving each at least
//!   [`SHARE`] entries; a capacity below twice that has one shard, and holds as many entries as it says.
//! * With a bound on weight there is one shard, since an entry must fit into its shard, and one that is
//!   within the bound is to be stored. quick_cache keeps a little of each shard for newcomers, and refuses
//!   entries that would not fit without it; so the shard is 1 % larger than the bound (not where
//!   the bound is below 100). Their readers share one lock word: where many cores read a weighted store
//!   at once, `moka` may serve better.
//! * The ring of recently evicted hashes by which quick_cache recognises returning keys is off for
//!   small stores: a returning key could, when all others are in use, be evicted by its own insert.
//!
//! Nothing is allocated ahead.
//!
//! # User code under quick_cache's locks
//!
//! * `Eq` runs under a shard's read lock in lookups, and its write lock in inserts and removals (before
//!   anything is changed there). Only keys with equal 64-bit hashes are compared.
//! * `Clone` of the value runs under the read lock in lookups. While a clone takes long, inserts of other
//!   keys in that shard wait: return `Arc<T>` for what is dear to clone, as the public documentation says.
//! * `Drop` runs under neither, with one exception: if `Eq` panics in an insert, key and value being
//!   inserted are dropped as the panic passes.
//!
//! A call that any of these makes to a memoized function finds the near plane closed
//! ([`Inside`]) and computes.
//!
//! A sweep holds each shard's write lock while it looks through it: some 30 ns an entry, only when
//! an entry must have expired, and not more often than the [schedule](crate::sweep) says.

use super::{AsIs, Bound, Inside, Limits, Lookup, NearCounts, bury, ends, runs_user_code};
use crate::clock::{FINE, NEVER, coarse, exact, nanos};
use crate::stats::{Counter, Counters};
use crate::sweep::{Schedule, unforked};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::mem::{needs_drop, take};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A shard holds at least this many entries.
const SHARE: u64 = 256;

/// See the [module](self).
pub(crate) struct Memory<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    cache: Cache<Keyed<K>, V, Weigh, AsIs, Leaving<K, V>>,
    /// How long an entry stays without being read, [`NEVER`] being for ever. It changes only by `resize`.
    tti: AtomicU64,
    bound: Bound,
    schedule: Schedule,
    /// The weight of all entries, kept only where there is a bound on it. It is counted after the fact,
    /// so another thread may subtract an entry before it has been added.
    weight: AtomicI64,
    /// Counts evictions: at capacity each insert has one, and one number for all threads would be what they wait for.
    counters: Counters,
    expired: AtomicU64,
}

/// A key in the store, with what is known about its entry.
struct Keyed<K> {
    hash: u64,
    /// When the entry's lifetime is over.
    deadline: u64,
    /// When it was last read or written; kept only where there is an idle time.
    read: AtomicU64,
    weight: u32,
    /// Whether its lifetime or the idle time is so short that the exact clock is to be asked.
    fine: bool,
    key: K,
}

impl<K> Keyed<K> {
    /// When it is over, if it is not read again.
    #[inline]
    fn ends(&self, tti: u64) -> u64 {
        ends(self.deadline, self.read.load(Relaxed), tti)
    }

    /// The time by the clock that goes with it.
    #[inline]
    fn now(&self) -> u64 {
        now(self.fine)
    }

    /// Whether it is not over yet. Reads no clock when it never will be.
    #[inline]
    fn lives(&self, tti: u64) -> bool {
        let ends = self.ends(tti);
        ends == NEVER || self.now() < ends
    }
}

/// The time by the clock that goes with a lifetime.
#[inline]
fn now(fine: bool) -> u64 {
    if fine { exact() } else { coarse() }
}

impl<K> Hash for Keyed<K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K: Eq> PartialEq for Keyed<K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.key == other.key
    }
}

impl<K: Eq> Eq for Keyed<K> {}

/// Finds the entry of a key if it has not expired. `USES`: finding it is a use.
///
/// By value, and with as little in it as can be: it is what the hit path hands over in memory.
struct Live<Q, const USES: bool> {
    hash: u64,
    query: Q,
    tti: u64,
}

impl<Q, const USES: bool> Live<Q, USES> {
    /// Of the entry that has been found.
    #[inline(always)]
    fn check<K>(&self, key: &Keyed<K>) -> bool {
        let sure = self.tti == NEVER && (key.deadline == NEVER || (!key.fine && coarse() < key.deadline));
        sure || check_in_full(key.deadline, &key.read, key.fine, self.tti, USES)
    }
}

/// Whether an entry has not expired; if `uses`, and it has an idle time, that starts anew. Out of line, since it would
/// cost the usual hit its registers.
#[cold]
#[inline(never)]
fn check_in_full(deadline: u64, last_read: &AtomicU64, fine: bool, tti: u64, uses: bool) -> bool {
    let now = now(fine);
    let read = last_read.load(Relaxed);
    let lives = now < ends(deadline, read, tti);
    // By the coarse clock a written line of memory per tick, not per hit.
    if lives && uses && tti != NEVER && read < now {
        last_read.store(now, Relaxed);
    }
    lives
}

impl<Q, const USES: bool> Hash for Live<Q, USES> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K, Q: Lookup<K>, const USES: bool> Equivalent<Keyed<K>> for Live<Q, USES> {
    #[inline]
    fn equivalent(&self, key: &Keyed<K>) -> bool {
        self.hash == key.hash && self.query.matches(&key.key) && self.check(key)
    }
}

/// Finds the entry of a key, expired or not.
struct Any<'a, Q> {
    hash: u64,
    query: &'a Q,
}

impl<Q> Hash for Any<'_, Q> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K, Q: Lookup<K>> Equivalent<Keyed<K>> for Any<'_, Q> {
    fn equivalent(&self, key: &Keyed<K>) -> bool {
        self.hash == key.hash && self.query.matches(&key.key)
    }
}

/// Finds an entry with this hash that has expired by `now`, whatever its key: it may go, and no `Eq` need
/// run.
struct Expired {
    hash: u64,
    tti: u64,
    now: u64,
}

impl Hash for Expired {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K> Equivalent<Keyed<K>> for Expired {
    fn equivalent(&self, key: &Keyed<K>) -> bool {
        self.hash == key.hash && key.ends(self.tti) <= self.now
    }
}

/// What an entry counts, as found out before it came here.
#[derive(Clone)]
struct Weigh(Bound);

impl<K, V> Weighter<Keyed<K>, V> for Weigh {
    #[inline]
    fn weight(&self, key: &Keyed<K>, _: &V) -> u64 {
        self.0.counts(key.weight)
    }
}

/// Collects what an insert drives out, to be dropped when the lock is released.
struct Leaving<K: 'static, V: 'static>(PhantomData<fn() -> (K, V)>);

impl<K: 'static, V: 'static> Clone for Leaving<K, V> {
    fn clone(&self) -> Self {
        Leaving(PhantomData)
    }
}

/// See [`Leaving`].
struct Left<K: 'static, V: 'static> {
    /// Nearly always one makes room for one, or none has to.
    first: Option<(Keyed<K>, V)>,
    more: Vec<(Keyed<K>, V)>,
    /// The weight of them all.
    weight: u64,
    /// How many were evicted, rather than replaced.
    evicted: u64,
}

impl<K: 'static, V: 'static> Default for Left<K, V> {
    #[inline]
    fn default() -> Self {
        Left { first: None, more: Vec::new(), weight: 0, evicted: 0 }
    }
}

impl<K: 'static, V: 'static> Drop for Left<K, V> {
    #[inline]
    fn drop(&mut self) {
        for (key, value) in self.first.take().into_iter().chain(take(&mut self.more)) {
            bury(key.key);
            bury(value);
        }
    }
}

impl<K: 'static, V: 'static> Lifecycle<Keyed<K>, V> for Leaving<K, V> {
    type RequestState = Left<K, V>;

    #[inline]
    fn before_evict(&self, left: &mut Left<K, V>, _: &Keyed<K>, _: &mut V) {
        // Not called for what is replaced.
        left.evicted += 1;
    }

    #[inline]
    fn on_evict(&self, left: &mut Left<K, V>, key: Keyed<K>, value: V) {
        left.weight += u64::from(key.weight);
        if needs_drop::<(K, V)>() {
            match left.first {
                None => left.first = Some((key, value)),
                Some(_) => left.more.push((key, value)),
            }
        }
    }
}

impl<K, V> Memory<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(limits: &Limits) -> Self {
        let tti = limits.tti.map_or(NEVER, nanos);
        if limits.lifetimes || tti != NEVER {
            // Sets the clock going, so that its beginning is not somewhere in the middle.
            exact();
        }
        let bound = Bound::new(limits, true);
        let mut options = OptionsBuilder::new();
        // How many entries there will be is known, or anybody's guess, or unlimited; it only sizes the
        // ring of the recently evicted, and is looked at for the number of shards.
        let entries = if bound.weighs() {
            let (capacity, hot) = match bound.limit {
                limit @ ..100 => (limit, 1.0),
                // What is reserved for newcomers (1 %, rounded down) comes on top of the bound.
                limit => (limit.saturating_add(limit / 98).saturating_add(1), 0.99),
            };
            options.shards(1).weight_capacity(capacity).hot_allocation(hot);
            limits.capacity.unwrap_or(10_000).min(bound.limit)
        } else {
            let shards = shards(bound.limit) as u64;
            options.shards(shards as usize);
            let capacity = in_shares(bound.limit, shards);
            options.weight_capacity(capacity);
            capacity
        };
        options.estimated_items_capacity(usize::try_from(entries).unwrap_or(usize::MAX));
        if entries < 64 || entries == NEVER {
            options.ghost_allocation(0.0);
        }
        let options = options.build().expect("every option that has to be set is");
        Memory {
            cache: Cache::with_options(options, Weigh(bound), AsIs, Leaving(PhantomData)),
            tti: AtomicU64::new(tti),
            bound,
            schedule: Schedule::new(),
            weight: AtomicI64::new(0),
            counters: Counters::new(),
            expired: AtomicU64::new(0),
        }
    }

    #[inline(always)]
    pub(super) fn get<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Option<V> {
        let inside = match runs_user_code::<K>() || runs_user_code::<V>() {
            true => Some(Inside::enter()?),
            false => None,
        };
        let found = self.cache.get(&Live::<Q, true> { hash, query, tti: self.tti() });
        drop(inside);
        if found.is_none() {
            self.missed(hash);
        }
        found
    }

    /// A miss takes what has expired with it, so that a value is not kept longer for having been asked for.
    #[cold]
    fn missed(&self, hash: u64) {
        if self.schedule.may_have_expired() {
            self.expire(hash);
        }
    }

    pub(super) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        let _inside = Inside::enter()?;
        self.cache.peek(&Live::<&Q, false> { hash, query, tti: self.tti() })
    }

    pub(super) fn insert(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) {
        let Some(inside) = Inside::enter() else {
            bury(key);
            bury(value);
            return;
        };
        let lifetime = lifetime.map_or(NEVER, nanos);
        let tti = self.tti();
        let shortest = lifetime.min(tti);
        let now = if shortest == NEVER { 0 } else { exact() };
        let key = Keyed {
            hash,
            deadline: now.saturating_add(lifetime),
            read: AtomicU64::new(now),
            weight,
            fine: shortest < FINE,
            key,
        };
        if shortest == 0 || !self.bound.admits(weight) {
            let superseded = self.cache.remove(&key);
            drop(inside);
            self.left(superseded);
            bury(key.key);
            bury(value);
            return;
        }
        let ends = key.ends(tti);
        let mut left = Left::default();
        self.cache.insert_with_lifecycle(key, value, &mut left);
        drop(inside);
        if self.bound.weighs() {
            // A weight is 32 bits, and their sum is bounded.
            self.weight.fetch_add(i64::from(weight) - left.weight as i64, Relaxed);
        }
        if left.evicted != 0 {
            self.counters.add(Counter::Evicted, left.evicted);
        }
        self.schedule.stored(now, ends);
    }

    pub(super) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        let Some(inside) = Inside::enter() else { return false };
        let removed = self.cache.remove(&Any { hash, query });
        drop(inside);
        let lived = removed.as_ref().is_some_and(|(key, _)| key.lives(self.tti()));
        self.left(removed);
        lived
    }

    pub(super) fn clear(&self) {
        if Inside::is_here() {
            return;
        }
        // It locks for each entry anew, and the entry is ours when it comes out.
        for entry in self.cache.drain() {
            self.left(Some(entry));
        }
    }

    pub(super) fn sweep(&self) {
        let (now, tti) = (exact(), self.tti());
        if Inside::is_here() || !self.schedule.begin(now) {
            return;
        }
        let expired = RefCell::new(Vec::new());
        {
            let _unforked = unforked();
            // Only to look: what it would remove, it would drop under the lock. No user code runs.
            self.cache.retain(|key, _| {
                match key.ends(tti) {
                    ends if ends <= now => expired.borrow_mut().push(key.hash),
                    ends => self.schedule.ends_at(ends),
                }
                true
            });
        }
        for hash in expired.into_inner() {
            let unforked = unforked();
            let gone = self.take_expired(hash, now);
            drop(unforked);
            if gone.is_some() {
                self.expired.fetch_add(1, Relaxed);
                self.left(gone);
            } else if tti != NEVER {
                // It may have been read meanwhile, and then ends later.
                self.schedule.ends_at(now);
            }
        }
    }

    /// A bound on the number of entries can be moved; one on weight is what the entries have been counted by.
    #[cfg(feature = "config")]
    pub(super) fn resize(&self, limits: &Limits) -> bool {
        let bound = Bound::new(limits, true);
        let shards = self.cache.num_shards() as u64;
        // The shards stay as many as they are, and none can be left without room.
        if Inside::is_here()
            || bound.weighs()
            || self.bound.weighs()
            || bound.limit < shards
            || self.bound.limit == 0
        {
            return false;
        }
        if self.cache.capacity() != in_shares(bound.limit, shards) {
            let before = self.cache.len() as u64;
            self.cache.set_capacity(in_shares(bound.limit, shards));
            self.counters.add(Counter::Evicted, before.saturating_sub(self.cache.len() as u64));
        }
        let tti = limits.tti.map_or(NEVER, nanos);
        if self.tti.swap(tti, Relaxed) != tti {
            // When they were read has not been kept, or the sweeper goes by another end of theirs.
            self.clear();
        }
        true
    }

    /// See [`Memory::tti`].
    #[inline(always)]
    fn tti(&self) -> u64 {
        self.tti.load(Relaxed)
    }

    pub(super) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(super) fn counts(&self) -> NearCounts {
        // From inside, its locks are not to be waited for.
        let entries = if Inside::is_here() { 0 } else { self.cache.len() as u64 };
        let weight = match self.bound.weighs() {
            true => self.weight.load(Relaxed).max(0) as u64,
            false => entries,
        };
        NearCounts {
            entries,
            weight,
            evicted: self.counters.total(Counter::Evicted),
            expired: self.expired.load(Relaxed),
        }
    }

    /// Removes an entry with this hash that a lookup has found expired.
    #[cold]
    #[inline(never)]
    fn expire(&self, hash: u64) {
        let gone = self.take_expired(hash, exact());
        if gone.is_some() {
            self.expired.fetch_add(1, Relaxed);
            self.left(gone);
        }
    }

    /// Takes out an entry with this hash that has expired by `now`. No user code runs.
    fn take_expired(&self, hash: u64, now: u64) -> Option<(Keyed<K>, V)> {
        self.cache.remove_if(&Expired { hash, tti: self.tti(), now }, |_| true)
    }

    /// Sees to an entry that has been taken out, with no lock held any more.
    fn left(&self, entry: Option<(Keyed<K>, V)>) {
        if let Some((key, value)) = entry {
            if self.bound.weighs() {
                self.weight.fetch_sub(key.weight.into(), Relaxed);
            }
            bury(key.key);
            bury(value);
        }
    }
}

impl<K, V> Drop for Memory<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        // A store may go while a guard unwinds: what panics in here must not end the process.
        if needs_drop::<(K, V)>() {
            self.clear();
        }
    }
}

/// A bound on the number of entries, rounded down to equal shares, as quick_cache rounds the share of a shard up.
fn in_shares(limit: u64, shards: u64) -> u64 {
    if limit == NEVER { NEVER } else { limit - limit % shards }
}

/// How many shards a bound on the number of entries is split into: enough for every core to find one
/// free, as far as there are enough entries.
fn shards(capacity: u64) -> usize {
    // Asking is slow, and there may be thousands of stores.
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let wanted = (cores * 4).next_power_of_two();
    let full = (capacity / SHARE).clamp(1, wanted as u64) as usize;
    // Rounded down to a power of two.
    1 << full.ilog2()
}
