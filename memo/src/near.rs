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
//!   store is handed to [`bury`] outside of it. A panic in such a `Drop` is caught there, since the call
//!   that happens to evict an entry has nothing to do with it (the panic hook still reports it).
//! * In `memory` the user's `Eq` and `Clone` run under no lock, and may call any store, their own as well.
//! * In `moka` the user's `Eq` runs inside the store, because the library compares under its locks. Should it come back
//!   to a function that is memoized by moka, that call finds the near plane closed on this thread (`Inside`): its
//!   lookups miss, and what it inserts is dropped. It computes, as if nothing was cached, and cannot wait for a lock
//!   that its own thread holds. An invalidation made from there does not reach the near plane: `remove` says `false`.
//! * A panic in `Eq` or `Clone` reaches the caller of the lookup, and the store is as it was.

use crate::clock::NEVER;
use crate::fork::Keep;
use crate::sweep::Sweep;
use std::any::TypeId;
use std::mem::{forget, needs_drop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[cfg(feature = "moka")]
mod inside;
mod memory;
#[cfg(feature = "moka")]
mod moka;
mod thread;

pub(crate) use thread::{Looked, Running, Table, Threads};

/// What a lookup is made with: a borrowed key that can be compared with an owned one.
///
/// Of two keys that match, both must have the same hash; the caller computes it, and a store compares
/// it first.
pub(crate) trait Lookup<K> {
    /// Comparing the keys costs as little as comparing their hashes.
    const IS_CHEAP: bool = false;

    /// Whether `key` is the one looked for.
    fn matches(&self, key: &K) -> bool;
}

impl<K, Q: Lookup<K>> Lookup<K> for &Q {
    const IS_CHEAP: bool = Q::IS_CHEAP;

    #[inline(always)]
    fn matches(&self, key: &K) -> bool {
        (**self).matches(key)
    }
}

/// What a store is to hold at most, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most entries; `None` is no bound.
    pub capacity: Option<u64>,
    /// Most weight, of all entries together; `None` is no bound. With both, both hold.
    pub max_weight: Option<u64>,
    /// An entry goes this long after its last read.
    pub tti: Option<Duration>,
    /// Whether entries come with lifetimes as a rule. A store takes them anyway; it may prepare.
    pub lifetimes: bool,
}

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

/// What a look for the usual hit comes to.
pub(crate) enum Usual<V> {
    /// A clone of what is stored.
    Hit(V),
    /// There is nothing.
    Miss,
    /// It is for [`Near::get`] to say.
    Unusual,
}

/// What a store can say about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NearCounts {
    /// Entries now, those included that have expired and not been swept yet.
    pub entries: u64,
    /// Their weight, where the store is bound by weight; their number where it is not.
    pub weight: u64,
    /// Entries that made room for others, ever.
    pub evicted: u64,
    /// Entries dropped because their lifetime was over, ever.
    pub expired: u64,
    /// Keys that came back soon after they had been evicted, as far as that is known.
    pub recomputed: u64,
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
    Memory(memory::Memory<K, V>),
    /// See [`moka`].
    #[cfg(feature = "moka")]
    Moka(moka::Moka<K, V>),
    /// See [`thread`].
    Thread(Threads<K, V>),
}

