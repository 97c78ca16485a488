//! The near store on the moka crate (cargo feature `moka`): TinyLFU admission, which for some loads
//! keeps the more useful entries, at a higher price per call.
//!
//! It keeps to what the [seam](super) asks, differently from [`memory`](super::memory) in this:
//!
//! * A hit costs some allocations, clock reads and queue operations that moka makes for its bookkeeping.
//! * moka applies its bound a little after an insert. For small stores that little is much, so
//!   maintenance is run after every few inserts ([`slack`](Moka::slack)): a store is over its bound by a
//!   twentieth, and one entry for each thread inserting just then. Below [`SMALL`] entries the policy is
//!   LRU, as there TinyLFU would turn away most of what is new.
//! * A `peek` counts as a use for moka's popularity sketch. It is none for idle times.
//! * The user's `Clone` runs outside of everything: moka is given an `Arc`. So does `Drop`, which is
//!   [put off](DeferredDrop) until moka has returned, except that moka frees what it has replaced by epochs
//!   (crossbeam's), and therefore a little later, perhaps on another thread.
//! * `Eq` runs under no lock in lookups, and in maintenance only for a key that has been stored anew
//!   meanwhile, then under moka's.
//!
//! An entry's lifetime is checked by our [clock](crate::clock) on every read. moka is told of it as well, so
//! that its own maintenance drops what has expired.

use super::counts::NearCounts;
use super::inside::{AsIs, Inside};
use super::limits::{Bound, Limits, ends};
use super::lookup::Lookup;
use super::retired::{DeferredDrop, drop_retired};
use crate::clock::{FINE, NEVER, coarse, exact, nanos};
use crate::sweep::{Schedule, unforked};
use equivalent::Equivalent;
use moka::Expiry;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::hash::{Hash, Hasher};
use std::mem::forget;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Stores of fewer entries than this are LRU.
const SMALL: u64 = 64;
/// moka refuses idle times beyond a thousand years; this is for ever as well.
const LONG: u64 = 100 * 365 * 24 * 3600 * 1_000_000_000;

/// See the [module](self).
pub(crate) struct Moka<K: 'static, V: 'static> {
    cache: Cache<Keyed<K>, Arc<Slot<V>>, AsIs>,
    tti: u64,
    bound: Bound,
    /// How much may be inserted before maintenance is run.
    slack: u64,
    /// How much has been since.
    fresh: AtomicU64,
    schedule: Schedule,
    tally: Arc<Tally>,
}

/// Counts kept by the listener.
#[derive(Default)]
struct Tally {
    weight: AtomicI64,
    evicted: AtomicU64,
    expired: AtomicU64,
}

/// A key in the store.
struct Keyed<K: 'static> {
    hash: u64,
    key: DeferredDrop<K>,
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
        // moka compares the very same key in its maintenance and as it iterates: no `Eq` need run for that.
        std::ptr::eq(self, other) || (self.hash == other.hash && self.key.get() == other.key.get())
    }
}

impl<K: Eq> Eq for Keyed<K> {}

/// A value in the store, with what is known about it. It cannot go with the key, as in `memory`: moka
/// keeps the key when a value is replaced.
struct Slot<V: 'static> {
    deadline: u64,
    /// When it was last read or written; kept only where there is an idle time.
    read: AtomicU64,
    weight: u32,
    /// Whether its lifetime or the idle time is so short that the exact clock is to be asked.
    fine: bool,
    lifetime: u64,
    value: DeferredDrop<V>,
}

impl<V> Slot<V> {
    fn ends(&self, tti: u64) -> u64 {
        ends(self.deadline, self.read.load(Relaxed), tti)
    }

    fn now(&self) -> u64 {
        if self.fine { exact() } else { coarse() }
    }

    fn lives(&self, tti: u64) -> bool {
        let ends = self.ends(tti);
        ends == NEVER || self.now() < ends
    }
}

/// Finds the entry of a key.
struct Query<'a, Q> {
    hash: u64,
    query: &'a Q,
}

