//! One instantiation of a memoized function as it runs: its store, its flights, its counters, its settings.

pub(crate) mod freshness;
mod impatience;
mod memoized;
#[cfg(any(feature = "config", feature = "engines"))]
mod reload;
#[cfg_attr(not(feature = "tracing"), path = "memo/unshown.rs")]
mod shown;
pub(crate) mod storage;
mod variant;
mod version;

use std::any::TypeId;
use std::hash::{BuildHasher, Hasher};

use crate::config;
use crate::counters::Counters;
use crate::flight::Flights;
use crate::flight::graph::Graph;
use crate::function::Function;
use crate::hooks::Hooks;
use crate::key::{OwnedPart, Part};
use crate::near::{Limits, Lookup, Near, may_run_user_code};
use crate::outcome::Value;
use crate::record::{Header, Record};
use crate::scope::Variants;
use crate::settings::Settings;
use crate::signpost;
use crate::stats::Stats;
use crate::versions::Versions;

pub(crate) use version::{Leads, Version};

/// One instantiation of a memoized function.
#[repr(C)]
pub(crate) struct Memo<K: OwnedPart, V: Value, F: Value> {
    header: Header,
    pub(crate) near: Near<K, V>,
    hasher: foldhash::fast::RandomState,
    pub(crate) counters: Counters,
    pub(crate) flights: Flights<K, V, F>,
    versions: Versions<Version<K, V>>,
    /// What its author has set; the configuration takes precedence.
    #[cfg(feature = "config")]
    author: Settings,
    hooks: Hooks<K, V>,
    /// Its other caches, under scopes.
    pub(crate) variants: Variants,
    /// Whether code of the user's can run while a result is looked for or stored.
    pub(crate) runs_user_code: bool,
    function: &'static Function,
    name: String,
}

/// Code that looks for the record of these types.
pub(crate) type Code<K, V, F> = signpost::Code<Memo<K, V, F>>;

// SAFETY: it is `repr(C)`, its header is its first field, and `new` makes that for `Self`.
#[allow(unsafe_code)]
unsafe impl<K: OwnedPart, V: Value, F: Value> Record for Memo<K, V, F> {
    fn header(&mut self) -> &mut Header {
        &mut self.header
    }
}

/// Matches every key: what is looked up with it is found by its hash alone.
pub(crate) struct Anything;

impl<K> Lookup<K> for Anything {
    fn matches(&self, _: &K) -> bool {
        true
    }
}

/// A record dereferences to its current [`Version`]: `memo.settings` and `memo.far` are those in force.
impl<K: OwnedPart, V: Value, F: Value> std::ops::Deref for Memo<K, V, F> {
    type Target = Version<K, V>;

    #[inline]
    fn deref(&self) -> &Version<K, V> {
        self.versions.current()
    }
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Memo<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memo")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What the store in memory is to hold.
fn limits<K, V>(settings: &Settings, hooks: &Hooks<K, V>) -> Limits {
    Limits {
        capacity: settings.capacity,
        max_weight: settings.max_weight,
        tti: settings.tti,
        lifetimes: settings.expires(),
        aged: version::is_aged(settings, hooks),
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    pub(crate) fn new(
        function: &'static Function,
        marker: TypeId,
        author: Settings,
        scoped: Option<Settings>,
        hooks: Hooks<K, V>,
        counters: Counters,
        graph: &'static Graph,
    ) -> Self {
        let name = author.name_of(function.module, function.name);
        let settings = scoped.unwrap_or_else(|| config::settings(&name, &author).into_owned());
        let first = Version::new(settings, &hooks, function, &name, marker);
        let callbacks = hooks.weigh.is_some() || hooks.ttl_of.is_some() || hooks.cache_if.is_some();
        Memo {
            runs_user_code: callbacks
                || may_run_user_code::<K>()
                || may_run_user_code::<V>()
                || may_run_user_code::<F>(),
            header: Header::of::<Self>(marker),
            near: Near::new(first.route.kind, &limits(&first.settings, &hooks), hooks.by_thread),
            hasher: foldhash::fast::RandomState::default(),
            counters,
            flights: Flights::new(graph),
            versions: Versions::new(first),
            variants: Variants::new(),
            #[cfg(feature = "config")]
            author,
            name,
            hooks,
            function,
        }
    }

    /// A record for the model checker. It is in no list.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model(graph: &'static Graph) -> &'static Self {
        Self::model_by(Settings::new(), graph)
    }

    /// As `model`, with these settings.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model_by(author: Settings, graph: &'static Graph) -> &'static Self {
        static FUNCTION: Function = Function::new("models", "model");
        let marker = TypeId::of::<()>();
        let hooks = Hooks::new();
        Box::leak(Box::new(Memo::new(&FUNCTION, marker, author, None, hooks, Counters::new(), graph)))
    }

    /// A record for another cache of the same function, under a scope. It is in no list, and shares the counters.
    pub(crate) fn variant(&self, settings: Settings) -> &'static Self {
        let marker = self.header.marker();
        let (function, counters, hooks) = (self.function, self.counters.same(), self.hooks.clone());
        let graph = self.flights.graph();
        #[cfg(feature = "config")]
        let author = self.author.clone();
        #[cfg(not(feature = "config"))]
        let author = settings.clone();
        Box::leak(Box::new(Memo::new(function, marker, author, Some(settings), hooks, counters, graph)))
    }

    #[inline(always)]
    pub(crate) fn hash<P: Part>(&self, key: &P) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        key.hash_part(&mut hasher);
        hasher.finish()
    }

    /// Has entries in memory removed when another process changes what the engines hold.
    pub(crate) fn follow(&'static self, version: &Version<K, V>) {
        if let Some(far) = &version.far {
            far.follow(|changed| match changed {
                Some(hash) => drop(self.near.remove(hash, &Anything)),
                None => self.near.clear(),
            });
        }
    }

    /// Warns of engines that the function names and that are not registered.
    pub(crate) fn say_missing(&self) {
        self.route.say_missing(&self.name);
    }

    /// Whether there may be no more than some computations at once, or in some time.
    pub(crate) fn is_limited(&self) -> bool {
        self.gate.is_some() || self.limiter.is_some()
    }

    /// Whether a reload has replaced `version`.
    pub(crate) fn has_changed(&self, version: &Version<K, V>) -> bool {
        !std::ptr::eq(self.versions.current(), version)
    }

    /// Whether it uses engines that outlive the process, though something else has its name there.
    pub(crate) fn is_refused(&self) -> bool {
        self.far.is_some() && crate::far::is_refused(&self.settings)
    }

    /// Whether memory only stands in for engines that outlive the process.
    pub(crate) fn stands_in(&self) -> bool {
        !self.route.near
    }

    /// What the store in memory is called.
    pub(crate) fn near_name(&self) -> &'static str {
        crate::route::of_kind(self.route.kind)
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// What its stores count.
    fn store_stats(&self) -> Stats {
        let counts = self.near.counts();
        Stats {
            entries: counts.entries,
            weight: counts.weight,
            evicted: counts.evicted,
            expired: counts.expired,
            recomputed: counts.recomputed,
            tiers: self.far.as_ref().map(|far| far.stats()).unwrap_or_default(),
            ..Stats::default()
        }
    }
}