/// Calls the same method of whichever implementation it is.
macro_rules! each {
    ($near:expr, $store:ident => $call:expr) => {
        match $near {
            Near::Memory($store) => $call,
            #[cfg(feature = "moka")]
            Near::Moka($store) => $call,
            Near::Thread($store) => $call,
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
    pub(crate) fn new(kind: Kind, limits: &Limits) -> Self {
        match kind {
            Kind::Memory => Near::Memory(memory::Memory::new(limits)),
            #[cfg(feature = "moka")]
            Kind::Moka => Near::Moka(moka::Moka::new(limits)),
            Kind::Thread => Near::Thread(Threads::new(limits)),
        }
    }

    /// A clone of what is stored, which counts as a use of it: its idle time starts anew, and it ranks
    /// higher against eviction. An entry found expired is removed, and a miss.
    #[inline(always)]
    pub(crate) fn get<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Option<V> {
        each!(self, store => store.get(hash, query))
    }

    /// The same for the usual hit, of a store that has such: out of line for what is not one. After a
    /// [`Usual::Miss`] comes [`missed`](Self::missed).
    #[inline(always)]
    pub(crate) fn get_usual<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Usual<V> {
        match self {
            Near::Memory(store) => store.get_usual(hash, &query),
            #[cfg(feature = "moka")]
            Near::Moka(_) => Usual::Unusual,
            // Its functions have a path of their own, and others none of its code.
            Near::Thread(_) => Usual::Unusual,
        }
    }

    /// As [`get`](Self::get), out of line. The clone is written into `into`, which holds nothing before: a large value is
    /// not copied from frame to frame on its way.
    pub(crate) fn get_in_full<Q: Lookup<K>>(&self, hash: u64, query: Q, into: &mut Option<V>) {
        match self {
            Near::Memory(store) => store.get_in_full(hash, query, into),
            #[cfg(feature = "moka")]
            Near::Moka(store) => *into = store.get(hash, query),
            Near::Thread(store) => store.get_into(hash, query, into),
        }
    }

    /// What there is to do after a miss.
    pub(crate) fn missed(&self, hash: u64) {
        match self {
            Near::Memory(store) => store.missed(hash),
            #[cfg(feature = "moka")]
            Near::Moka(_) => (),
            Near::Thread(_) => (),
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
        each!(self, store => store.peek(hash, query))
    }

    /// Stores, in place of what was there.
    ///
    /// With a lifetime of zero, or a weight beyond the bound of the whole store, nothing is stored, and what
    /// was there is removed all the same: it has been superseded. Lifetimes too long to count never end.
    pub(crate) fn insert(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) {
        self.insert_from(hash, key, &mut Some(value), weight, lifetime);
    }

    /// Like [`insert`](Self::insert). The value is taken out of `value`, where it stays until it has its place, so that a
    /// large one is not copied from frame to frame on its way. Without a value nothing happens.
    pub(crate) fn insert_from(
        &self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) {
        if value.is_some() {
            each!(self, store => store.insert_from(hash, key, value, weight, lifetime));
        }
    }

    /// As [`insert_from`](Self::insert_from), for a store that [can](Self::inserts_unless): unless `is_off` when the entry is
    /// about to be put in, under a lock that [`remove`](Self::remove) and [`clear`](Self::clear) take as well. Whether it
    /// was not. `is_off` does not come back to any store.
    #[inline(always)]
    pub(crate) fn insert_unless(
        &self,
        is_off: impl Fn() -> bool,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) -> bool {
        match self {
            Near::Memory(store) => store.insert_unless(is_off, hash, key, value, weight, lifetime),
            _ => unreachable!("it can"),
        }
    }

    /// Whether it can [do that](Self::insert_unless).
    #[inline(always)]
    pub(crate) fn inserts_unless(&self) -> bool {
        matches!(self, Near::Memory(_))
    }

    /// Removes; whether there was something that had not expired.
    pub(crate) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        each!(self, store => store.remove(hash, query))
    }

    /// Removes everything that was there when it was called.
    pub(crate) fn clear(&self) {
        each!(self, store => store.clear())
    }

    /// Removes what has expired.
    pub(crate) fn sweep(&self) {
        each!(self, store => store.sweep())
    }

    /// Whether it has been found lately, for the first time, that it mostly takes in what it has just evicted. Whoever is told so
    /// is the only one.
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

/// Whether comparing or cloning a `T` can run code of the user's. Not so for the commonest of std's own types, and
/// that is known when this is compiled: their lookups need not be [`Inside`].
#[inline(always)]
pub(crate) fn runs_user_code<T: 'static>() -> bool {
    macro_rules! is_one_of {
        ($($known:ty)*) => { $(TypeId::of::<T>() == TypeId::of::<$known>())||* };
    }
    !is_one_of!(() std::convert::Infallible bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 String std::path::PathBuf Duration)
}

/// As [`runs_user_code`], and looks into tuples: not for hot paths.
pub(crate) fn may_run_user_code<T: 'static>() -> bool {
    // Only a type of the language's own has a name without a path.
    runs_user_code::<T>() && (needs_drop::<T>() || std::any::type_name::<T>().contains(':'))
}

/// Whether this thread is where the near plane is closed to it: in a store that runs user code under its locks.
#[inline]
pub(crate) fn is_closed() -> bool {
    #[cfg(feature = "moka")]
    return inside::Inside::is_here();
    #[cfg(not(feature = "moka"))]
    false
}

/// Whether this thread looks something up, and user code that is called by that has come here.
pub(crate) fn is_reading() -> bool {
    memory::is_reading()
}

/// Drops what has left a store: now, or if this thread is inside a store, as soon as it is out again.
#[inline]
pub(crate) fn bury<T: 'static>(dead: T) {
    if needs_drop::<T>() {
        #[cfg(feature = "moka")]
        if is_closed() {
            return inside::bury_later(dead);
        }
        drop_quietly(dead);
    }
}

/// Drops, and leaves a panic in that at the panic hook.
fn drop_quietly<T>(dead: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(dead))) {
        // The payload's own drop might panic as well.
        forget(panic);
    }
}

/// The earlier of the end of a lifetime and of an idle time, of an entry written or read at `read`.
#[inline]
pub(crate) fn ends(deadline: u64, read: u64, tti: u64) -> u64 {
    // An idle time of `NEVER` saturates to just that.
    deadline.min(read.saturating_add(tti))
}

/// A bound on count, on weight, on both or on nothing, as a bound on one sum.
///
/// Each entry counts `max(weight * scale, least)` towards `limit`. With a bound on both, `least` is the
/// share that each entry has when there are as many as allowed, so that neither bound is passed;
/// `scale` is there so that it is not rounded by much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub limit: u64,
    scale: u64,
    least: u64,
    /// The heaviest entry that is let in.
    heaviest: u64,
}

impl Bound {
    /// `fine`: whether the store can add numbers beyond 32 bits.
    pub(crate) fn new(limits: &Limits, fine: bool) -> Self {
        match (limits.capacity, limits.max_weight) {
            (None, None) => Bound { limit: NEVER, scale: 0, least: 1, heaviest: NEVER },
            (Some(capacity), None) => Bound { limit: capacity, scale: 0, least: 1, heaviest: NEVER },
            (capacity, Some(weight)) => {
                // An entry that says it weighs nothing must count for something, or there would be
                // no bound on their number.
                let Some(capacity) = capacity else {
                    return Bound { limit: weight, scale: 1, least: 1, heaviest: weight };
                };
                if !fine && weight / u64::from(u32::MAX) >= capacity {
                    // As many as allowed, as heavy as can be, are within the bound.
                    return Bound { limit: capacity, scale: 0, least: 1, heaviest: NEVER };
                }
                let most = if fine { 1 << 52 } else { u64::from(u32::MAX) };
                let scale = 1 << (most / weight.max(1)).clamp(1, 1 << 20).ilog2();
                let least = (weight * scale).div_ceil(capacity.max(1)).max(1);
                // What remains of the rounding goes to the limit, so that as many as allowed fit.
                let limit = if weight == 0 { 0 } else { least.saturating_mul(capacity) };
                Bound { limit, scale, least, heaviest: weight }
            }
        }
    }

    /// What an entry of this weight counts.
    #[inline]
    pub(crate) fn counts(&self, weight: u32) -> u64 {
        (u64::from(weight) * self.scale).max(self.least)
    }

    /// Whether an entry of this weight is let in at all.
    #[inline]
    pub(crate) fn admits(&self, weight: u32) -> bool {
        u64::from(weight) <= self.heaviest && self.counts(weight) <= self.limit
    }

