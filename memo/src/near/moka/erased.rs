//! The store on moka without the types of its keys and values, compiled once.

use crate::clock::{FINE, NEVER, coarse, exact, nanos};
use crate::fork::hold_off;
use crate::near::ages::{Age, Ages, Life};
use crate::near::counts::NearCounts;
use crate::near::inside::{AsIs, Inside};
use crate::near::limits::{Bound, Limits, ends};
use crate::sweep::Schedule;
use equivalent::Equivalent;
use moka::Expiry;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use std::any::Any;
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
pub(super) struct Erased {
    cache: Cache<Keyed, Arc<Kept>, AsIs>,
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

/// A key of any type.
pub(super) trait Key: Any + Send + Sync {
    /// Whether it is the same key. Runs code of the user's.
    fn is(&self, other: &dyn Any) -> bool;
}

/// A key in the store.
struct Keyed {
    hash: u64,
    key: Box<dyn Key>,
}

impl Keyed {
    fn any(&self) -> &dyn Any {
        &*self.key
    }
}

impl Hash for Keyed {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Keyed {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // moka compares the very same key in its maintenance and as it iterates: no `Eq` need run for that.
        std::ptr::eq(self, other) || (self.hash == other.hash && self.key.is(other.any()))
    }
}

impl Eq for Keyed {}

/// A value in the store, with what is known about it. It cannot go with the key, as in `memory`: moka
/// keeps the key when a value is replaced.
pub(super) struct Slot<T: ?Sized> {
    times: Times,
    value: T,
}

/// A value of any type.
pub(super) type Kept = Slot<dyn Any + Send + Sync>;

/// What is known about a value.
pub(super) struct Times {
    /// When it is gone, unless it has ages.
    deadline: u64,
    /// How old it is, if it may be served stale or renewed before it ends.
    ages: Option<Ages>,
    /// When it was last read or written; kept only where there is an idle time.
    read: AtomicU64,
    weight: u32,
    /// Whether its lifetime or the idle time is so short that the exact clock is to be asked.
    fine: bool,
    lifetime: u64,
}

impl<T> Slot<T> {
    pub(super) fn new(times: Times, value: T) -> Self {
        Slot { times, value }
    }
}

impl Kept {
    pub(super) fn value(&self) -> &dyn Any {
        &self.value
    }
}

impl Times {
    /// When it is gone, if it is not read again.
    fn ends(&self, tti: u64) -> u64 {
        let gone = self.ages.as_ref().map_or(self.deadline, Ages::gone);
        ends(gone, self.read.load(Relaxed), tti)
    }

    /// How old it is.
    fn age(&self) -> Age {
        let now = self.now();
        self.ages.as_ref().map_or_else(|| Age::ending(now, self.deadline), |ages| ages.at(now))
    }

    /// Whether it is fresh.
    fn is_fresh(&self) -> bool {
        self.ages.as_ref().is_none_or(|ages| ages.is_fresh(self.now()))
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
struct Query<'a> {
    hash: u64,
    is: &'a dyn Fn(&dyn Any) -> bool,
}

impl Hash for Query<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<Keyed> for Query<'_> {
    #[inline]
    fn equivalent(&self, key: &Keyed) -> bool {
        self.hash == key.hash && (self.is)(key.any())
    }
}

/// Finds the entry with just this key, without asking its `Eq`.
struct This<'a>(&'a Keyed);

impl Hash for This<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl Equivalent<Keyed> for This<'_> {
    fn equivalent(&self, key: &Keyed) -> bool {
        std::ptr::eq(self.0, key)
    }
}

/// Tells moka how long an entry lives.
struct Lifetimes;

impl Expiry<Keyed, Arc<Kept>> for Lifetimes {
    fn expire_after_create(&self, _: &Keyed, slot: &Arc<Kept>, _: Instant) -> Option<Duration> {
        let lifetime = slot.times.lifetime;
        (lifetime < LONG).then(|| Duration::from_nanos(lifetime))
    }

