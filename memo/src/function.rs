//! A memoized function as it runs: who it is, its settings, its store, its flights, its counters.
//!
//! A `static` in generated code ([`Function`]) stands for the function as it was written. Each instantiation, by the type
//! parameters of the function and of the `impl` around it, has a [`Memo`] of its own, made at the first call and kept
//! for good. Generated code finds it through a [`Site`]: attribute macros cannot name the parameters of the `impl`, but
//! the type of a closure written in the body depends on all of them, and is what tells instantiations apart.

use std::any::TypeId;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use crate::error::Error;
use crate::far::{Far, FarTypes};
use crate::flight::Flights;
use crate::flight::graph::Graph;
use crate::key::{OwnedPart, Part};
use crate::near::{Kind, Limits, Near, runs_user_code};
use crate::outcome::{MaybeNone, Value};
use crate::park::block_on;
use crate::plan::Plan;
use crate::registry::{self, Clearing, Memoized};
use crate::stats::{Counters, Stats};

/// How many entries a function keeps in memory if it does not say.
const DEFAULT_CAPACITY: u64 = 10_000;

/// A memoized function as it was written: what all its instantiations have in common.
#[derive(Debug)]
pub struct Function {
    module: &'static str,
    name: &'static str,
    /// Its instantiations: lists, by bits of their identity.
    memos: [AtomicPtr<Header>; BUCKETS],
}

const BUCKETS: usize = 8;

impl Function {
    /// The function `name` of the module `module`.
    pub const fn new(module: &'static str, name: &'static str) -> Self {
        Function { module, name, memos: [const { AtomicPtr::new(std::ptr::null_mut()) }; BUCKETS] }
    }

    /// Its instantiations that have been called.
    pub(crate) fn memos(&'static self) -> impl Iterator<Item = &'static dyn Memoized> {
        registry::all().into_iter().filter(|memo| std::ptr::eq(memo.function(), self))
    }

    /// What all its instantiations have counted.
    pub fn stats(&'static self) -> Stats {
        let mut stats = Stats::default();
        self.memos().for_each(|memo| stats.add(&memo.stats()));
        stats
    }

    /// Drops the entries of all its instantiations.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub fn clear(&'static self) -> Result<(), Error> {
        block_on(registry::clear(self.memos()))
    }

    /// The same, without blocking the thread.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub async fn clear_async(&'static self) -> Result<(), Error> {
        registry::clear(self.memos()).await
    }
}

/// What tells one instantiation from the others, and its typed record from memory of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    /// The closure that stands for the type parameters.
    marker: TypeId,
    /// Key, value and failure.
    types: TypeId,
}

impl Identity {
    /// Some bits of it. All constants, so that this is one as well in optimized code.
    #[inline(always)]
    fn bucket(&self) -> usize {
        struct Last(u64);
        impl Hasher for Last {
            #[inline(always)]
            fn write(&mut self, bytes: &[u8]) {
                self.0 = bytes.first().copied().unwrap_or(0).into();
            }
            #[inline(always)]
            fn write_u64(&mut self, bits: u64) {
                self.0 = bits;
            }
            #[inline(always)]
            fn finish(&self) -> u64 {
                self.0
            }
        }
        let mut last = Last(0);
        self.marker.hash(&mut last);
        last.finish() as usize % BUCKETS
    }
}

/// The beginning of each [`Memo`], whatever its types.
#[derive(Debug)]
struct Header {
    identity: Identity,
    next: *mut Header,
}

/// One instantiation of a memoized function, before the types of its key and its results are known.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    function: &'static Function,
    marker: TypeId,
    settings: fn() -> Settings,
}

impl Site {
    /// The instantiation of `function` that the type of the closure `_marker` stands for. `settings` is called once,
    /// at the first call.
    #[inline(always)]
    pub fn new<M: Fn()>(function: &'static Function, _marker: M, settings: fn() -> Settings) -> Self {
        Site { function, marker: typeid::of::<M>(), settings }
    }

    /// The function that it is an instantiation of.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    /// Where its results live, and why; also before its first call.
    pub fn plan(&self) -> Plan {
        let called = self.function.memos().find(|memo| memo.marker() == self.marker);
        called.map_or_else(|| Plan::of(&(self.settings)()), Memoized::plan)
    }

    #[inline(always)]
    pub(crate) fn marker(&self) -> TypeId {
        self.marker
    }

    /// The record of `site`.
    #[inline(always)]
    pub(crate) fn memo<K: OwnedPart, V: Value, F: Value>(
        site: &impl Fn() -> Self,
        hooks: fn(Hooks<K, V>) -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let Site { function, marker, .. } = site();
        let identity = Identity { marker, types: TypeId::of::<(K, V, F)>() };
        let bucket = &function.memos[identity.bucket()];
        match record::find(bucket.load(Ordering::Acquire), &identity) {
            Some(memo) => memo,
            None => Self::make(site, hooks),
        }
    }