    /// Whether entries count the same by that one.
    #[cfg(feature = "config")]
    pub(crate) fn counts_as(&self, other: &Bound) -> bool {
        (self.scale, self.least) == (other.scale, other.least)
    }

    /// Whether it bounds weights at all.
    #[inline]
    pub(crate) fn weighs(&self) -> bool {
        self.scale != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, sweep};
    use std::cell::Cell;
    use std::fmt::Debug;
    use std::hash::{BuildHasher, Hash, Hasher};
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
    use std::sync::{Arc, LazyLock};
    use std::thread;

    const KINDS: &[Kind] = &[
        Kind::Memory,
        #[cfg(feature = "moka")]
        Kind::Moka,
        Kind::Thread,
    ];

    /// Those that threads share.
    fn shared_kinds() -> impl Iterator<Item = Kind> {
        KINDS.iter().copied().filter(|kind| *kind != Kind::Thread)
    }

    /// A lookup by an owned key.
    struct By<'a, K>(&'a K);

    impl<K: Eq> Lookup<K> for By<'_, K> {
        fn matches(&self, key: &K) -> bool {
            self.0 == key
        }
    }

    fn hash(key: impl Hash) -> u64 {
        static SEED: LazyLock<foldhash::quality::RandomState> = LazyLock::new(Default::default);
        SEED.hash_one(key)
    }

    /// The seam by keys that hash themselves.
    impl<K, V> Near<K, V>
    where
        K: Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        fn put(&self, key: K, value: V) {
            self.insert(hash(&key), key, value, 1, None);
        }

        fn put_for(&self, key: K, value: V, lifetime: Duration) {
            self.insert(hash(&key), key, value, 1, Some(lifetime));
        }

        fn put_heavy(&self, key: K, value: V, weight: u32) {
            self.insert(hash(&key), key, value, weight, None);
        }

        fn look(&self, key: K) -> Option<V> {
            self.get(hash(&key), By(&key))
        }

        fn glance(&self, key: K) -> Option<V> {
            self.peek(hash(&key), &By(&key))
        }

        fn take(&self, key: K) -> bool {
            self.remove(hash(&key), &By(&key))
        }

        fn entries(&self) -> u64 {
            self.counts().entries
        }

        /// Has all dropped that has left, where that is not done at once.
        fn settle(&self) {
            match self {
                Near::Memory(store) => store.settle(),
                #[cfg(feature = "moka")]
                Near::Moka(_) => (),
                Near::Thread(_) => (),
            }
        }
    }

    fn entries(capacity: u64) -> Limits {
        Limits { capacity: Some(capacity), ..Limits::default() }
    }

    fn weight(max_weight: u64) -> Limits {
        Limits { max_weight: Some(max_weight), ..Limits::default() }
    }

    fn idle(tti: Duration) -> Limits {
        Limits { capacity: Some(1000), tti: Some(tti), lifetimes: true, ..Limits::default() }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    /// Runs `test` on a store of each kind, under each limits.
    fn each<K, V>(limits: &[Limits], test: impl Fn(Near<K, V>, Limits))
    where
        K: Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        for &kind in KINDS {
            for &limits in limits {
                println!("{kind:?} {limits:?}");
                test(Near::new(kind, &limits), limits);
            }
        }
    }

    #[test]
    fn what_is_inserted_is_found_until_it_is_removed() {
        each(&[Limits::default(), entries(1000), weight(1000)], |near: Near<String, u64>, _| {
            assert_eq!(near.look("a".into()), None);
            assert!(!near.take("a".into()));
            near.put("a".into(), 1);
            near.put("b".into(), 2);
            assert_eq!((near.look("a".into()), near.glance("b".into())), (Some(1), Some(2)));
            assert_eq!(near.entries(), 2);
            assert!(near.take("a".into()));
            assert!(!near.take("a".into()));
            assert_eq!((near.look("a".into()), near.look("b".into())), (None, Some(2)));
            near.clear();
            assert_eq!((near.glance("b".into()), near.entries()), (None, 0));
            assert_eq!(near.counts(), NearCounts::default());
            near.put("b".into(), 3);
            assert_eq!(near.look("b".into()), Some(3));
        });
    }

    #[test]
    fn an_insert_replaces_and_is_no_eviction() {
        each(&[Limits::default(), entries(10), weight(10)], |near: Near<u64, String>, _| {
            for round in 0..100 {
                for key in 0..10 {
                    near.put(key, format!("{round}"));
                }
            }
            assert_eq!(near.counts(), NearCounts { entries: 10, weight: 10, ..NearCounts::default() });
            for key in 0..10 {
                assert_eq!(near.look(key), Some("99".into()));
            }
        });
    }

    #[test]
    fn keys_of_one_hash_are_told_apart() {
        each(&[Limits::default(), entries(1000)], |near: Near<u64, u64>, _| {
            for key in 0..20 {
                near.insert(7, key, key * 10, 1, None);
            }
            for key in 0..20 {
                assert_eq!(near.get(7, By(&key)), Some(key * 10));
            }
            assert!(near.remove(7, &By(&5)));
            assert_eq!(near.get(7, By(&5)), None);
            assert_eq!(near.get(7, By(&6)), Some(60));
            assert_eq!(near.get(7, By(&20)), None);
            assert_eq!(near.entries(), 19);
        });
    }

    #[test]
    fn a_capacity_of_none_holds_none_and_of_one_the_last() {
        each(&[entries(0), Limits { max_weight: Some(5), ..entries(0) }, weight(0)], |near, _| {
            for key in 0..10_u64 {
                near.put(key, key);
                assert_eq!((near.look(key), near.entries()), (None, 0));
            }
        });
        each(&[entries(1), Limits { max_weight: Some(5), ..entries(1) }, weight(1)], |near, _| {
            for key in 0..10_u64 {
                near.put(key, key);
                assert_eq!((near.look(key), near.entries()), (Some(key), 1));
                assert_eq!(near.look(key.wrapping_sub(1)), None);
            }
            assert_eq!(near.counts().evicted, 9);
        });
    }

    #[test]
    fn a_small_store_holds_as_many_as_it_says_and_the_newest_always() {
        for capacity in [2, 3, 10, 33, 63] {
            let both = Limits { max_weight: Some(1_000_000), ..entries(capacity) };
            each(&[entries(capacity), both], |near: Near<u64, u64>, _| {
                for key in 0..capacity {
                    near.put(key, key);
                    assert_eq!(near.entries(), key + 1);
                }
                assert_eq!(near.counts().evicted, 0);
                for key in 0..10 * capacity {
                    // Some are used, so that the newcomer has competition.
                    for old in 0..capacity / 2 {
                        near.look(old);
                        near.look(old);
                    }
                    near.put(key, key);
                    assert_eq!(near.look(key), Some(key));
                    assert_eq!(near.entries(), capacity);
                }
            });
        }
    }

    #[test]
    fn what_is_used_outlasts_a_scan() {
        each(&[entries(100), entries(1000)], |near: Near<u64, u64>, limits| {
            let hot = limits.capacity.unwrap_or(0) / 10;
            for key in 0..hot {
                near.put(key, key);
            }
            for key in 1_000_000..1_020_000 {
                near.look(key % hot);
                near.put(key, key);
            }
            let left = (0..hot).filter(|&key| near.look(key).is_some()).count() as u64;
            assert!(left * 10 >= hot * 9, "{left} of {hot} left");
        });
    }

    #[test]
    fn bounds_hold_while_threads_insert() {
        for capacity in [1, 2, 10, 100, 511, 512, 1000, 10_000, 12_345] {
            for kind in shared_kinds() {
                let near = Near::<u64, Arc<u64>>::new(kind, &entries(capacity));
                // What moka holds beyond its bound is one entry for each thread inserting just now.
                let most = match kind {
                    Kind::Memory => capacity,
                    #[cfg(feature = "moka")]
                    Kind::Moka => capacity + capacity / 10 + 4,
                    Kind::Thread => unreachable!("threads do not share it"),
                };
                // moka's counting and maintenance take their time.
                let rounds = if matches!(kind, Kind::Memory) { 20_000 } else { 4 * capacity.min(1000) };
                thread::scope(|scope| {
                    for thread in 0..4 {
                        let near = &near;
                        scope.spawn(move || {
                            let mut random = 1 + thread;
                            for round in 0..rounds {
                                random ^= random << 13;
                                random ^= random >> 7;
                                random ^= random << 17;
                                // Reuse of keys among what is new.
                                near.put(random % (3 * capacity), Arc::new(round));
                                near.look(random % 1009);
                                if round % 64 == 0 {
                                    assert!(near.entries() <= most, "{} of {capacity}", near.entries());
                                }
                            }
                        });
                    }
                });
                let counts = near.counts();
                assert!(counts.entries <= capacity, "{counts:?}");
                if matches!(kind, Kind::Memory) {
                    assert!(counts.entries * 10 >= capacity * 9, "{counts:?} of {capacity}");
                }
                assert!(counts.evicted > 0 || rounds < 2 * capacity);
            }
        }
    }

    #[test]
    fn without_a_bound_nothing_is_evicted() {
        each(&[Limits::default()], |near: Near<u64, u64>, _| {
            for key in 0..50_000 {
                near.put(key, key);
            }
            assert!((0..50_000).all(|key| near.look(key) == Some(key)));
            assert_eq!(
                near.counts(),
                NearCounts { entries: 50_000, weight: 50_000, ..NearCounts::default() }
            );
        });
    }

    #[test]
    fn weights_are_bounded_and_the_oversized_not_stored() {
        for bound in [10, 99, 100, 101, 5000, 1 << 26, 1 << 40] {
            let all = u32::try_from(bound).unwrap_or(u32::MAX);
            each(&[weight(bound)], |near: Near<u64, String>, _| {
                // The whole bound may be one entry.
                near.put_heavy(0, "all".into(), all);
                assert_eq!(near.look(0), Some("all".into()));
                assert_eq!(near.counts().weight, u64::from(all));
                near.put_heavy(1, "little".into(), 1);
                assert!(near.counts().weight <= bound + bound / 50);
                near.put_heavy(2, "replaced".into(), 1);
                near.put_heavy(2, "replaced".into(), 3);
                near.clear();
                assert_eq!(near.counts().weight, 0);
                near.put_heavy(3, "small".into(), 1);
                if let Some(more) = all.checked_add(1) {
                    near.put_heavy(3, "too much".into(), more);
                    assert_eq!(near.look(3), None);
                    assert_eq!(near.counts().weight, 0);
                }
                for key in 0..3000 {
                    near.put_heavy(key, "some".into(), (key % 7) as u32 * (all / 70).max(1));
                    assert!(near.counts().weight <= bound + bound / 50, "{:?}", near.counts());
                }
            });
        }
    }

    #[test]
    fn entries_that_weigh_nothing_are_bounded_as_well() {
        each(&[weight(100)], |near: Near<u64, u64>, _| {
            for key in 0..10_000 {
                near.put_heavy(key, key, 0);
            }
            assert!(near.entries() <= 110);
        });
    }

    #[test]
    fn a_bound_on_both_bounds_both() {
        let both = |capacity, max_weight| Limits { max_weight: Some(max_weight), ..entries(capacity) };
        each(&[both(60, 100), both(3, 100), both(1000, 1 << 40), both(7, 70)], |near, limits| {
            let (most, heaviest) = (limits.capacity.unwrap_or(0), limits.max_weight.unwrap_or(0));
            for key in 0..20_000_u64 {
                near.put_heavy(key, key, (key % 11) as u32);
                if key % 64 == 0 {
                    let counts = near.counts();
                    assert!(counts.entries * 10 <= most * 11, "{counts:?}");
                    assert!(counts.weight * 10 <= heaviest * 11, "{counts:?}");
                }
            }
            assert!(near.entries() > 0);
        });
    }

    #[test]
    fn bounds_are_told_from_limits() {
        let bound = |limits, fine| Bound::new(&limits, fine);
        let free = bound(Limits::default(), true);
        assert!(free.admits(u32::MAX) && !free.weighs());
        let heavy = bound(weight(5), true);
        assert!(heavy.admits(5) && !heavy.admits(6) && heavy.weighs());
        assert_eq!((heavy.counts(0), heavy.counts(3)), (1, 3));
        let both = bound(Limits { capacity: Some(3), ..weight(100) }, true);
        assert_eq!((both.limit / both.counts(0), both.limit % both.counts(0)), (3, 0));
        assert!(both.admits(100) && !both.admits(101));
        let huge = bound(Limits { capacity: Some(10), ..weight(u64::MAX) }, true);
        assert_eq!(huge.limit / huge.counts(u32::MAX), 9);
        let coarse = bound(Limits { capacity: Some(10), ..weight(u64::MAX) }, false);
        assert_eq!((coarse.limit, coarse.counts(u32::MAX)), (10, 1));
    }

    #[test]
    fn a_lifetime_ends() {
        let _alone = clock::alone();
        each(&[Limits::default(), entries(1000)], |near: Near<u64, String>, _| {
            near.put_for(1, "short".into(), 10 * HOUR);
            near.put_for(2, "long".into(), 20 * HOUR);
            near.put(3, "for ever".into());
            clock::advance(9 * HOUR);
            assert_eq!(near.look(1), Some("short".into()));
            clock::advance(2 * HOUR);
            assert_eq!(near.counts().entries, 3);
            assert_eq!(near.glance(1), None);
            assert_eq!(near.look(1), None);
            assert_eq!(
                near.counts(),
                NearCounts { entries: 2, weight: 2, expired: 1, ..NearCounts::default() }
            );
            clock::advance(10 * HOUR);
            assert!(!near.take(2), "what has expired is not there");
            assert_eq!(near.look(3), Some("for ever".into()));
            assert_eq!(near.entries(), 1);
            // A new entry has a new lifetime, or none.
            near.put_for(1, "again".into(), HOUR / 2);
            near.put(1, "for ever".into());
            clock::advance(HOUR);
            assert_eq!(near.look(1), Some("for ever".into()));
        });
    }

    #[test]
    fn a_short_lifetime_is_exact() {
        let _alone = clock::alone();
        each(&[entries(1000), idle(HOUR)], |near: Near<u64, u64>, _| {
            for length in [Duration::from_nanos(1), Duration::from_millis(1), Duration::from_millis(249)] {
                near.put_for(1, 1, length);
                let until = std::time::Instant::now() + length;
                while std::time::Instant::now() < until {
                    std::hint::spin_loop();
                }
                assert_eq!(near.look(1), None, "{length:?}");
            }
        });
        each(&[idle(Duration::from_millis(200))], |near: Near<u64, u64>, _| {
            near.put(1, 1);
            near.look(1);
            clock::advance(Duration::from_millis(200));
            assert_eq!(near.look(1), None);
        });
    }

    #[test]
    fn a_lifetime_of_zero_stores_nothing_and_removes_what_was_there() {
        let _alone = clock::alone();
        each(&[entries(1000), idle(HOUR)], |near: Near<u64, u64>, _| {
            near.put(1, 1);
            near.put_for(1, 2, Duration::ZERO);
            assert_eq!((near.look(1), near.entries()), (None, 0));
            near.put_for(1, 2, Duration::ZERO);
            assert_eq!((near.look(1), near.entries()), (None, 0));
        });
        each(&[idle(Duration::ZERO)], |near: Near<u64, u64>, _| {
            near.put(1, 1);
            near.put_for(2, 2, HOUR);
            assert_eq!((near.look(1), near.look(2), near.entries()), (None, None, 0));
        });
    }

    #[test]
    fn absurd_lifetimes_never_end() {
        let _alone = clock::alone();
        let long = [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX - 1)];
        each(&[entries(1000), idle(Duration::MAX), idle(Duration::from_nanos(u64::MAX - 1))], |near, _| {
            for (key, length) in long.into_iter().enumerate() {
                near.put_for(key, key, length);
            }
            clock::advance(10_000 * HOUR);
            near.sweep();
            for key in 0..long.len() {
                assert_eq!((near.look(key), near.glance(key)), (Some(key), Some(key)));
            }
            assert_eq!(near.counts().entries, 3);
        });
    }

    #[test]
    fn an_idle_time_starts_anew_with_each_read_but_not_with_a_peek() {
        let _alone = clock::alone();
        let tti = 10 * HOUR;
        each(&[idle(tti)], |near: Near<u64, u64>, _| {
            near.put(1, 1);
            near.put(2, 2);
            near.put_for(3, 3, tti * 2);
            for _ in 0..3 {
                clock::advance(tti * 6 / 10);
                assert_eq!(near.look(1), Some(1));
                near.glance(2);
                near.look(3);
            }
            assert_eq!(near.look(2), None, "only peeked at");
            assert_eq!(near.glance(1), Some(1));
            assert_eq!(near.look(3), Some(3));
            clock::advance(tti * 3 / 10);
            assert_eq!(near.look(3), None, "its lifetime is over, read or not");
            clock::advance(tti);
            assert_eq!(near.look(1), None);
            assert_eq!(near.counts(), NearCounts { expired: 3, ..NearCounts::default() });
        });
    }

    #[test]
    fn expired_entries_leave_without_being_touched() {
        let _alone = clock::alone();
        for kind in shared_kinds() {
            let near: &'static Near<u64, Arc<u64>> = Box::leak(Box::new(Near::new(kind, &entries(10_000))));
            sweep::register(near);
            let kept = Arc::new(0);
            for key in 0..1000 {
                near.put_for(key, kept.clone(), HOUR);
            }
            for key in 1000..1500 {
                near.put_for(key, kept.clone(), 3 * HOUR);
            }
            near.put(2000, kept.clone());
            assert_eq!(near.due().map(|due| due > clock::exact()), Some(true));
            sweep::sweep_now();
            assert_eq!(near.entries(), 1501);
            clock::advance(2 * HOUR);
            sweep::sweep_now();
            assert_eq!((near.entries(), near.counts().expired), (501, 1000));
            clock::advance(2 * HOUR);
            sweep::sweep_now();
            assert_eq!((near.entries(), near.counts().expired), (1, 1500));
            assert_eq!(near.due(), None);
            near.settle();
            if kind == Kind::Memory {
                assert_eq!(Arc::strong_count(&kept), 2);
            }
        }
    }

    #[test]
    fn the_thread_sweeps_a_store_at_rest() {
        let _alone = clock::alone();
        for kind in shared_kinds() {
            let near: &'static Near<u64, u64> = Box::leak(Box::new(Near::new(kind, &idle(HOUR))));
            // Before it is registered, too.
            near.put(0, 0);
            sweep::register(near);
            for key in 1..100 {
                near.put(key, key);
            }
            clock::advance(2 * HOUR);
            let until = std::time::Instant::now() + Duration::from_secs(20);
            while near.entries() != 0 {
                assert!(std::time::Instant::now() < until, "{:?}", near.counts());
                thread::sleep(Duration::from_millis(2));
            }
            assert_eq!(near.counts().expired, 100);
        }
    }

    /// A value whose drop uses the store it was in.
    #[derive(Clone)]
    struct Caller {
        _calls: Option<Arc<Calls>>,
    }

    struct Calls(&'static Near<u64, Caller>, Arc<AtomicI64>);

    impl Drop for Calls {
        fn drop(&mut self) {
            let near = self.0;
            // A key of its own: what this evicts comes here as well.
            let key = 1000 + self.1.fetch_add(1, Relaxed) as u64;
            near.put(key, Caller { _calls: None });
            assert!(near.look(key).is_some(), "the store is open to a drop");
            assert!(near.take(key));
            near.look(1);
            near.sweep();
            near.counts();
        }
    }

    #[test]
    fn a_drop_may_call_the_same_store() {
        let _alone = clock::alone();
        for &kind in KINDS {
            let near: &'static Near<u64, Caller> = Box::leak(Box::new(Near::new(kind, &entries(10))));
            let dropped = Arc::new(AtomicI64::new(0));
            let caller = || Caller { _calls: Some(Arc::new(Calls(near, dropped.clone()))) };
            near.put(1, caller()); // is replaced
            near.put(1, caller()); // is removed
            assert!(near.take(1));
            near.put_for(1, caller(), HOUR); // is found expired
            near.put_for(2, caller(), HOUR); // is swept
            near.put_for(1, caller(), HOUR);
            clock::advance(2 * HOUR);
            assert!(near.look(1).is_none());
            near.sweep();
            near.put_for(3, caller(), Duration::ZERO); // is not stored
            for key in 0..100 {
                near.put(key, caller()); // are evicted
            }
            near.clear();
            near.settle();
            near.clear();
            near.settle();
            assert!(near.entries() <= 10);
            match kind {
                Kind::Memory | Kind::Thread => assert_eq!(dropped.load(Relaxed), 106),
                // They wait for crossbeam's next epochs, which other threads may hold up for a while.
                #[cfg(feature = "moka")]
                Kind::Moka => {
                    let until = std::time::Instant::now() + Duration::from_secs(20);
                    while dropped.load(Relaxed) <= 10 {
                        assert!(std::time::Instant::now() < until, "{dropped:?}");
                        near.put(0, Caller { _calls: None });
                        near.settle();
                    }
                }
            }
        }
    }

    /// A key and value whose `Eq` and `Clone` use the store that they are in.
    struct Nosy(&'static Near<Nosy, Nosy>, u64);

    thread_local! {
        /// Whether an `Eq` or `Clone` is at it: once is enough.
        static PRYING: Cell<bool> = const { Cell::new(false) };
        /// How often it has found what it had inserted.
        static OPEN: Cell<u32> = const { Cell::new(0) };
    }

    impl Nosy {
        fn pry(&self) {
            if PRYING.replace(true) {
                return;
            }
            let near = self.0;
            let other = Nosy(near, 77);
            near.insert(hash(77), Nosy(near, 77), Nosy(near, 77), 1, None);
            let found = near.get(hash(77), By(&other)).is_some();
            let removed = near.remove(hash(77), &By(&other));
            match near {
                Near::Memory(_) => {
                    // Refused only if other tests' readers are kept from working for long, and much garbage waits for them.
                    assert_eq!(found, removed);
                    OPEN.set(OPEN.get() + u32::from(found));
                }
                #[cfg(feature = "moka")]
                Near::Moka(_) => assert!(!is_closed() || !(found || removed), "it is closed"),
                Near::Thread(_) => assert!(!(found || removed), "it is borrowed"),
            }
            assert!(near.peek(hash(77), &By(&other)).is_none());
            if self.1.is_multiple_of(8) {
                near.clear();
            }
            near.sweep();
            near.counts();
            bury(other);
            PRYING.set(false);
        }
    }

    impl PartialEq for Nosy {
        fn eq(&self, other: &Self) -> bool {
            self.pry();
            self.1 == other.1
        }
    }

    impl Eq for Nosy {}

    impl Hash for Nosy {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.1.hash(state);
        }
    }

    impl Clone for Nosy {
        fn clone(&self) -> Self {
            self.pry();
            Nosy(self.0, self.1)
        }
    }

    impl Drop for Nosy {
        fn drop(&mut self) {
            assert!(!is_closed(), "dropped in a store");
        }
    }

    #[test]
    fn eq_and_clone_that_call_the_same_store_do_not_hang() {
        for &kind in KINDS {
            let near: &'static Near<Nosy, Nosy> = Box::leak(Box::new(Near::new(kind, &entries(10))));
            for round in 0..100 {
                for key in 0..20 {
                    near.put(Nosy(near, key), Nosy(near, round));
                }
                // Those that clear the store come late.
                for key in (0..20).rev() {
                    if let Some(found) = near.look(Nosy(near, key)) {
                        assert_eq!(found.1, round);
                    }
                }
                near.take(Nosy(near, round));
            }
            PRYING.set(true);
            assert!(near.look(Nosy(near, 77)).is_none());
            PRYING.set(false);
        }
        assert!(OPEN.get() > 100, "the store is open");
    }

    thread_local! {
        /// After how many calls of user code one panics.
        static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
    }

    fn burn() {
        let left = FUSE.get();
        if left != u32::MAX && !thread::panicking() {
            FUSE.set(left - 1);
            if left == 1 {
                FUSE.set(u32::MAX);
                panic!("on purpose");
            }
        }
    }

    /// A key and value that panics when the fuse has burnt down, and counts how many there are.
    #[derive(Debug)]
    struct Bomb(u64, Arc<AtomicI64>);

    impl Bomb {
        fn new(number: u64, alive: &Arc<AtomicI64>) -> Self {
            alive.fetch_add(1, Relaxed);
            Bomb(number, alive.clone())
        }
    }

    impl PartialEq for Bomb {
        fn eq(&self, other: &Self) -> bool {
            burn();
            self.0 == other.0
        }
    }

    impl Eq for Bomb {}

    impl Hash for Bomb {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    impl Clone for Bomb {
        fn clone(&self) -> Self {
            burn();
            Bomb::new(self.0, &self.1)
        }
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Relaxed);
            burn();
        }
    }

    /// Some of everything; each step on its own, so that the ones after a panic are taken as well.
    fn exercise(near: &Near<Bomb, Bomb>, alive: &Arc<AtomicI64>) -> bool {
        let bomb = |number| Bomb::new(number, alive);
        let mut panicked = false;
        let mut step = |key: u64, work: &dyn Fn(u64, &Bomb)| {
            // Made out here, as a result is leaked when a local panics in its drop (rust-lang/rust#47949).
            let key = bomb(key);
            let work = || work(hash(&key), &key);
            panicked |= catch_unwind(AssertUnwindSafe(work)).is_err();
            panicked |= catch_unwind(AssertUnwindSafe(|| drop(key))).is_err();
        };
        for key in 0..6 {
            step(key, &|_, _| near.put(bomb(key), bomb(key)));
            step(key, &|hash, key| drop(near.get(hash, By(key))));
        }
        for key in 0..6 {
            step(key, &|_, _| near.put(bomb(key), bomb(key)));
            step(key, &|hash, key| drop(near.peek(hash, &By(key))));
        }
        step(4, &|_, _| near.put_for(bomb(4), bomb(4), Duration::ZERO));
        step(3, &|_, _| near.put_heavy(bomb(3), bomb(3), u32::MAX));
        step(5, &|hash, key| {
            near.remove(hash, &By(key));
        });
        step(6, &|_, _| near.put_for(bomb(6), bomb(6), HOUR));
        step(7, &|_, _| near.put_for(bomb(7), bomb(7), HOUR));
        clock::advance(2 * HOUR);
        step(6, &|hash, key| drop(near.get(hash, By(key))));
        step(0, &|_, _| near.sweep());
        step(8, &|_, _| near.put(bomb(8), bomb(8)));
        panicked
    }

    #[test]
    fn a_panic_in_eq_clone_or_drop_leaves_a_sound_store() {
        let _alone = clock::alone();
        let heavy = Limits { capacity: Some(4), ..weight(4) };
        each(&[entries(4), weight(4), heavy, entries(1000)], |_: Near<Bomb, Bomb>, limits| {
            for &kind in KINDS {
                let mut reached = 0;
                for fuse in 1.. {
                    let alive = Arc::new(AtomicI64::new(0));
                    let near = Near::<Bomb, Bomb>::new(kind, &limits);
                    FUSE.set(fuse);
                    let panicked = exercise(&near, &alive);
                    let burnt = FUSE.replace(u32::MAX) == u32::MAX;
                    reached += u32::from(burnt);
                    assert!(burnt || !panicked);
                    audit(kind, &near, &alive);
                    if !burnt {
                        break;
                    }
                }
                assert!(reached > 20, "{reached}");
            }
        });
    }

    #[test]
    fn a_store_that_goes_away_survives_panics_in_drops() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("on purpose");
            }
        }
        each(&[entries(1000)], |near: Near<u64, Arc<Bad>>, _| {
            for key in 0..10 {
                near.put(key, Arc::new(Bad));
            }
            drop(near);
        });
    }

    /// A store after a panic: it counts what it holds, holds what it should, and works.
    fn audit(kind: Kind, near: &Near<Bomb, Bomb>, alive: &Arc<AtomicI64>) {
        assert!(!is_closed());
        let counts = near.counts();
        let found =
            (0..10).filter(|&key| near.look(Bomb::new(key, alive)).is_some_and(|v| v.0 == key)).count();
        assert_eq!(found as u64, counts.entries, "{counts:?}");
        assert_eq!(counts.weight, counts.entries);
        near.settle();
        if kind == Kind::Memory {
            // A key and a value each, none lost and none leaked.
            assert_eq!(alive.load(Relaxed), 2 * found as i64);
        }
        for key in 0..20 {
            near.put(Bomb::new(key, alive), Bomb::new(key, alive));
            assert_eq!(near.look(Bomb::new(key, alive)).map(|v| v.0), Some(key));
        }
        near.clear();
        assert_eq!((near.counts().entries, near.counts().weight), (0, 0));
        near.settle();
        if kind == Kind::Memory {
            assert_eq!(alive.load(Relaxed), 0);
        }
    }

    #[test]
    fn nothing_is_lost_or_kept_when_threads_do_everything_at_once() {
        let _alone = clock::alone();
        let all = [
            entries(50),
            entries(2000),
            weight(300),
            Limits { capacity: Some(40), ..weight(100) },
            Limits { lifetimes: true, tti: Some(HOUR), ..entries(600) },
        ];
        each(&all, |near: Near<Bomb, Bomb>, limits| {
            let alive = Arc::new(AtomicI64::new(0));
            let done = AtomicBool::new(false);
            thread::scope(|scope| {
                let workers: Vec<_> = (0..4_u64)
                    .map(|thread| {
                        let (near, alive) = (&near, &alive);
                        scope.spawn(move || {
                            let mut random = thread + 1;
                            for _ in 0..6000 {
                                random ^= random << 13;
                                random ^= random >> 7;
                                random ^= random << 17;
                                let key = random % 3000;
                                let bomb = || Bomb::new(key, alive);
                                match random >> 60 {
                                    0..6 => near.put_heavy(bomb(), bomb(), (key % 5) as u32),
                                    6..8 => near.put_for(bomb(), bomb(), HOUR * (key as u32 % 3)),
                                    8..14 => assert!(near.look(bomb()).is_none_or(|v| v.0 == key)),
                                    14 => {
                                        near.take(bomb());
                                    }
                                    _ => assert!(near.glance(bomb()).is_none_or(|v| v.0 == key)),
                                }
                            }
                        })
                    })
                    .collect();
                scope.spawn(|| {
                    let mut left = 1000;
                    while !done.load(Relaxed) {
                        // The clock has only 146 years.
                        if left > 0 {
                            left -= 1;
                            clock::advance(HOUR / 2);
                        }
                        near.sweep();
                        near.counts();
                        thread::yield_now();
                    }
                });
                workers.into_iter().for_each(|worker| worker.join().expect("no panic"));
                done.store(true, Relaxed);
            });
            let counts = near.counts();
            println!("{counts:?}");
            assert!(counts.entries * 10 <= limits.capacity.unwrap_or(u64::MAX / 100) * 11);
            assert!(counts.weight * 10 <= limits.max_weight.unwrap_or(u64::MAX / 100) * 11);
            near.settle();
            if matches!(near, Near::Memory(_)) {
                assert_eq!(alive.load(Relaxed), 2 * counts.entries as i64);
            }
            near.clear();
            assert_eq!((near.counts().entries, near.counts().weight), (0, 0));
            near.settle();
            if matches!(near, Near::Memory(_)) {
                assert_eq!(alive.load(Relaxed), 0);
            }
        });
    }

    #[cfg(feature = "moka")]
    #[test]
    fn burials_wait_until_the_thread_is_out_and_survive_panics() {
        struct Tells(Arc<AtomicI64>, bool);
        impl Drop for Tells {
            fn drop(&mut self) {
                assert!(!is_closed());
                self.0.fetch_add(1, Relaxed);
                assert!(!self.1, "on purpose");
            }
        }
        let dropped = Arc::new(AtomicI64::new(0));
        let inside = inside::Inside::enter().expect("out");
        assert!(inside::Inside::enter().is_none());
        for panics in [false, true, false] {
            bury(Tells(dropped.clone(), panics));
        }
        assert_eq!(dropped.load(Relaxed), 0);
        drop(inside);
        assert_eq!(dropped.load(Relaxed), 3);
        bury(Tells(dropped.clone(), true));
        assert_eq!(dropped.load(Relaxed), 4);
        assert!(inside::Inside::enter().is_some());
    }

    /// Where a store says that it has taken other limits, it keeps to them, and what fits has stayed; where it says no, it
    /// is as it was.
    #[cfg(feature = "config")]
    #[test]
    fn limits_can_be_moved_or_stay() {
        let bounds = [entries(1000), weight(1000), Limits::default(), idle(HOUR)];
        each(&bounds, |near: Near<u64, u64>, before| {
            (0..500).for_each(|n| near.put(n, n));
            let full = near.entries();
            for after in
                [entries(2000), entries(100), Limits::default(), weight(5000), idle(HOUR), entries(700)]
            {
                let stored = near.entries();
                let moved = near.resize(&after);
                if !moved {
                    assert_eq!(near.entries(), stored, "{after:?}");
                    continue;
                }
                let most = after.capacity.unwrap_or(u64::MAX);
                assert!(near.entries() <= most, "{after:?}: {}", near.entries());
                if before.tti.is_none() && after.tti.is_none() && most >= full {
                    assert!((0..500).all(|n| near.glance(n).is_none_or(|found| found == n)));
                }
                (0..500).for_each(|n| near.put(n, n));
                assert!(
                    near.entries() <= most && near.entries() >= most.min(500) * 2 / 3,
                    "{after:?}: {}",
                    near.entries()
                );
            }
            assert_eq!(near.resize(&entries(300)), matches!(near.kind(), Kind::Memory | Kind::Thread));
        });
    }

    /// One by one, and in the end all of them, although each panics.
    #[cfg(feature = "config")]
    #[test]
    fn values_that_panic_when_a_smaller_store_drops_them() {
        #[derive(Clone)]
        struct Loud;
        impl Drop for Loud {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("dropped"));
            }
        }
        let near = Near::<u64, Loud>::new(Kind::Memory, &entries(200));
        (0..100).for_each(|n| near.put(n, Loud));
        assert!(near.resize(&entries(10)));
        let counts = near.counts();
        assert!(counts.entries <= 10 && counts.entries + counts.evicted == 100, "{counts:?}");
        assert!(near.resize(&entries(200)));
        near.clear();
        assert_eq!(near.entries(), 0);
    }

    /// The seam asks no more of its types than this.
    #[test]
    fn stores_can_be_shared() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Near<String, Vec<u8>>>();
        fn told<T: Debug>(_: T) {}
        told((Kind::Memory, Limits::default(), NearCounts::default()));
    }
}
