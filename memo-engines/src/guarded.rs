//! A guard around an engine: a time budget for each call, circuit breakers, counters, and one message when
//! trouble begins and one when it is over.
//!
//! # The budget
//!
//! A call of an engine that waits without blocking is raced against a timer. A call that blocks its thread
//! cannot be interrupted, so there are two ways to make it. While the engine answers in time, calls are
//! *direct*: they are made on the caller's thread, which costs next to nothing. After a call has taken
//! longer than its budget, and always where the engine says that it may [hang](crate::Capability::hangs),
//! calls are made on a few *helper* threads, and the caller leaves when the budget is over. After a second
//! of answers in time, calls are direct again.
//!
//! So a disk that begins to hang without warning keeps the callers that are inside at that moment or come
//! within one budget. It keeps nobody who comes later. A network file system is expected to hang; it is
//! called on helpers from the start and keeps nobody. The same holds for any engine that blocks if its
//! guard is [`strict`](GuardOptions::strict).
//!
//! # The circuit
//!
//! While a circuit is closed, every call goes through. After [`failures`](GuardOptions::failures) in a row
//! it opens: calls fail at once, for [`backoff`](GuardOptions::backoff), which doubles up to
//! [`max_backoff`](GuardOptions::max_backoff). Then one call is let through as a probe. If it succeeds, the
//! circuit closes; else it stays open. An engine that could not be built is an open circuit whose probe
//! builds it.
//!
//! Reads and writes have a circuit each: a full disk, or a server whose user may only read, can still be
//! read. If there is no room for an entry just now, in a full queue, the entry is
//! [dropped](GuardStats::dropped), and neither circuit counts it.

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

/// An engine with a guard around it: see the [module](self). Clones share one guard.
#[derive(Clone)]
pub struct Guarded(Arc<Inner>);

impl Guarded {
    /// Guards an engine that exists already.
    pub fn new(engine: impl Engine, options: GuardOptions) -> Self {
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let (name, capability) = (engine.name().to_owned(), engine.capability());
        Self(Arc::new(Inner::new(name, capability, Lazy::with(engine), options)))
    }

    /// Guards an engine that is built when it is first needed, and tried again later if that fails.
    /// `capability` is what the engine will be able to do.
    pub fn build(
        name: impl Into<String>,
        capability: Capability,
        build: impl Fn() -> Result<Arc<dyn Engine>, Error> + Send + Sync + 'static,
        options: GuardOptions,
    ) -> Self {
        Self(Arc::new(Inner::new(name.into(), capability, Lazy::new(Box::new(build)), options)))
    }

    /// Sets a callback for when a circuit opens or closes. It runs on the thread of the call that caused
    /// it, and must not call the engine. Set it before the first clone is made.
    #[must_use]
    pub fn on_event(mut self, hook: impl Fn(&str, &Event<'_>) + Send + Sync + 'static) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.hook = Some(Arc::new(hook));
        }
        self
    }

    /// The state of the circuits: that of the one that is worse off.
    pub fn circuit(&self) -> CircuitState {
        match (self.circuit_of(Calls::Reads), self.circuit_of(Calls::Writes)) {
            (CircuitState::Open, _) | (_, CircuitState::Open) => CircuitState::Open,
            (CircuitState::Closed, CircuitState::Closed) => CircuitState::Closed,
            _ => CircuitState::HalfOpen,
        }
    }

    /// The state of the circuit for this kind of calls.
    pub fn circuit_of(&self, calls: Calls) -> CircuitState {
        self.0.circuit(calls).state()
    }

    /// The options that it was made with.
    pub fn options(&self) -> &GuardOptions {
        &self.0.options
    }

    /// The counts of its calls so far.
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
