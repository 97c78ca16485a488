//! The near store on the moka crate (cargo feature `moka`): TinyLFU admission, which for some loads
//! keeps the more useful entries, at a higher price per call.
//!
//! It keeps to what the [seam](super) asks, differently from [`memory`](super::memory) in this:
//!
//! * A hit costs some allocations, clock reads and queue operations that moka makes for its bookkeeping.
//! * moka applies its bound a little after an insert. For small stores that little is much, so
//!   maintenance is run after every few inserts: a store is over its bound by a twentieth, and one entry for each
//!   thread inserting just then. Below 64 entries the policy is LRU, as there TinyLFU would turn away most of what is
//!   new.
//! * A `peek` counts as a use for moka's popularity sketch. It is none for idle times.
//! * The user's `Clone` runs outside of everything: moka is given an `Arc`. So does `Drop`, which is
//!   [put off](DeferredDrop) until moka has returned, except that moka frees what it has replaced by epochs
//!   (crossbeam's), and therefore a little later, perhaps on another thread.
//! * `Eq` runs under no lock in lookups, and in maintenance only for a key that has been stored anew
//!   meanwhile, then under moka's.
//!
//! An entry's lifetime is checked by our [clock](crate::clock) on every read. moka is told of it as well, so
//! that its own maintenance drops what has expired.
//!
//! All that needs no types is in [`erased`], compiled once; a key is boxed for that.

use super::ages::{Age, Ages, Life};
use super::counts::NearCounts;
use super::limits::Limits;
use super::retired::DeferredDrop;
use crate::sweep::Schedule;
use erased::{Erased, Kept, Key, Slot};
use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

mod erased;

/// See the [module](self).
pub(crate) struct Moka<K: 'static, V: 'static> {
    erased: Erased,
    /// Of each entry the key is a `DeferredDrop<K>` and the value a `DeferredDrop<V>`.
    types: PhantomData<(K, V)>,
}

impl<K: Eq + Send + Sync + 'static> Key for DeferredDrop<K> {
    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| self.get() == other.get())
    }
}

impl<K, V> Moka<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn new(limits: &Limits) -> Self {
        Moka { erased: Erased::new(limits), types: PhantomData }
    }

    /// A test of keys as one of keys in the store.
    fn test(is: &dyn Fn(&K) -> bool) -> impl Fn(&dyn Any) -> bool {
        |key| key.downcast_ref::<DeferredDrop<K>>().is_some_and(|key| is(key.get()))
    }

    fn clone_of(slot: Arc<Kept>) -> Option<V> {
        slot.value().downcast_ref::<DeferredDrop<V>>().map(|value| value.get().clone())
    }

    pub(super) fn get_where(&self, hash: u64, is: &dyn Fn(&K) -> bool) -> Option<V> {
        self.erased.get(hash, &Self::test(is)).and_then(Self::clone_of)
    }

    /// See [`Near::get_aged`](super::Near::get_aged).
    pub(super) fn get_aged_where(
        &self,
        hash: u64,
        is: &dyn Fn(&K) -> bool,
        is_due: &dyn Fn(&Age) -> bool,
        into: &mut Option<V>,
    ) -> Option<(Age, bool)> {
        let (slot, age, claimed) = self.erased.get_aged(hash, &Self::test(is), is_due)?;
        *into = Self::clone_of(slot);
        Some((age, claimed))
    }

    /// See [`Near::peek_aged`](super::Near::peek_aged).
    pub(super) fn peek_aged_where(
        &self,
        hash: u64,
        is: &dyn Fn(&K) -> bool,
        into: &mut Option<V>,
    ) -> Option<Age> {
        let (slot, age) = self.erased.peek_aged(hash, &Self::test(is))?;
        *into = Self::clone_of(slot);
        Some(age)
    }

    /// See [`Near::with_ages`](super::Near::with_ages).
    pub(super) fn with_ages_where(&self, hash: u64, is: &dyn Fn(&K) -> bool, with: &mut dyn FnMut(&Ages)) {
        self.erased.with_ages(hash, &Self::test(is), with);
    }

    /// See [`Near::expire`](super::Near::expire).
    pub(super) fn expire_where(&self, hash: u64, is: &dyn Fn(&K) -> bool) -> bool {
        self.erased.expire_fresh(hash, &Self::test(is))
    }

    pub(super) fn peek_where(&self, hash: u64, is: &dyn Fn(&K) -> bool) -> Option<V> {
        self.erased.peek(hash, &Self::test(is)).and_then(Self::clone_of)
    }

    pub(super) fn insert_from(&self, hash: u64, key: K, value: &mut Option<V>, weight: u32, life: Life<'_>) {
        let Some(value) = value.take() else { return };
        // From here on they are dropped quietly, and outside of the store, wherever that happens.
        let key = Box::new(DeferredDrop::new(key));
        let mut value = Some(DeferredDrop::new(value));
        self.erased.insert(hash, key, weight, life, &mut |times| {
            let value = value.take().expect("it is stored once");
            Arc::new(Slot::new(times, value))
        });
    }

    pub(super) fn remove_where(&self, hash: u64, is: &dyn Fn(&K) -> bool) -> bool {
        self.erased.remove(hash, &Self::test(is))
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

    /// moka's bounds are those that it was built with.
    #[cfg(feature = "config")]
    pub(super) fn resize(&self, _: &Limits) -> bool {
        false
    }

    pub(super) fn counts(&self) -> NearCounts {
        self.erased.counts()
    }
}
