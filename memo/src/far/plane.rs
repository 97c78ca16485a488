//! What a function has in the far plane whatever its types: its name there, its engines, and what became of its results.
//!
//! It is compiled once, in this crate; [`Far`](super::typed::Far) adds how keys and results of the function's types become
//! bytes.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use memo_engines::{Calls, CircuitState, Engine, Guarded, Key, Space};

use super::apart::Apart;
use super::built_in;
use super::digest::{digest, first};
use super::home::{Home, Identity};
use super::lessor;
use super::lifetime::{self, Longest};
use super::naming;
use super::refused::Refused;
use super::tier::Tier;
use super::watch::Watched;
use crate::lasting::Codec;
use crate::plan::Plan;
use crate::route::Route;
use crate::settings::Settings;
use crate::stats::TierStats;

/// Gives the fingerprint of a type of results and the codec that they are written with, by the codec that is named.
pub(super) type Format<'f> = &'f dyn Fn(Option<Codec>) -> (u64, Codec);

/// A function's share of the far plane, without its types.
pub(crate) struct Plane {
    pub(super) tiers: Vec<Tier>,
    pub(super) home: RwLock<Home>,
    pub(super) identity: [u8; 16],
    pub(super) fingerprint: u64,
    pub(super) codec: Codec,
    pub(super) longest: Longest,
    /// How long a result is of use after its lifetime, in milliseconds.
    pub(super) stale: u64,
    /// How long it answers calls at once.
    pub(super) served: Duration,
    pub(super) apart: Apart,
    /// Which of the tiers gives the leases by which one process computes for others, if that is asked for.
    pub(super) lessor: Option<usize>,
    /// The results that its codec does not carry.
    pub(super) refused: Refused,
    /// Which near entries are dropped when others change them. `None` if no engine reports changes, or nothing is kept near.
    pub(super) follows: Option<Arc<Watched>>,
    /// Every engine failed when they were last asked.
    pub(super) ailing: AtomicBool,
    /// The process that looks out for an engine to come back, by its generation; 0 while none does.
    pub(super) watched_in: AtomicU64,
    /// The engines, and those that stand in, by the names under which they are registered.
    pub(super) guards: Vec<(String, Arc<Guarded>)>,
    /// The function's name, for errors.
    pub(super) name: String,
    /// Its name in engines.
    pub(super) full_name: String,
}

impl Plane {
    /// The engines on the `route` of a function called `name`; `None` if there are none. `format` gives the fingerprint of
    /// its results and their codec, by the codec that the author names. It is asked only if there are engines.
    pub(super) fn open(settings: &Settings, route: &Route, name: &str, format: Format<'_>) -> Option<Self> {
        let open = |names: &[String]| -> Vec<_> {
            names.iter().filter_map(|name| Some((name.clone(), built_in::open(name)?))).collect()
        };
        let (guards, stand_ins) = (open(&route.far), open(&route.stand_ins));
        let engine = |(_, guard): &(String, Arc<Guarded>)| -> Arc<dyn Engine> { guard.clone() };
        let mut tiers: Vec<_> =
            guards.iter().map(|guard| Tier::new(guard.0.clone(), engine(guard))).collect();
        let last = tiers.pop()?;
        tiers.push(last.or(stand_ins.iter().map(|guard| (guard.0.clone(), engine(guard))).collect()));
        let (full, parameters) = (naming::name(settings, name), naming::parameters(settings));
        let identity = Identity {
            name: &full,
            parameters: &parameters,
            version: settings.version,
            code: settings.lasting.code,
        };
        let lessor = lessor::reach(settings).and_then(|reach| {
            let lessor = lessor::lessor(reach, tiers.iter().map(|tier| tier.engine.capability()));
            if lessor.is_none() {
                crate::warn::warn(&format!("`{name}`: {}", lessor::no_lessor(reach)));
            }
            lessor
        });
        let told = route.near && tiers.iter().any(|tier| tier.engine.capability().watches);
        let follows = told.then(|| Arc::new(Watched::new(settings.capacity, settings.max_weight)));
        let guards = guards.into_iter().chain(stand_ins).collect();
        let name = name.to_owned();
        let longest = Longest::of(settings);
        Some(Plane {
            lessor,
            guards,
            follows,
            name,
            longest,
            stale: lifetime::millis(settings.freshness.kept()),
            served: settings.freshness.stale.unwrap_or_default(),
            ..Self::new(tiers, identity, format(settings.lasting.codec))
        })
    }

    pub(super) fn new(tiers: Vec<Tier>, identity: Identity<'_>, (fingerprint, codec): (u64, Codec)) -> Self {
        let numbers = [identity.version.to_le_bytes(), identity.code.to_le_bytes()].concat();
        let full = [identity.name.as_bytes(), identity.parameters.as_bytes(), &numbers];
        let full = digest("memo function 1", &full);
        Plane {
            fingerprint,
            codec,
            tiers,
            home: RwLock::new(Home::new(identity.name, None)),
            identity: first(&full),
            refused: Refused::default(),
            longest: Longest::any(),
            stale: 0,
            served: Duration::ZERO,
            apart: Apart::default(),
            lessor: None,
            follows: None,
            ailing: AtomicBool::new(false),
            watched_in: AtomicU64::new(0),
            guards: Vec::new(),
            name: identity.name.to_owned(),
            full_name: identity.name.to_owned(),
        }
    }

    /// The plan, with what cannot be reached now.
    pub(crate) fn plan(&self, route: &Route) -> Plan {
        let well = |guard: &Guarded, calls: Calls| guard.circuit_of(calls) == CircuitState::Closed;
        let names = |reads: bool, writes: bool| {
            let such = move |guard: &Guarded| {
                well(guard, Calls::Reads) == reads && (!reads || well(guard, Calls::Writes) == writes)
            };
            let such = self.guards.iter().filter(move |(_, guard)| such(guard));
            such.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
        };
        let plan = route.now(&names(false, false), &names(true, false));
        self.refused.reason().into_iter().fold(plan, Plan::because)
    }

    /// The key in the engines of a key that was encoded so.
    pub(super) fn key_of_bytes(&self, encoded: &[u8]) -> Key {
        let home = self.home.read().unwrap_or_else(PoisonError::into_inner);
        let parts = [&self.identity[..], encoded].into_iter().chain(home.within.as_deref());
        Key { space: home.space, digest: digest("memo key 1", &parts.collect::<Vec<_>>()) }
    }

    /// From now on its results are those of the namespace or isolation `within`. `None`: those of the function itself.
    pub(crate) fn use_space(&self, within: Option<Vec<u8>>) {
        *self.home.write().unwrap_or_else(PoisonError::into_inner) = Home::new(&self.full_name, within);
    }

    /// Where in its engines its results are.
    pub(super) fn space(&self) -> Space {
        self.home.read().unwrap_or_else(PoisonError::into_inner).space
    }

    /// What its engines have answered to it, and how many results were not stored.
    pub(crate) fn stats(&self) -> Vec<TierStats> {
        let unstorable = self.refused.count();
        self.tiers.iter().map(|tier| TierStats { unstorable, ..tier.stats() }).collect()
    }
}
