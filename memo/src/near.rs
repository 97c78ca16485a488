//! The near plane: typed results in this process, behind one seam.
//!
//! [`Near`] is what the rest of the crate sees of a store: look up, insert, remove, count. Which
//! implementation stands behind it is decided as the program runs, by configuration, so it is an enum: one
//! predictable branch, and everything behind it inlines. An implementation can be replaced without
//! touching a caller.
//!
//! # What every implementation keeps to
//!
//! * The caller hashes, once, with a seeded hasher that is good in all bits; a store never hashes a key
//!   again. So the user's `Hash` never runs in here. Equality is always checked on the key.
//! * Weighers run before, in the caller; a store sees a number.
//! * No user `Drop` runs under a lock of a store, nor in the middle of its bookkeeping: what leaves a
//!   store is handed to [`drop_retired`](retired::drop_retired) outside of it. A panic in such a `Drop` is caught there, since the call
//!   that happens to evict an entry has nothing to do with it (the panic hook still reports it).
//! * In `memory` the user's `Eq` and `Clone` run under no lock, and may call any store, their own as well.
//! * In `moka` the user's `Eq` runs inside the store, because the library compares under its locks. Should it come back
//!   to a function that is memoized by moka, that call finds the near plane closed on this thread (`Inside`): its
//!   lookups miss, and what it inserts is dropped. It computes, as if nothing was cached, and cannot wait for a lock
//!   that its own thread holds. An invalidation made from there does not reach the near plane: `remove` says `false`.
//! * An entry can be stale: no longer fresh, and not [gone](ages). Only those who ask for it find it then.
//! * A panic in `Eq` or `Clone` reaches the caller of the lookup, and the store is as it was.

use crate::clock::NEVER;
use crate::fork::Keep;
use crate::sweep::Sweep;

mod ages;
mod counts;
#[cfg(feature = "moka")]
mod inside;
mod limits;
mod lookup;
mod memory;
#[cfg(feature = "moka")]
mod moka;
mod quiet;
mod retired;
#[cfg(test)]
mod tests;
mod thread;
mod user_code;

pub(crate) use ages::{Age, Ages, Beyond, Life};
pub(crate) use counts::NearCounts;
pub(crate) use limits::Limits;
pub(crate) use lookup::{Fast, Lookup, Same};
pub(crate) use memory::Memory;
pub(crate) use retired::is_closed;
pub(crate) use thread::{Looked, NewThreads, Running, Table, Threads};
pub(crate) use user_code::{may_run_user_code, runs_user_code};

/// Which implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The built-in one.
    Memory,
    /// The moka crate.
    #[cfg(feature = "moka")]
    Moka,
    /// A table of each thread's own.
    Thread,
}

/// A store of one memoized function.
// It is made once and stays where it is; a box would cost each hit a load.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Near<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// See [`memory`].
    Memory(Memory<K, V>),
    /// See [`moka`].
    #[cfg(feature = "moka")]
    Moka(moka::Moka<K, V>),
    /// See [`thread`].
    Thread(Threads<K, V>),
}

/// Calls the same method of whichever implementation it is; the second one of those that know the key by a test only.
macro_rules! each {
    ($near:expr, $store:ident => $call:expr) => {
        each!($near, $store => $call, $store => $call)
    };
    ($near:expr, $store:ident => $call:expr, $other:ident => $other_call:expr) => {
        match $near {
            Near::Memory($store) => $call,
            #[cfg(feature = "moka")]
            Near::Moka($other) => $other_call,
            Near::Thread($other) => $other_call,
        }
    };
}

