//! The built-in near store: a hit takes no lock, does no read-modify-write, and writes nothing that another thread
//! reads.
//!
//! # How it is made
//!
//! * [`index`], [`table`], [`group`]: groups of one cache line with the tags and addresses of seven entries each.
//! * [`entry`], [`kind`], [`alive`]: what an entry is, how its key and its value are found behind it, and how long.
//! * [`slabs`], [`form`]: memory for entries.
//! * [`readers`]: how readers keep what they look at from being freed, without telling anybody.
//! * [`retired`](mod@retired), [`batch`]: what has left, until no reader can see it any more.
//! * [`shards`], [`locked`], [`share`]: what writers need and readers do not, under a lock per shard.
//! * [`shard`], [`queue`], [`ghosts`], [`portion`], [`returns`]: what leaves a full shard, and what that goes by.
//! * [`erased`]: lookups, inserts and removals put together of these.
//!
//! None of these knows the types of keys and values, so they are compiled once and not for each memoized function. Here is the
//! rest, which does know them: the fast path of a lookup, and shims that hand keys and values to [`erased`].
//!
//! # The user's code
//!
//! `Eq` and `Clone` run while this thread [reads](readers::reading) and under no lock; they may do whatever they like,
//! come back to this store too. While they take their time, what leaves the store is not freed: at worst (see
//! [`has_room`](retired::Retired::has_room)) as much again as the store may hold, and then inserts are refused until they
//! are done. `Drop` runs under no lock either, [caught](drop_retired).
//!
//! A key is compared with its like outside of the lock, and what was found is looked for again under it, by address:
//! nearly always it is still there, or there was none with that hash.
//!
//! # Bounds
//!
//! Each shard is bounded for itself, exactly, under its lock; so the sum is exact as well. A capacity is split evenly,
//! rounded down. The price is that one shard may be full while others are not; it is kept small by giving each at
//! least 256 entries. With a bound on weight there is one shard, since an entry must fit into its shard, and one
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

#![allow(unsafe_code)]

use super::ages::{Age, Ages, Life};
use super::counts::NearCounts;
use super::limits::Limits;
use super::lookup::{Fast, Lookup};
use super::retired::drop_retired;
use crate::fork::Keep;
use crate::sweep::Schedule;
use alive::is_fast;
use erased::insert::Wish;
use erased::{Erased, discard};
use index::Found;
use kind::{InAndOut, Pair, Query, Typed};
pub(super) use readers::is_reading;
use readers::{Read, Reading, reading_fast};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering::Relaxed;
#[cfg(test)]
use std::time::Duration;

mod alive;
mod batch;
mod entry;
mod erased;
mod form;
mod ghosts;
mod group;
mod index;
mod kind;
mod locked;
mod portion;
mod queue;
mod readers;
mod retired;
mod returns;
mod shard;
mod shards;
mod share;
#[cfg(all(test, memo_shuttle))]
mod shuttle_models;
mod slabs;
mod table;
#[cfg(all(test, not(memo_shuttle)))]
mod tests;

/// See the [module](self).
///
/// All entries in `erased` are of the kind [`Typed<K, V>`], since only this puts some in. What is unsafe here rests on that.
pub(crate) struct Memory<K: 'static, V: 'static> {
    erased: ManuallyDrop<Erased>,
    types: InAndOut<(K, V)>,
}

impl<K, V> Drop for Memory<K, V> {
    fn drop(&mut self) {
        // SAFETY: it is dropped here only, and not used after.
        unsafe { discard(&mut self.erased) };
    }
}

/// The fast path of a lookup: the entry stands where it belongs, has been used before, and is not near its end. It calls
/// nothing but the user's code, and leaves all else to the slow path.
struct FastLook<'a, K: 'static, V: 'static, Q> {
    store: &'a Memory<K, V>,
    hash: u64,
    query: &'a Q,
}

impl<K, V, Q> FastLook<'_, K, V, Q>
where
    K: Send + Sync + 'static,
    V: Send + Sync + 'static,
    Q: Lookup<K>,
{
    #[inline(always)]
    fn is(&self, found: &Found<'_>) -> bool {
        // SAFETY: it is an entry of this store.
        (Q::IS_CHEAP || found.hash == self.hash) && self.query.matches(unsafe { Typed::<K, V>::key(*found) })
    }
}

impl<K, V, Q> Read for FastLook<'_, K, V, Q>
where
    K: Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    Q: Lookup<K>,
{
    type Out = Fast<V>;

    #[inline(always)]
    fn read(self, reading: &Reading) -> Fast<V> {
        let index = self.store.erased.shards.index(self.hash);
        match index.find_near(reading, self.hash) {
            Ok(found) if self.is(&found) && is_fast(found.word.load(Relaxed)) => {
                // SAFETY: it is an entry of this store.
                Fast::Hit(unsafe { Typed::<K, V>::value(found) }.clone())
            }
            Err(false) => Fast::Miss,
            _ => Fast::Slow,
        }
    }
}