    #[cold]
    #[inline(never)]
    fn make<K: OwnedPart, V: Value, F: Value>(
        site: &impl Fn() -> Self,
        hooks: fn(Hooks<K, V>) -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let Site { function, marker, settings } = site();
        let identity = Identity { marker, types: TypeId::of::<(K, V, F)>() };
        // the author's expressions run here, where nothing is locked
        let memo = Memo::<K, V, F>::new(function, identity, settings(), hooks(Hooks::new()), &GRAPH);
        let mut all = registry::lock();
        // another thread may have been faster
        let bucket = &function.memos[identity.bucket()];
        let first = bucket.load(Ordering::Acquire);
        if let Some(memo) = record::find(first, &identity) {
            return memo;
        }
        let memo = record::publish(Box::new(memo), bucket, first);
        all.push(memo);
        drop(all);
        crate::sweep::register(&memo.near);
        if let Some(far) = &memo.far {
            far.watch(|changed| match changed {
                Some(hash) => drop(memo.near.remove(hash, &Anything)),
                None => memo.near.clear(),
            });
        }
        memo
    }
}

/// Finds whatever key has a hash.
struct Anything;

impl<K> crate::near::Lookup<K> for Anything {
    fn matches(&self, _: &K) -> bool {
        true
    }
}

/// The lists of records that differ in type: where a [`Header`] is taken for the [`Memo`] that it begins.
#[allow(unsafe_code)]
mod record {
    use super::*;

    /// The record with `identity` in the list that begins at `first`.
    #[inline(always)]
    pub(super) fn find<K: OwnedPart, V: Value, F: Value>(
        first: *mut Header,
        identity: &Identity,
    ) -> Option<&'static Memo<K, V, F>> {
        let mut at = first;
        while !at.is_null() {
            // SAFETY: what is in a list has been put there by `publish`: it points at a leaked `Memo`, never written
            // to since through this pointer, and its header is at its beginning (`repr(C)`). Loaded with `Acquire`
            // after a `Release` store, or, `next`, written before that.
            let header = unsafe { &*at };
            if header.identity == *identity {
                debug_assert_eq!(header.identity.types, TypeId::of::<(K, V, F)>());
                // SAFETY: as above; and the type is the one it was made with, since `identity.types` is the `TypeId`
                // of its three parameters, which are `'static` and so differ in nothing that a `TypeId` leaves out.
                return Some(unsafe { &*at.cast::<Memo<K, V, F>>() });
            }
            at = header.next;
        }
        None
    }

    /// Puts `memo` before `first`, in the list of `bucket`. The caller holds the registry's lock.
    pub(super) fn publish<K: OwnedPart, V: Value, F: Value>(
        mut memo: Box<Memo<K, V, F>>,
        bucket: &AtomicPtr<Header>,
        first: *mut Header,
    ) -> &'static Memo<K, V, F> {
        memo.header.next = first;
        let memo = Box::into_raw(memo);
        bucket.store(memo.cast::<Header>(), Ordering::Release);
        // SAFETY: leaked above, so it lives for good; only shared references are made of it from here on.
        unsafe { &*memo }
    }
}

// SAFETY: `next` is written before the header is shared and only read after.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

/// What a function's author has set, where it does not depend on the types of its key and its results.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) owner: Option<&'static str>,
    pub(crate) name: Option<&'static str>,
    pub(crate) version: u64,
    pub(crate) kind: Kind,
    pub(crate) engine: Option<&'static str>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) tti: Option<Duration>,
    pub(crate) error_ttl: Option<Duration>,
    pub(crate) capacity: Option<u64>,
    pub(crate) max_weight: Option<u64>,
    pub(crate) ttl_of: bool,
    pub(crate) single_flight: bool,
    /// Whether results are kept in memory; else only while the engines named fail.
    pub(crate) near: bool,
    /// Engines that outlive the process, nearest first.
    pub(crate) far: Vec<&'static str>,
    /// The type parameters, as far as engines that outlive the process need to know.
    #[cfg(feature = "engines")]
    pub(crate) parameters: String,
    /// A digest of the function's tokens; 0 where edits are not tracked.
    #[cfg(feature = "engines")]
    pub(crate) code: u64,
    #[cfg(feature = "engines")]
    pub(crate) codec: crate::far::Codec,
}

impl Settings {
    /// All at their defaults.
    pub fn new() -> Self {
        Settings {
            owner: None,
            name: None,
            version: 0,
            kind: Kind::Memory,
            engine: None,
            ttl: None,
            tti: None,
            error_ttl: None,
            capacity: Some(DEFAULT_CAPACITY),
            max_weight: None,
            ttl_of: false,
            single_flight: true,
            near: true,
            far: Vec::new(),
            #[cfg(feature = "engines")]
            parameters: String::new(),
            #[cfg(feature = "engines")]
            code: 0,
            #[cfg(feature = "engines")]
            codec: crate::far::Codec::default(),
        }
    }

