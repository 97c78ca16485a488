//! A guard around an engine: a time budget per call, a circuit breaker, counters, and one word to people when
//! trouble begins and one when it is over.
//!
//! # The budget
//!
//! An engine that waits without blocking is raced against a timer. One that blocks its thread cannot be
//! interrupted, so there are two ways to call it. While it answers it is called *directly*, on the caller's
//! thread, which costs next to nothing. Once a call has taken longer than its budget, or where the engine says
//! that it may [hang](crate::Capability::hangs), calls are made on a few *helper* threads, and the caller
//! leaves when its budget is over. After a second of good answers calls are direct again.
//!
//! So a disk that begins to hang without warning keeps those who are inside at that moment, or come within
//! one budget, and nobody who comes later. A network file system, of which hanging is to be expected, is
//! called on helpers from the start and keeps nobody. So is any engine that blocks if its guard is
//! [`strict`](GuardOptions::strict).
//!
//! # The circuit
//!
//! Closed, every call goes through. After [`failures`](GuardOptions::failures) in a row it opens, and calls
//! fail at once, for [`backoff`](GuardOptions::backoff), which doubles up to
//! [`max_backoff`](GuardOptions::max_backoff). Then one caller's call is let through as a probe: if it
//! succeeds the circuit closes, else it stays open. An engine that could not be built is an open circuit whose
//! probe builds it.
//!
//! Calls that read have a circuit, and calls that write have another: a disk that is full, or a server whose user
//! may only read, still gives out what it has. An entry for which there was no room just now, in a queue that is
//! full, is [dropped](GuardStats::dropped): neither circuit counts it.

mod attempts;
mod call;
mod causes;
mod circuit;
mod deadline;
mod direct;
mod events;
mod failure;
mod helpers;
mod lazy;
mod methods;
mod stats;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod timer;

use std::fmt;
use std::sync::Arc;

use self::call::Inner;
pub use self::circuit::{Calls, CircuitState};
pub use self::deadline::sleep;
pub use self::events::Event;
use self::lazy::Lazy;
pub use self::stats::GuardStats;
pub use crate::engine::GuardOptions;
use crate::engine::{Capability, Engine};
use crate::error::Error;

/// An engine with a guard around it: see the [module](self). Its clones share one guard.
#[derive(Clone)]
pub struct Guarded(Arc<Inner>);

impl Guarded {
    /// A guard around an engine that is there.
    pub fn new(engine: impl Engine, options: GuardOptions) -> Self {
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let (name, capability) = (engine.name().to_owned(), engine.capability());
        Self(Arc::new(Inner::new(name, capability, Lazy::with(engine), options)))
    }

    /// A guard around an engine that is built when it is first needed, and again later where that fails.
    /// `capability` is what it will be able to do.
    pub fn build(
        name: impl Into<String>,
        capability: Capability,
        build: impl Fn() -> Result<Arc<dyn Engine>, Error> + Send + Sync + 'static,
        options: GuardOptions,
    ) -> Self {
        Self(Arc::new(Inner::new(name.into(), capability, Lazy::new(Box::new(build)), options)))
    }

    /// With someone who is told when a circuit opens and closes. It is called on the thread of whoever's
    /// call it was, and must not call the engine. Set it before the first clone is made.
    #[must_use]
    pub fn on_event(mut self, hook: impl Fn(&str, &Event<'_>) + Send + Sync + 'static) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.hook = Some(Arc::new(hook));
        }
        self
    }

    /// Whether calls go through: the state of the circuit that is worse off.
    pub fn circuit(&self) -> CircuitState {
        match (self.circuit_of(Calls::Reads), self.circuit_of(Calls::Writes)) {
            (CircuitState::Open, _) | (_, CircuitState::Open) => CircuitState::Open,
            (CircuitState::Closed, CircuitState::Closed) => CircuitState::Closed,
            _ => CircuitState::HalfOpen,
        }
    }

    /// Whether calls of this kind go through.
    pub fn circuit_of(&self, calls: Calls) -> CircuitState {
        self.0.circuit(calls).state()
    }

    /// With what it was made.
    pub fn options(&self) -> &GuardOptions {
        &self.0.options
    }

    /// What happened to its calls so far.
    pub fn stats(&self) -> GuardStats {
        let opened = [Calls::Reads, Calls::Writes].map(|calls| self.0.circuit(calls).opened());
        self.0.counters.read(opened.iter().sum())
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded")
            .field("name", &self.0.name)
            .field("circuit", &self.circuit())
            .field("stats", &self.stats())
            .finish()
    }
}