impl<K, V> Memory<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(limits: &Limits) -> Self {
        let erased = Erased::new(Typed::<K, V>::KIND, limits);
        Memory { erased: ManuallyDrop::new(erased), types: PhantomData }
    }

    /// Locks all shards, and what has left them, in the order in which an insert does.
    pub(super) fn hold<'s>(&'s self, held: Keep<'_, 's>) {
        self.erased.hold(held);
    }

    /// See [`Erased::resize`].
    #[cfg(feature = "config")]
    pub(super) fn resize(&self, limits: &Limits) -> bool {
        self.erased.resize(limits)
    }

    #[inline(always)]
    pub(super) fn get_fast<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Fast<V> {
        reading_fast(FastLook { store: self, hash, query }).unwrap_or(Fast::Slow)
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
                self.get_slow(hash, query, &mut value);
                value
            }
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn get_slow<Q: Lookup<K>>(&self, hash: u64, query: Q, into: &mut Option<V>) {
        self.look(hash, &query, true, into);
        if into.is_none() {
            self.missed(hash);
        }
    }

    /// See [`Near::get_aged`](super::Near::get_aged).
    pub(super) fn get_aged<Q: Lookup<K>>(
        &self,
        hash: u64,
        query: &Q,
        is_due: &dyn Fn(&Age) -> bool,
        into: &mut Option<V>,
    ) -> Option<(Age, bool)> {
        let mut query = Query::<K, V, Q>::new(query, into);
        // SAFETY: the lookup is for the kind of this store.
        let found = unsafe { self.erased.look_aged(hash, true, is_due, &mut query) };
        if found.is_none() {
            self.missed(hash);
        }
        found
    }

    /// See [`Near::peek_aged`](super::Near::peek_aged).
    pub(super) fn peek_aged<Q: Lookup<K>>(&self, hash: u64, query: &Q, into: &mut Option<V>) -> Option<Age> {
        let mut query = Query::<K, V, Q>::new(query, into);
        // SAFETY: the lookup is for the kind of this store.
        let found = unsafe { self.erased.look_aged(hash, false, &|_| false, &mut query) };
        found.map(|(age, _)| age)
    }

    /// See [`Near::with_ages`](super::Near::with_ages).
    pub(super) fn with_ages<Q: Lookup<K>>(&self, hash: u64, query: &Q, with: &mut dyn FnMut(&Ages)) {
        // SAFETY: the lookup is for the kind of this store.
        unsafe { self.erased.with_ages(hash, &Query::<K, V, Q>::new(query, &mut None), with) };
    }

    /// See [`Near::expire`](super::Near::expire).
    pub(super) fn expire<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        // SAFETY: the lookup is for the kind of this store.
        unsafe { self.erased.expire_fresh(hash, &Query::<K, V, Q>::new(query, &mut None)) }
    }

    pub(super) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        let mut value = None;
        self.look(hash, query, false, &mut value);
        value
    }

    fn look<Q: Lookup<K>>(&self, hash: u64, query: &Q, uses: bool, into: &mut Option<V>) {
        // SAFETY: the lookup is for the kind of this store.
        unsafe { self.erased.look(hash, uses, &mut Query::<K, V, Q>::new(query, into)) };
    }

    /// See [`Erased::missed`].
    #[inline]
    pub(super) fn missed(&self, hash: u64) {
        self.erased.missed(hash);
    }

    /// Stores a value by itself.
    #[cfg(test)]
    pub(super) fn insert(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) {
        self.insert_from(hash, key, &mut Some(value), weight, lifetime.into());
    }

    pub(super) fn insert_from(&self, hash: u64, key: K, value: &mut Option<V>, weight: u32, life: Life<'_>) {
        self.insert_unless(&|| false, hash, key, value, weight, life);
    }

    /// As [`Near::insert_from`](super::Near::insert_from), unless `is_off` when the entry is about to be put in, under the
    /// lock that a removal takes as well. Whether it was not. `is_off` does not come back to any store.
    pub(crate) fn insert_unless(
        &self,
        is_off: &dyn Fn() -> bool,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        life: Life<'_>,
    ) -> bool {
        let mut pair = Pair { key: Some(key), value };
        let wish = Wish { hash, weight, life, is_off };
        // SAFETY: the pair is of the kind of this store.
        let is_on = unsafe { self.erased.insert(&wish, &mut pair) };
        if pair.key.is_some() {
            drop_retired(pair.key);
            drop_retired(pair.value.take());
        }
        is_on
    }

    /// See [`Near::thrashes`](super::Near::thrashes).
    #[inline]
    pub(super) fn thrashes(&self) -> bool {
        self.erased.thrashes()
    }

    pub(super) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        // SAFETY: the lookup is for the kind of this store.
        unsafe { self.erased.remove(hash, &Query::<K, V, Q>::new(query, &mut None)) }
    }

    pub(super) fn clear(&self) {
        self.erased.clear();
    }

    pub(super) fn sweep(&self) {
        self.erased.sweep();
    }

    pub(super) fn schedule(&self) -> &Schedule {
        self.erased.schedule()
    }

    pub(super) fn counts(&self) -> NearCounts {
        self.erased.counts()
    }

    /// Frees what can be freed just now.
    #[cfg(all(test, memo_shuttle))]
    fn tidy(&self) {
        self.erased.tidy();
    }

    /// Frees all that has left, as soon as other threads' readers let it.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        self.erased.settle();
    }
}