    /// The type whose method it is, by `type_name::<Self>()`.
    pub fn owner(mut self, owner: &'static str) -> Self {
        self.owner = Some(owner);
        self
    }

    /// `name`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// `version`.
    pub fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// `engine = "memory"`.
    pub fn memory(mut self) -> Self {
        (self.kind, self.engine) = (Kind::Memory, Some("memory"));
        self
    }

    /// `engine = "moka"`.
    #[cfg(feature = "moka")]
    pub fn moka(mut self) -> Self {
        (self.kind, self.engine) = (Kind::Moka, Some("moka"));
        self
    }

    /// `ttl`.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// `tti`.
    pub fn tti(mut self, tti: Duration) -> Self {
        self.tti = Some(tti);
        self
    }

    /// `cache_err = "10s"`.
    pub fn error_ttl(mut self, ttl: Duration) -> Self {
        self.error_ttl = Some(ttl);
        self
    }

    /// `capacity`.
    pub fn capacity(mut self, capacity: impl Count) -> Self {
        self.capacity = Some(capacity.count());
        self
    }

    /// `capacity = "unbounded"`.
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self
    }

    /// `max_weight`, which replaces the capacity.
    pub fn max_weight(mut self, weight: impl Count) -> Self {
        (self.max_weight, self.capacity) = (Some(weight.count()), None);
        self
    }

    /// `ttl_of` is given.
    pub fn ttl_of(mut self) -> Self {
        self.ttl_of = true;
        self
    }

    /// `single_flight = false`.
    pub fn no_single_flight(mut self) -> Self {
        self.single_flight = false;
        self
    }

    /// `engine`, where it names engines that outlive the process; `near`: memory stands before them.
    #[cfg(feature = "engines")]
    pub fn far(mut self, near: bool, engines: &[&'static str]) -> Self {
        (self.near, self.far) = (near, engines.to_vec());
        self
    }

    /// The type parameters, by their names.
    #[cfg(feature = "engines")]
    pub fn parameters(mut self, types: &[&str], consts: &[&dyn std::fmt::Debug]) -> Self {
        self.parameters = format!("{types:?}{consts:?}");
        self
    }

    /// `code = "track"`: a digest of the function's tokens.
    #[cfg(feature = "engines")]
    pub fn code(mut self, code: u64) -> Self {
        self.code = code;
        self
    }

    /// `codec`.
    #[cfg(feature = "engines")]
    pub fn codec(mut self, codec: crate::far::Codec) -> Self {
        self.codec = codec;
        self
    }

    pub(crate) fn expires(&self) -> bool {
        self.ttl.is_some() || self.tti.is_some() || self.error_ttl.is_some() || self.ttl_of
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// Integers that can say how many.
#[diagnostic::on_unimplemented(
    message = "a capacity or weight must be an unsigned integer, not `{Self}`",
    label = "expected `u64`, `usize` or another unsigned integer"
)]
pub trait Count {
    /// How many, at most `u64::MAX`.
    fn count(self) -> u64;
}

macro_rules! counts {
    ($($int:ty)*) => {$(
        impl Count for $int {
            fn count(self) -> u64 {
                u64::try_from(self).unwrap_or(u64::MAX)
            }
        }
    )*};
}
counts!(u8 u16 u32 u64 usize u128);

/// `weigh`.
pub(crate) type Weigh<K, V> = fn(&K, &V) -> u32;
/// `ttl_of`.
pub(crate) type TtlOf<V> = fn(&V) -> Option<Duration>;

/// What a function's author has set that looks at keys and results.
#[derive(Debug)]
pub struct Hooks<K, V> {
    weigh: Option<Weigh<K, V>>,
    ttl_of: Option<TtlOf<V>>,
    cache_if: Option<fn(&V) -> bool>,
    skip: Option<fn(&V) -> bool>,
    far: Option<FarTypes<K, V>>,
}

impl<K, V> Hooks<K, V> {
    fn new() -> Self {
        Hooks { weigh: None, ttl_of: None, cache_if: None, skip: None, far: None }
    }

    /// `weigh`.
    pub fn weigh(mut self, weigh: Weigh<K, V>) -> Self {
        self.weigh = Some(weigh);
        self
    }

    /// `ttl_of`.
    pub fn ttl_of(mut self, ttl_of: TtlOf<V>) -> Self {
        self.ttl_of = Some(ttl_of);
        self
    }

    /// `cache_if`.
    pub fn cache_if(mut self, cache_if: fn(&V) -> bool) -> Self {
        self.cache_if = Some(cache_if);
        self
    }

