//! What can happen: the events.

use std::time::Duration;

/// Something that has happened: what a callback of [`on_event`](crate::on_event) is told. More kinds, and more fields, may come.
///
/// The name of a function is that of [`FunctionHandle::name`](crate::FunctionHandle::name), the name of an engine the
/// one under which it is registered. Keys and results are in no event.
///
/// There is one [`Hit`](Event::Hit), [`Miss`](Event::Miss), [`Waited`](Event::Waited), [`Computed`](Event::Computed),
/// [`Stored`](Event::Stored), [`Renewed`](Event::Renewed), [`RenewalFailed`](Event::RenewalFailed) and
/// [`RenewalRefused`](Event::RenewalRefused) each time that the number of that name in [`Stats`](crate::Stats) grows. The
/// number `stale` grows with each hit that is `stale`, and with each [`StaleInstead`](Event::StaleInstead).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call was answered from a store.
    #[non_exhaustive]
    Hit {
        /// The function.
        function: &'a str,
        /// The engine that had the result.
        engine: &'a str,
        /// How long the call took.
        time: Duration,
        /// Whether the result was not fresh any more.
        stale: bool,
    },
    /// A call found nothing. It computes; or it was answered by another call's computation, and `Waited` follows.
    #[non_exhaustive]
    Miss {
        /// The function.
        function: &'a str,
    },
    /// A call was answered by the computation of another one.
    #[non_exhaustive]
    Waited {
        /// The function.
        function: &'a str,
        /// How long the call took.
        time: Duration,
    },
    /// A body ran to its end.
    #[non_exhaustive]
    Computed {
        /// The function.
        function: &'a str,
        /// How long the body took.
        time: Duration,
    },
    /// A call ended without a result: its body panicked, or its future was dropped.
    #[non_exhaustive]
    Unfinished {
        /// The function.
        function: &'a str,
        /// How long it lasted.
        time: Duration,
    },
    /// A result was stored.
    #[non_exhaustive]
    Stored {
        /// The function.
        function: &'a str,
    },
    /// A result was renewed while the old one was there.
    #[non_exhaustive]
    Renewed {
        /// The function.
        function: &'a str,
        /// How long the body took.
        time: Duration,
    },
    /// A renewal failed: with an error, or a panic, or since nobody polled it to its end. The old result is still there.
    #[non_exhaustive]
    RenewalFailed {
        /// The function.
        function: &'a str,
        /// How often in a row renewals of this result have failed. It is not counted further than 31; and it is 0 where the old
        /// result has left meanwhile.
        failures: u64,
        /// How long no other renewal of this result begins.
        next: Duration,
    },
    /// A renewal was not tried, since as many were waiting for a thread as may.
    #[non_exhaustive]
    RenewalRefused {
        /// The function.
        function: &'a str,
    },
    /// A computation failed, and the call was answered by a result that was not fresh any more.
    #[non_exhaustive]
    StaleInstead {
        /// The function.
        function: &'a str,
    },
    /// What an engine had did not fit, and counts as a miss there.
    #[non_exhaustive]
    Misfit {
        /// The function.
        function: &'a str,
        /// The engine.
        engine: &'a str,
        /// Why: as in [`TierStats::misfits`](crate::TierStats::misfits).
        reason: &'a str,
    },
    /// A call of an engine failed, or was not made since its circuit was open, on behalf of a function: nothing was
    /// found there, or a result was not stored.
    #[non_exhaustive]
    EngineFailed {
        /// The function.
        function: &'a str,
        /// The engine.
        engine: &'a str,
        /// What failed, in words.
        error: &'a str,
    },
    /// An engine fails: a circuit opened, and functions do without reading from it, or without writing to it.
    #[non_exhaustive]
    CircuitOpened {
        /// The engine.
        engine: &'a str,
        /// Whether it is about calls that write; those that read have a circuit of their own.
        writes: bool,
        /// What failed, in words.
        error: &'a str,
    },
    /// An engine is back.
    #[non_exhaustive]
    CircuitClosed {
        /// The engine.
        engine: &'a str,
        /// Whether it is about calls that write; those that read have a circuit of their own.
        writes: bool,
        /// How long it was away.
        after: Duration,
    },
}

impl<'a> Event<'a> {
    /// The function that it is about.
    pub fn function(&self) -> Option<&'a str> {
        match *self {
            Event::Hit { function, .. }
            | Event::Miss { function }
            | Event::Waited { function, .. }
            | Event::Computed { function, .. }
            | Event::Unfinished { function, .. }
            | Event::Stored { function }
            | Event::Renewed { function, .. }
            | Event::RenewalFailed { function, .. }
            | Event::RenewalRefused { function }
            | Event::StaleInstead { function }
            | Event::Misfit { function, .. }
            | Event::EngineFailed { function, .. } => Some(function),
            Event::CircuitOpened { .. } | Event::CircuitClosed { .. } => None,
        }
    }

    /// The engine that it is about.
    pub fn engine(&self) -> Option<&'a str> {
        match *self {
            Event::Hit { engine, .. }
            | Event::Misfit { engine, .. }
            | Event::EngineFailed { engine, .. }
            | Event::CircuitOpened { engine, .. }
            | Event::CircuitClosed { engine, .. } => Some(engine),
            Event::Miss { .. }
            | Event::Waited { .. }
            | Event::Computed { .. }
            | Event::Unfinished { .. }
            | Event::Stored { .. }
            | Event::Renewed { .. }
            | Event::RenewalFailed { .. }
            | Event::RenewalRefused { .. }
            | Event::StaleInstead { .. } => None,
        }
    }
}
