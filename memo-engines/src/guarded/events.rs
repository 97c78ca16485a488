//! What a guard tells of its engine.

use std::sync::Arc;
use std::time::Duration;

use super::circuit::Calls;
use crate::error::Error;

/// What happened to an engine.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A circuit opened. Told once, until it has closed again.
    #[non_exhaustive]
    Opened {
        /// The circuit of which calls.
        calls: Calls,
        /// Why.
        error: &'a Error,
        /// How often this cause opened a circuit since people were last told of it. `None`: they need not hear of it
        /// again yet. They should the first time, and then at intervals that grow up to an hour.
        times: Option<u64>,
    },
    /// A circuit closed.
    #[non_exhaustive]
    Closed {
        /// The circuit of which calls.
        calls: Calls,
        /// How long it was open.
        after: Duration,
        /// Whether people should hear of it: they did when it opened.
        reported: bool,
    },
}

/// Told what happens to an engine, by name.
pub(super) type Hook = Arc<dyn Fn(&str, &Event<'_>) + Send + Sync>;
