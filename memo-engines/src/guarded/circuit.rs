//! The circuit breaker, which decides which calls go through. (Nygard, *Release It!*, 2007.)

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::engine::GuardOptions;
use crate::error::{Error, ErrorKind};
use crate::lock::lock;

/// A kind of calls. Each kind has a circuit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Calls {
    /// Calls that look for entries.
    Reads,
    /// Calls that change something, such as leases, or wait for a change to be written.
    Writes,
}

/// Whether calls go through to an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CircuitState {
    /// All calls go through.
    Closed,
    /// All calls fail at once.
    Open,
    /// One call goes through, to see whether the engine is back. The others fail at once.
    HalfOpen,
}

pub(super) struct Circuit {
    calls: Calls,
    failures_to_open: u32,
    backoff: Duration,
    max_backoff: Duration,
    /// Whether `open` is `Some`. It is all that a call reads while the circuit is closed.
    is_open: AtomicBool,
    failures: AtomicU32,
    opened: AtomicU64,
    open: Mutex<Option<Open>>,
}

struct Open {
    since: Instant,
    until: Instant,
    backoff: Duration,
    probing: bool,
    /// Whether its opening was reported.
    reported: bool,
}

/// Permission to make one call. A probe that is dropped without a result has failed.
pub(super) struct Permit<'c> {
    circuit: &'c Circuit,
    probe: bool,
}

/// What a result changed about the circuit.
pub(super) enum Turn {
    Nothing,
    Opened,
    Closed {
        /// How long it was open.
        after: Duration,
        /// Whether its opening was reported.
        reported: bool,
    },
}

impl Circuit {
    pub(super) fn new(calls: Calls, options: &GuardOptions) -> Self {
        Self {
            calls,
            failures_to_open: options.failures.max(1),
            backoff: options.backoff,
            max_backoff: options.max_backoff,
            is_open: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            opened: AtomicU64::new(0),
            open: Mutex::new(None),
        }
    }

    pub(super) fn state(&self) -> CircuitState {
        match &*self.lock() {
            None => CircuitState::Closed,
            Some(open) if open.probing || Instant::now() >= open.until => CircuitState::HalfOpen,
            Some(_) => CircuitState::Open,
        }
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(super) fn admit(&self) -> Option<Permit<'_>> {
        let mut probe = false;
        if self.is_open.load(Ordering::Acquire)
            && let Some(open) = &mut *self.lock()
        {
            if open.probing || Instant::now() < open.until {
                return None;
            }
            open.probing = true;
            probe = true;
        }
        Some(Permit { circuit: self, probe })
    }

    /// Notes whether the opening was reported.
    pub(super) fn set_reported(&self, reported: bool) {
        if let Some(open) = &mut *self.lock() {
            open.reported = reported;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        lock(&self.open)
    }

    fn succeeded(&self, probe: bool) -> Turn {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        // A call that began before the circuit opened says nothing about the engine since.
        if !probe {
            return Turn::Nothing;
        }
        let closed = self.lock().take();
        self.is_open.store(false, Ordering::Release);
        closed.map_or(Turn::Nothing, |open| Turn::Closed {
            after: open.since.elapsed(),
            reported: open.reported,
        })
    }

    fn failed(&self, probe: bool, at_once: bool) -> Turn {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let now = Instant::now();
        let mut open = self.lock();
        match &mut *open {
            Some(open) if probe => {
                open.probing = false;
                open.backoff = (open.backoff * 2).min(self.max_backoff);
                open.until = now + open.backoff;
                Turn::Nothing
            }
            Some(_) => Turn::Nothing,
            None if at_once || failures >= self.failures_to_open => {
                let backoff = self.backoff.min(self.max_backoff);
                *open =
                    Some(Open { since: now, until: now + backoff, backoff, probing: false, reported: false });
                self.is_open.store(true, Ordering::Release);
                self.opened.fetch_add(1, Ordering::Relaxed);
                Turn::Opened
            }
            None => Turn::Nothing,
        }
    }
}

impl Permit<'_> {
    /// The kind of the call.
    pub(super) fn calls(&self) -> Calls {
        self.circuit.calls
    }

    /// Gives the permit back with the result of the call.
    pub(super) fn settle(self, error: Option<&Error>) -> Turn {
        let (circuit, probe) = (self.circuit, self.probe);
        std::mem::forget(self);
        match error.filter(|error| error.is_engine_failure()) {
            None => circuit.succeeded(probe),
            Some(error) => circuit.failed(probe, error.kind() == ErrorKind::Unavailable),
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe {
            let _ = self.circuit.failed(true, true);
        }
    }
}