impl<Q> Hash for Query<'_, Q> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K, Q: Lookup<K>> Equivalent<Keyed<K>> for Query<'_, Q> {
    #[inline]
    fn equivalent(&self, key: &Keyed<K>) -> bool {
        self.hash == key.hash && self.query.matches(key.key.get())
    }
}

/// Finds the entry with just this key, without asking its `Eq`.
struct This<'a, K: 'static>(&'a Keyed<K>);

impl<K> Hash for This<'_, K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl<K> Equivalent<Keyed<K>> for This<'_, K> {
    fn equivalent(&self, key: &Keyed<K>) -> bool {
        std::ptr::eq(self.0, key)
    }
}

/// Tells moka how long an entry lives.
struct Lifetimes;

impl<K, V> Expiry<Keyed<K>, Arc<Slot<V>>> for Lifetimes {
    fn expire_after_create(&self, _: &Keyed<K>, slot: &Arc<Slot<V>>, _: Instant) -> Option<Duration> {
        (slot.lifetime < LONG).then(|| Duration::from_nanos(slot.lifetime))
    }

    fn expire_after_update(
        &self,
        key: &Keyed<K>,
        slot: &Arc<Slot<V>>,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, slot, at)
    }
}

/// Has a sweep that a panic has ended tried again.
struct Unfinished<'a>(&'a Schedule, u64);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.ends_at(self.1);
    }
}