    fn expire_after_update(
        &self,
        key: &Keyed,
        slot: &Arc<Kept>,
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

impl Erased {
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
            move |_: Arc<Keyed>, slot: Arc<Kept>, cause: RemovalCause| {
                tally.weight.fetch_sub(slot.times.weight.into(), Relaxed);
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
            builder = builder.weigher(move |_, slot: &Arc<Kept>| {
                bound.counts(slot.times.weight).try_into().unwrap_or(u32::MAX)
            });
        }
        if bound.limit.min(limits.capacity.unwrap_or(NEVER)) < SMALL {
            builder = builder.eviction_policy(EvictionPolicy::lru());
        }
        if tti != 0 && tti < LONG {
            builder = builder.time_to_idle(Duration::from_nanos(tti));
        }
        Erased {
            cache: builder.build_with_hasher(AsIs),
            tti,
            bound,
            slack: (bound.limit / 20).max(1),
            fresh: AtomicU64::new(0),
            schedule: Schedule::new(),
            tally,
        }
    }

    /// What is stored and is fresh. That counts as a use of it.
    pub(super) fn get(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool) -> Option<Arc<Kept>> {
        self.get_any(hash, is).filter(|slot| slot.times.is_fresh())
    }

    /// What is stored and is not gone: how old it is, and whether the caller has the right to renew it. See
    /// [`Near::get_aged`](crate::near::Near::get_aged).
    pub(super) fn get_aged(
        &self,
        hash: u64,
        is: &dyn Fn(&dyn Any) -> bool,
        is_due: &dyn Fn(&Age) -> bool,
    ) -> Option<(Arc<Kept>, Age, bool)> {
        let slot = self.get_any(hash, is)?;
        let age = slot.times.age();
        let claimed = slot.times.ages.as_ref().is_some_and(|ages| is_due(&age) && ages.claim(age.now));
        Some((slot, age, claimed))
    }

    /// What is stored and is not gone, and how old it is.
    pub(super) fn peek_aged(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool) -> Option<(Arc<Kept>, Age)> {
        let slot = self.find(&Query { hash, is }).filter(|slot| slot.times.lives(self.tti))?;
        let age = slot.times.age();
        Some((slot, age))
    }

    /// Calls `with` for the ages of an entry, if it is there and has some.
    pub(super) fn with_ages(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool, with: &mut dyn FnMut(&Ages)) {
        let found = self.find(&Query { hash, is });
        if let Some(ages) = found.as_ref().and_then(|slot| slot.times.ages.as_ref()) {
            with(ages);
        }
    }

    /// Ends the freshness of an entry; whether it was there and fresh. One that cannot be stale is removed.
    pub(super) fn expire_fresh(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool) -> bool {
        // the coarse clock, which is behind, is to agree
        let (now, mut expired) = (coarse(), None);
        self.with_ages(hash, is, &mut |ages| {
            let was_fresh = ages.is_fresh(now);
            ages.expire(now);
            expired = (ages.gone() > now).then_some(was_fresh);
        });
        expired.unwrap_or_else(|| self.remove(hash, is))
    }

    /// What is stored and is not gone. That counts as a use of it.
    fn get_any(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool) -> Option<Arc<Kept>> {
        let query = Query { hash, is };
        let slot = self.find(&query)?;
        let times = &slot.times;
        if times.deadline != NEVER || times.ages.is_some() || self.tti != NEVER {
            let now = times.now();
            if now >= times.ends(self.tti) {
                self.expire(&query);
                return None;
            }
            if self.tti != NEVER && times.read.load(Relaxed) < now {
                times.read.store(now, Relaxed);
            }
        }
        Some(slot)
    }

    /// What is stored and is fresh.
    pub(super) fn peek(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool) -> Option<Arc<Kept>> {
        let found = self.find(&Query { hash, is });
        found.filter(|slot| slot.times.lives(self.tti) && slot.times.is_fresh())
    }

    fn find(&self, query: &Query<'_>) -> Option<Arc<Kept>> {
        let _inside = Inside::begin()?;
        self.cache.get(query)
    }

    /// Stores what `slot` makes of what is known about the value.
    pub(super) fn insert(
        &self,
        hash: u64,
        key: Box<dyn Key>,
        weight: u32,
        life: Life<'_>,
        slot: &mut dyn FnMut(Times) -> Arc<Kept>,
    ) {
        let Some(inside) = Inside::begin() else { return };
        let lifetime = life.lifetime.map_or(NEVER, nanos);
        let shortest = lifetime.min(self.tti);
        let now = if shortest == NEVER && life.beyond.is_none() { 0 } else { exact() };
        let key = Keyed { hash, key };
        if shortest == 0 || !self.bound.admits(weight) {
            self.cache.invalidate(&key);
            drop(inside);
            return;
        }
        let times = Times {
            deadline: now.saturating_add(lifetime),
            ages: life.beyond.map(|beyond| Ages::new(now, lifetime, beyond)),
            read: AtomicU64::new(now),
            weight,
            fine: shortest < FINE,
            lifetime: lifetime.saturating_add(life.beyond.map_or(0, |beyond| beyond.stale)),
        };
        let ends = times.ends(self.tti);
        self.cache.insert(key, slot(times));
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

    pub(super) fn remove(&self, hash: u64, is: &dyn Fn(&dyn Any) -> bool) -> bool {
        let Some(inside) = Inside::begin() else { return false };
        let removed = self.cache.remove(&Query { hash, is });
        drop(inside);
        removed.is_some_and(|slot| slot.times.lives(self.tti))
    }

    pub(super) fn clear(&self) {
        let Some(inside) = Inside::begin() else { return };
        // From now on they are not found; maintenance removes them, some hundred at a time.
        self.cache.invalidate_all();
        self.tidy();
        drop(inside);
    }

    pub(super) fn sweep(&self) {
        let now = exact();
        let Some(inside) = Inside::begin() else { return };
        if !self.schedule.begin(now) {
            return;
        }
        {
            let unfinished = Unfinished(&self.schedule, now);
            let _unforked = hold_off();
            self.tidy();
            // moka has removed what it knows to be expired; its clock may be behind ours.
            for (key, slot) in self.cache.iter() {
                match slot.times.ends(self.tti) {
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

    pub(super) fn counts(&self) -> NearCounts {
        let tally = &self.tally;
        let entries = Inside::begin().map_or(0, |_inside| {
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
    fn expire(&self, query: &Query<'_>) {
        let Some(inside) = Inside::begin() else { return };
        let removed = self.cache.remove(query);
        drop(inside);
        self.count_expired(removed.as_ref());
    }

    fn count_expired(&self, removed: Option<&Arc<Kept>>) {
        if removed.is_some() {
            self.tally.expired.fetch_add(1, Relaxed);
        }
    }
}