    /// How keys and results become bytes, for engines that outlive the process.
    #[cfg(feature = "engines")]
    pub fn far(
        mut self,
        key: fn() -> crate::far::KeyType<K>,
        value: fn() -> crate::far::ValueType<V>,
    ) -> Self {
        self.far = Some(FarTypes { key: key(), value: value() });
        self
    }

    /// `cache_none = false`.
    pub fn skip_none(mut self) -> Self
    where
        V: MaybeNone,
    {
        self.skip = Some(V::is_none);
        self
    }
}

/// One instantiation of a memoized function.
#[repr(C)]
pub(crate) struct Memo<K: OwnedPart, V: Value, F: Value> {
    header: Header,
    pub(crate) near: Near<K, V>,
    hasher: foldhash::fast::RandomState,
    pub(crate) counters: Counters,
    pub(crate) flights: Flights<K, V, F>,
    pub(crate) settings: Settings,
    hooks: Hooks<K, V>,
    pub(crate) far: Option<Far<K, V>>,
    /// Whether code of the user's can run while a result is looked for or stored.
    pub(crate) runs_user_code: bool,
    function: &'static Function,
    name: String,
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Memo<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memo")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How a value is to be stored.
pub(crate) struct Storage {
    pub(crate) weight: u32,
    pub(crate) lifetime: Option<Duration>,
}

static GRAPH: LazyLock<Graph> = LazyLock::new(Graph::default);

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    fn new(
        function: &'static Function,
        identity: Identity,
        settings: Settings,
        mut hooks: Hooks<K, V>,
        graph: &'static Graph,
    ) -> Self {
        let name = registry::name(function.module, function.name, &settings);
        let limits = Limits {
            capacity: settings.capacity,
            max_weight: settings.max_weight,
            tti: settings.tti,
            lifetimes: settings.expires(),
        };
        let callbacks = hooks.weigh.is_some() || hooks.ttl_of.is_some() || hooks.cache_if.is_some();
        Memo {
            runs_user_code: callbacks
                || runs_user_code::<K>()
                || runs_user_code::<V>()
                || runs_user_code::<F>(),
            header: Header { identity, next: std::ptr::null_mut() },
            near: Near::new(settings.kind, &limits),
            hasher: foldhash::fast::RandomState::default(),
            counters: Counters::new(),
            flights: Flights::new(graph),
            far: Far::open(&settings, hooks.far.take(), &name),
            name,
            settings,
            hooks,
            function,
        }
    }

    /// A record in no list, for models of it.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model(graph: &'static Graph) -> &'static Self {
        static FUNCTION: Function = Function::new("models", "model");
        let identity = Identity { marker: TypeId::of::<()>(), types: TypeId::of::<(K, V, F)>() };
        Box::leak(Box::new(Memo::new(&FUNCTION, identity, Settings::new(), Hooks::new(), graph)))
    }

    #[inline(always)]
    pub(crate) fn hash<P: Part<Owned = K>>(&self, key: &P) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        key.hash_part(&mut hasher);
        hasher.finish()
    }

    /// How `value` is to be stored, if it is.
    pub(crate) fn storage(&self, key: &K, value: &V, is_error: bool) -> Option<Storage> {
        if self.hooks.skip.is_some_and(|skip| skip(value)) {
            return None;
        }
        if self.hooks.cache_if.is_some_and(|cache_if| !cache_if(value)) {
            return None;
        }
        let own = match (is_error, self.settings.error_ttl) {
            (true, Some(ttl)) => Some(ttl),
            _ => self.hooks.ttl_of.and_then(|ttl_of| ttl_of(value)),
        };
        let lifetime = own.or(self.settings.ttl);
        if lifetime == Some(Duration::ZERO) {
            return None;
        }
        let weight = self.hooks.weigh.map_or(1, |weigh| weigh(key, value));
        if self.settings.max_weight.is_some_and(|most| u64::from(weight) > most) {
            return None;
        }
        Some(Storage { weight, lifetime })
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memoized for Memo<K, V, F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn function(&self) -> &'static Function {
        self.function
    }

    fn marker(&self) -> TypeId {
        self.header.identity.marker
    }

    fn stats(&self) -> Stats {
        let counts = self.near.counts();
        Stats {
            entries: counts.entries,
            weight: counts.weight,
            evicted: counts.evicted,
            expired: counts.expired,
            tiers: self.far.as_ref().map(Far::stats).unwrap_or_default(),
            ..Stats::of(&self.counters)
        }
    }

    fn clear(&'static self) -> Clearing {
        self.flights.supersede_all();
        self.near.clear();
        match &self.far {
            Some(far) => Box::pin(far.clear()),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn plan(&self) -> Plan {
        Plan::of(&self.settings)
    }
}
