//! One instantiation of a memoized function, as generated code has it, and its record.
//!
//! A `static` in generated code ([`Function`]) stands for the function as it was written. Each instantiation, by the type
//! parameters of the function and of the `impl` around it, has a [`Memo`] of its own, made at the first call and kept
//! for good. Generated code finds it through a [`Site`]: attribute macros cannot name the parameters of the `impl`, but
//! the type of a closure written in the body depends on all of them, and is what tells instantiations apart.

use std::any::TypeId;
use std::marker::PhantomData;
use std::sync::LazyLock;

use crate::config;
use crate::counters::Counters;
use crate::flight::graph::Graph;
use crate::function::{Family, Function};
use crate::hooks::Hooks;
use crate::key::OwnedPart;
use crate::memo::{Code, Memo};
use crate::memoized::Memoized;
use crate::outcome::Value;
use crate::plan::Plan;
use crate::registry;
use crate::route::Route;
use crate::settings::Settings;
use crate::signpost::{LISTS, Signpost};

/// Who waits for whom, among the flights of all functions.
static GRAPH: LazyLock<Graph> = LazyLock::new(Graph::default);

/// One instantiation of a memoized function, before the types of its key and its results are known.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    function: &'static Function,
    /// None for a function with one instantiation, whose code has a signpost of its own.
    signposts: Option<&'static [Signpost; LISTS]>,
    marker: TypeId,
    settings: fn() -> Settings,
}

/// The marker of a site that means any instantiation of its function.
struct Any;

impl Site {
    /// The instantiation of `family` that the type of the closure `_marker` stands for. `settings` is called once,
    /// at the first call.
    #[inline(always)]
    pub fn new<M: Fn()>(family: &'static Family, _marker: M, settings: fn() -> Settings) -> Self {
        let Family { function, signposts } = family;
        Site { function, signposts: Some(signposts), marker: typeid::of::<M>(), settings }
    }

    /// The one instantiation of `function`, for which `marker` stands.
    pub(crate) fn single(function: &'static Function, marker: TypeId, settings: fn() -> Settings) -> Self {
        Site { function, signposts: None, marker, settings }
    }

    /// The site of any instantiation of the function: its plan is that of the one that was called first.
    pub fn any(self) -> Self {
        Site { marker: TypeId::of::<Any>(), ..self }
    }

    /// The function that it is an instantiation of.
    pub fn function(&self) -> &'static Function {
        self.function
    }

    /// Where its results live, and why. Before the first call, where they would live.
    pub fn plan(&self) -> Plan {
        self.planned(|settings, name| crate::far::route::<(), ()>(settings, name, None))
    }

    /// Where the results of a function live that may be stored outside of the process, and why. Before the first call, where
    /// they would live. `T` describes the types of key and result to the strategy; the argument only names `T`, and is always
    /// `None`.
    #[cfg(feature = "engines")]
    pub fn plan_of<T: crate::far::Typed>(&self, _typed: Option<T>) -> Plan {
        self.planned(|settings, name| crate::far::route_by(settings, name, Some(&T::profiles())))
    }

    fn planned(&self, route: impl FnOnce(&Settings, &str) -> Route) -> Plan {
        let called = self
            .function
            .memos()
            .find(|memo| self.marker == TypeId::of::<Any>() || memo.marker() == self.marker);
        called.map_or_else(
            || {
                let settings = (self.settings)();
                let name = settings.name_of(self.function.module, self.function.name);
                let in_force = config::settings(&name, &settings);
                route(&in_force, &name).plan.with_freshness(&in_force, &settings.freshness)
            },
            Memoized::plan,
        )
    }

    #[inline(always)]
    pub(crate) fn marker(&self) -> TypeId {
        self.marker
    }

    /// The record of the site that every `S` gives, if there is a signpost to it. There is one once this code has called
    /// [`memo_by`](Self::memo_by).
    #[inline(always)]
    pub(crate) fn signposted<S: Fn() -> Self, K: OwnedPart, V: Value, F: Value>(
        site: &S,
    ) -> Option<&'static Memo<K, V, F>> {
        Code::of::<S>().signposted(site().signposts?)
    }

    /// The record, which is made if there is none, and a signpost to it, so that from now on this code finds it by
    /// [`signposted`](Self::signposted).
    #[inline(never)]
    pub(crate) fn memo_by<K: OwnedPart, V: Value, F: Value>(
        self,
        code: Code<K, V, F>,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let Some(signposts) = self.signposts else { return self.memo(hooks) };
        if let Some(memo) = code.signposted(signposts) {
            return memo;
        }
        let memo = self.memo(hooks);
        code.put_up(signposts, memo);
        memo
    }

    /// The record, made if there is none.
    pub(crate) fn memo<K: OwnedPart, V: Value, F: Value>(
        self,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        match self.function.records.find(self.marker) {
            Some(memo) => memo,
            None => self.make(hooks),
        }
    }

    #[cold]
    #[inline(never)]
    fn make<K: OwnedPart, V: Value, F: Value>(
        self,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let function = self.function;
        crate::trace::register();
        #[cfg(feature = "config")]
        let generation = config::generation();
        // the author's expressions run here, where nothing is locked
        let author = (self.settings)();
        let memo =
            Memo::<K, V, F>::new(function, self.marker, author, None, hooks(), Counters::new(), &GRAPH);
        memo.say_missing();
        let mut all = registry::lock();
        // another thread may have been faster
        if let Some(memo) = function.records.find(self.marker) {
            return memo;
        }
        let memo = function.records.publish(Box::new(memo));
        all.push(memo);
        drop(all);
        crate::sweep::register(&memo.near);
        memo.follow(memo);
        // a reload that ran while the record was made has not found it in the registry
        #[cfg(feature = "config")]
        if config::generation() != generation {
            config::reconfigure(memo);
        }
        // and neither has a function of the same name that was registered meanwhile
        #[cfg(feature = "engines")]
        memo.tell_apart();
        memo
    }
}

/// The types of arguments that are written `impl Trait`, which have no names.
#[derive(Debug)]
pub struct Unnamed<T>(PhantomData<fn() -> T>);

impl<T> Clone for Unnamed<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Unnamed<T> {}

/// The types of `_arguments`.
#[inline(always)]
pub fn unnamed<T>(_arguments: &T) -> Unnamed<T> {
    Unnamed(PhantomData)
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests;
