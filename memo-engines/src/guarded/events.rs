//! The events of a guard.

use std::sync::Arc;
use std::time::Duration;

use super::circuit::Calls;
use crate::error::Error;

/// What happened to an engine.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A circuit opened. This is reported once until it closes.
    #[non_exhaustive]
    Opened {
        /// The circuit of which calls.
        calls: Calls,
        /// The failure that opened it.
        error: &'a Error,
        /// How often this cause opened a circuit since it was last reported to people. `None`: it need not
        /// be reported again yet. A cause is reported the first time, and then at intervals that grow up to
        /// an hour.
        times: Option<u64>,
    },
    /// A circuit closed.
    #[non_exhaustive]
    Closed {
        /// The circuit of which calls.
        calls: Calls,
        /// How long it was open.
        after: Duration,
        /// Whether to report it to people: its opening was reported.
        reported: bool,
    },
}

/// Is called with the engine's name and what happened.
pub(super) type Hook = Arc<dyn Fn(&str, &Event<'_>) + Send + Sync>;