impl<K, V> Moka<K, V>
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
        let bound = Bound::new(limits, false);
        let tally = Arc::new(Tally::default());
        let listener = {
            let tally = Arc::clone(&tally);
            move |_: Arc<Keyed<K>>, slot: Arc<Slot<V>>, cause: RemovalCause| {
                tally.weight.fetch_sub(slot.weight.into(), Relaxed);
                match cause {
                    RemovalCause::Size => tally.evicted.fetch_add(1, Relaxed),
                    RemovalCause::Expired => tally.expired.fetch_add(1, Relaxed),
                    RemovalCause::Explicit | RemovalCause::Replaced => 0,
                };
            }
        };
        let mut builder = Cache::builder().eviction_listener(listener).expire_after(Lifetimes);
        if bound.limit != NEVER {
            builder = builder.max_capacity(bound.limit);
        }
        if bound.weighs() {
            builder = builder.weigher(move |_, slot: &Arc<Slot<V>>| {
                bound.counts(slot.weight).try_into().unwrap_or(u32::MAX)
            });
        }
        if bound.limit.min(limits.capacity.unwrap_or(NEVER)) < SMALL {
            builder = builder.eviction_policy(EvictionPolicy::lru());
        }
        if tti != 0 && tti < LONG {
            builder = builder.time_to_idle(Duration::from_nanos(tti));
        }
        Moka {
            cache: builder.build_with_hasher(AsIs),
            tti,
            bound,
            slack: (bound.limit / 20).max(1),
            fresh: AtomicU64::new(0),
            schedule: Schedule::new(),
            tally,
        }
    }

    #[inline]
    pub(super) fn get<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Option<V> {
        let query = &query;
        let query = Query { hash, query };
        let slot = self.find(&query)?;
        if slot.deadline != NEVER || self.tti != NEVER {
            let now = slot.now();
            if now >= slot.ends(self.tti) {
                self.expire(&query);
                return None;
            }
            if self.tti != NEVER && slot.read.load(Relaxed) < now {
                slot.read.store(now, Relaxed);
            }
        }
        Some(slot.value.get().clone())
    }

    pub(super) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        let slot = self.find(&Query { hash, query })?;
        slot.lives(self.tti).then(|| slot.value.get().clone())
    }

    #[inline]
    fn find<Q: Lookup<K>>(&self, query: &Query<'_, Q>) -> Option<Arc<Slot<V>>> {
        let _inside = Inside::enter()?;
        self.cache.get(query)
    }

    pub(super) fn insert_from(
        &self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) {
        let Some(value) = value.take() else { return };
        let Some(inside) = Inside::enter() else {
            drop_retired(key);
            drop_retired(value);
            return;
        };
        let lifetime = lifetime.map_or(NEVER, nanos);
        let shortest = lifetime.min(self.tti);
        let now = if shortest == NEVER { 0 } else { exact() };
        // From here on they are dropped quietly, and outside of the store, wherever that happens.
        let key = Keyed { hash, key: DeferredDrop::new(key) };
        let value = DeferredDrop::new(value);
        if shortest == 0 || !self.bound.admits(weight) {
            self.cache.invalidate(&key);
            drop(inside);
            return;
        }
        let slot = Slot {
            deadline: now.saturating_add(lifetime),
            read: AtomicU64::new(now),
            weight,
            fine: shortest < FINE,
            lifetime,
            value,
        };
        let ends = slot.ends(self.tti);
        self.cache.insert(key, Arc::new(slot));
        // Not before: a panic in `Eq` leaves it out.
        self.tally.weight.fetch_add(weight.into(), Relaxed);
        let counts = self.bound.counts(weight);
        if self.fresh.fetch_add(counts, Relaxed).saturating_add(counts) >= self.slack {
            self.fresh.store(0, Relaxed);
            self.cache.run_pending_tasks();
        }
        drop(inside);
        self.schedule.stored(now, ends);
    }

    pub(super) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        let Some(inside) = Inside::enter() else { return false };
        let removed = self.cache.remove(&Query { hash, query });
        drop(inside);
        removed.is_some_and(|slot| slot.lives(self.tti))
    }

    pub(super) fn clear(&self) {
        let Some(inside) = Inside::enter() else { return };
        // From now on they are not found; maintenance removes them, some hundred at a time.
        self.cache.invalidate_all();
        self.tidy();
        drop(inside);
    }

    pub(super) fn sweep(&self) {
        let now = exact();
        let Some(inside) = Inside::enter() else { return };
        if !self.schedule.begin(now) {
            return;
        }
        {
            let unfinished = Unfinished(&self.schedule, now);
            let _unforked = unforked();
            self.tidy();
            // moka has removed what it knows to be expired; its clock may be behind ours.
            for (key, slot) in self.cache.iter() {
                match slot.ends(self.tti) {
                    ends if ends <= now => self.count_expired(self.cache.remove(&This(&key)).as_ref()),
                    ends => self.schedule.ends_at(ends),
                }
            }
            self.tidy();
            forget(unfinished);
        }
        drop(inside);
    }

    pub(super) fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// moka's bounds are those that it was built with.
    #[cfg(feature = "config")]
    pub(super) fn resize(&self, _: &Limits) -> bool {
        false
    }

    pub(super) fn counts(&self) -> NearCounts {
        let tally = &self.tally;
        let entries = Inside::enter().map_or(0, |_inside| {
            self.cache.run_pending_tasks();
            self.cache.entry_count()
        });
        let weight = match self.bound.weighs() {
            true => tally.weight.load(Relaxed).max(0) as u64,
            false => entries,
        };
        NearCounts {
            entries,
            weight,
            evicted: tally.evicted.load(Relaxed),
            expired: tally.expired.load(Relaxed),
            recomputed: 0,
        }
    }

    /// Runs maintenance until it has nothing more to do, but not for ever against those who insert.
    fn tidy(&self) {
        let mut left = u64::MAX;
        loop {
            self.cache.run_pending_tasks();
            let entries = self.cache.entry_count();
            if entries >= left {
                return;
            }
            left = entries;
        }
    }

    /// Removes an entry that a lookup has found expired. Should it have been replaced meanwhile, the new
    /// one goes instead, which is no harm.
    #[cold]
    #[inline(never)]
    fn expire<Q: Lookup<K>>(&self, query: &Query<'_, Q>) {
        let Some(inside) = Inside::enter() else { return };
        let removed = self.cache.remove(query);
        drop(inside);
        self.count_expired(removed.as_ref());
    }

    fn count_expired(&self, removed: Option<&Arc<Slot<V>>>) {
        if removed.is_some() {
            self.tally.expired.fetch_add(1, Relaxed);
        }
    }
}