impl<K, V> Near<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty store. It allocates little until it is used.
    ///
    /// A store whose entries shall leave without being touched is also handed to
    /// [`sweep::register`](crate::sweep::register), once it has its place for good.
    ///
    /// # Panics
    ///
    /// If it is to be one by thread and `by_thread`, which makes such, is missing. Only functions whose attribute says
    /// `engine = "thread"` have that, and only they ask for such a store.
    pub(crate) fn new(kind: Kind, limits: &Limits, by_thread: Option<NewThreads<K, V>>) -> Self {
        match kind {
            Kind::Memory => Near::Memory(Memory::new(limits)),
            #[cfg(feature = "moka")]
            Kind::Moka => Near::Moka(moka::Moka::new(limits)),
            Kind::Thread => {
                let new = by_thread.expect("the function says that its results stay on their threads");
                Near::Thread(new(limits))
            }
        }
    }

    /// A clone of what is stored, which counts as a use of it: its idle time starts anew, and it ranks
    /// higher against eviction. An entry found expired is removed, and a miss.
    #[inline(always)]
    pub(crate) fn get<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Option<V> {
        each!(self, store => store.get(hash, query), other => other.get_where(hash, &|key| query.matches(key)))
    }

    /// The fast path of [`get`](Self::get), inlined: next to nothing but a hit. After [`Fast::Slow`],
    /// [`get_slow`](Self::get_slow) answers. A [`Fast::Miss`] is one; a call that goes on from there says
    /// [`missed`](Self::missed), out of line.
    //
    // The fast path does not do that itself, as it would need room for the call; and to answer `Slow` where there are
    // lifetimes would cost their misses a quarter more.
    #[inline(always)]
    pub(crate) fn get_fast<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Fast<V> {
        match self {
            Near::Memory(store) => store.get_fast(hash, &query),
            #[cfg(feature = "moka")]
            Near::Moka(_) => Fast::Slow,
            // Its functions have a path of their own, and others none of its code.
            Near::Thread(_) => Fast::Slow,
        }
    }

    /// As [`get`](Self::get), out of line. The clone is written into `into`, which holds nothing before: a large value is
    /// not copied from frame to frame on its way.
    pub(crate) fn get_slow<Q: Lookup<K>>(&self, hash: u64, query: Q, into: &mut Option<V>) {
        match self {
            Near::Memory(store) => store.get_slow(hash, query, into),
            #[cfg(feature = "moka")]
            Near::Moka(store) => *into = store.get_where(hash, &|key| query.matches(key)),
            Near::Thread(store) => *into = store.get_where(hash, &|key| query.matches(key)),
        }
    }

    /// Looks for an entry that is not gone, be it stale, which counts as a use of it. A clone of its value goes into `into`, which
    /// holds nothing before.
    ///
    /// Gives how old it is, and whether the caller has the right to renew it: it gets that if `is_due`, which is code of ours,
    /// unless somebody else has it. Whoever has it stores a new result, or says through [`with_ages`](Self::with_ages) that it
    /// did not come to that.
    pub(crate) fn get_aged<Q: Lookup<K>>(
        &self,
        hash: u64,
        query: Q,
        is_due: &dyn Fn(&Age) -> bool,
        into: &mut Option<V>,
    ) -> Option<(Age, bool)> {
        match self {
            Near::Memory(store) => store.get_aged(hash, &query, is_due, into),
            #[cfg(feature = "moka")]
            Near::Moka(store) => store.get_aged_where(hash, &|key| query.matches(key), is_due, into),
            // its entries are fresh or gone
            Near::Thread(store) => {
                *into = store.get_where(hash, &|key| query.matches(key));
                into.is_some().then(|| (Age::ending(0, NEVER), false))
            }
        }
    }

    /// Looks for an entry that is not gone, be it stale, without that being a use of it: its value, and how old it is, where the
    /// store knows.
    pub(crate) fn peek_aged<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<(V, Option<Age>)> {
        let mut value = None;
        let age = match self {
            Near::Memory(store) => Some(store.peek_aged(hash, query, &mut value)?),
            #[cfg(feature = "moka")]
            Near::Moka(store) => Some(store.peek_aged_where(hash, &|key| query.matches(key), &mut value)?),
            Near::Thread(_) => {
                value = self.peek(hash, query);
                None
            }
        };
        Some((value?, age))
    }

    /// Calls `with` for the ages of an entry, if it is there and has some. `with` is code of ours.
    pub(crate) fn with_ages<Q: Lookup<K>>(&self, hash: u64, query: &Q, with: &mut dyn FnMut(&Ages)) {
        match self {
            Near::Memory(store) => store.with_ages(hash, query, with),
            #[cfg(feature = "moka")]
            Near::Moka(store) => store.with_ages_where(hash, &|key| query.matches(key), with),
            Near::Thread(_) => {}
        }
    }

    /// Ends the freshness of an entry: it is stale from now on, for as long as it would have been after its lifetime. One
    /// that cannot be stale is removed. Whether there was one that was fresh.
    pub(crate) fn expire<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        match self {
            Near::Memory(store) => store.expire(hash, query),
            #[cfg(feature = "moka")]
            Near::Moka(store) => store.expire_where(hash, &|key| query.matches(key)),
            Near::Thread(store) => store.remove_where(hash, &|key| query.matches(key)),
        }
    }

    /// Removes what has expired under this hash, after a [`Fast::Miss`].
    pub(crate) fn missed(&self, hash: u64) {
        match self {
            Near::Memory(store) => store.missed(hash),
            #[cfg(feature = "moka")]
            Near::Moka(_) => (),
            Near::Thread(_) => (),
        }
    }

    /// The built-in store, if it is that. An insert into it can be
    /// [called off](Memory::insert_unless) under the lock that a removal takes as well.
    #[inline(always)]
    pub(crate) fn built_in(&self) -> Option<&Memory<K, V>> {
        match self {
            Near::Memory(store) => Some(store),
            _ => None,
        }
    }

    /// The tables by thread, if it is of that kind.
    #[inline(always)]
    pub(crate) fn by_thread(&self) -> Option<&Threads<K, V>> {
        match self {
            Near::Thread(store) => Some(store),
            _ => None,
        }
    }

    /// A clone of what is stored, without that being a use of it.
    pub(crate) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        each!(self, store => store.peek(hash, query), other => other.peek_where(hash, &|key| query.matches(key)))
    }

    /// Stores, in place of what was there.
    ///
    /// With a lifetime of zero, or a weight beyond the bound of the whole store, nothing is stored, and what
    /// was there is removed all the same: it has been superseded. Lifetimes too long to count never end.
    pub(crate) fn insert<'a>(&self, hash: u64, key: K, value: V, weight: u32, life: impl Into<Life<'a>>) {
        self.insert_from(hash, key, &mut Some(value), weight, life);
    }

    /// Like [`insert`](Self::insert). The value is taken out of `value`, where it stays until it has its place, so that a
    /// large one is not copied from frame to frame on its way. Without a value nothing happens.
    pub(crate) fn insert_from<'a>(
        &self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        life: impl Into<Life<'a>>,
    ) {
        let life = life.into();
        if value.is_some() {
            match self {
                Near::Memory(store) => store.insert_from(hash, key, value, weight, life),
                #[cfg(feature = "moka")]
                Near::Moka(store) => store.insert_from(hash, key, value, weight, life),
                Near::Thread(store) => store.insert_from(hash, key, value, weight, life.lifetime),
            }
        }
    }

    /// Removes; whether there was something that had not expired.
    pub(crate) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        each!(self, store => store.remove(hash, query), other => other.remove_where(hash, &|key| query.matches(key)))
    }

    /// Removes everything that was there when it was called.
    pub(crate) fn clear(&self) {
        each!(self, store => store.clear())
    }

    /// Removes what has expired.
    pub(crate) fn sweep(&self) {
        each!(self, store => store.sweep())
    }

    /// Whether it has been found lately that the store mostly takes in what it has just evicted. Only one caller is told so.
    #[inline]
    pub(crate) fn thrashes(&self) -> bool {
        match self {
            Near::Memory(memory) => memory.thrashes(),
            // It does not tell what it knows.
            #[cfg(feature = "moka")]
            Near::Moka(_) => false,
            // It remembers nothing that it has evicted.
            Near::Thread(_) => false,
        }
    }

    /// Which implementation it is.
    #[cfg(feature = "config")]
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Near::Memory(_) => Kind::Memory,
            #[cfg(feature = "moka")]
            Near::Moka(_) => Kind::Moka,
            Near::Thread(_) => Kind::Thread,
        }
    }

    /// Holds itself to other limits from now on; what is over them leaves. `false`, and all as before, where the
    /// implementation cannot do that while it is in use.
    #[cfg(feature = "config")]
    pub(crate) fn resize(&self, limits: &Limits) -> bool {
        each!(self, store => store.resize(limits))
    }

    /// What there is to say about it. Not for hot paths: it takes every lock in turn.
    pub(crate) fn counts(&self) -> NearCounts {
        each!(self, store => store.counts())
    }
}

impl<K, V> Sweep for Near<K, V>
where
    K: Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn sweep(&self) {
        Near::sweep(self);
    }

    fn due(&self) -> Option<u64> {
        match self {
            Near::Memory(store) => store.schedule().due(),
            #[cfg(feature = "moka")]
            Near::Moka(store) => store.schedule().due(),
            // only a thread itself can
            Near::Thread(_) => None,
        }
    }

    fn hold<'s>(&'s self, held: Keep<'_, 's>) {
        match self {
            Near::Memory(store) => store.hold(held),
            // Its locks are the library's own.
            #[cfg(feature = "moka")]
            Near::Moka(_) => {}
            Near::Thread(_) => {}
        }
    }

    fn watch(&self) {
        match self {
            Near::Memory(store) => store.schedule().watch(),
            #[cfg(feature = "moka")]
            Near::Moka(store) => store.schedule().watch(),
            Near::Thread(_) => {}
        }
    }
}

/// Whether this thread looks something up, and user code that is called by that has come here.
pub(crate) fn is_reading() -> bool {
    memory::is_reading()
}
