//! What of a record a reload of the configuration replaces, as one.

use std::any::TypeId;

use crate::far::Far;
use crate::function::Function;
use crate::gate::Gate;
use crate::hooks::Hooks;
use crate::limiter::Limiter;
use crate::route::Route;
use crate::settings::{Settings, SingleFlight};

/// For whom the leader of a flight computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leads {
    /// For all who ask for the key.
    All,
    /// For itself, as the others do (`single_flight = false`).
    Alone,
}

/// What a reload of the configuration replaces, as one.
pub(crate) struct Version<K, V> {
    pub(crate) settings: Settings,
    pub(super) route: Route,
    /// By which computations come in, if there may be no more than some at once.
    pub(crate) gate: Option<&'static Gate>,
    /// By which they come in, if there may be no more than some in some time.
    pub(crate) limiter: Option<&'static Limiter>,
    pub(crate) far: Option<Far<K, V>>,
    /// See [`Memo::is_plain`](super::Memo::is_plain).
    pub(super) plain: bool,
    /// See [`Memo::is_aged`](super::Memo::is_aged).
    pub(super) aged: bool,
    /// How a miss leads its flight, if it has nothing else to look for first; `None` if engines may have the result, if
    /// each computation is to be timed, or if there may be no more than some at once.
    pub(crate) leads: Option<Leads>,
}

impl<K, V: 'static> Version<K, V> {
    /// A version for the `function`, which is called `name`, of the instantiation that `marker` stands for.
    pub(super) fn new(
        settings: Settings,
        hooks: &Hooks<K, V>,
        function: &'static Function,
        name: &str,
        marker: TypeId,
    ) -> Self {
        let types = hooks.far.as_ref();
        let mut route = crate::far::route(&settings, name, types);
        if !route.far.is_empty() && crate::far::claim(&settings, name, marker) {
            route = crate::far::route(&settings, name, types);
        }
        let plain = settings.enabled()
            && settings.ttl.is_none()
            && settings.error_ttl.is_none()
            && settings.max_weight.is_none()
            && !hooks.choose();
        let aged = is_aged(&settings, hooks);
        let far = Far::open(&settings, &route, types, name);
        let function = std::ptr::from_ref(function).addr();
        let gate = settings.sparing.at_once.map(|_| Gate::of(function));
        let limiter = settings.sparing.limit.and_then(|rate| Limiter::of(function, rate));
        let leads = (far.is_none() && !aged && gate.is_none() && limiter.is_none() && settings.enabled())
            .then_some(match settings.single_flight {
                Some(SingleFlight::Off) => Leads::Alone,
                _ => Leads::All,
            });
        Version { far, gate, limiter, route, plain, aged, leads, settings }
    }
}

/// Whether entries need to know more than when they end.
pub(super) fn is_aged<K, V>(settings: &Settings, hooks: &Hooks<K, V>) -> bool {
    settings.freshness.is_asked() || hooks.valid_if.is_some()
}
