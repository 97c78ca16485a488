//! What a function says of results that are no longer fresh, or soon will not be.

use std::time::Duration;

/// What a function says of results that are no longer fresh, or soon will not be.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Freshness {
    /// How long a result is served after its lifetime, while one computation renews it.
    pub(crate) stale: Option<Duration>,
    /// How long a result answers calls after its lifetime whose computation fails.
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) refresh_ahead: Option<RefreshAhead>,
    pub(crate) jitter: Option<Jitter>,
    /// Whether generated code can hand a renewal to another thread or task.
    pub(crate) behind: bool,
}

/// When a hit has a result renewed that is still fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RefreshAhead {
    /// Once it has lived for this part of its lifetime, in thousandths. With all of them it is not renewed before its end.
    From(u16),
    /// By chance: the likelier the longer it took to compute, and the nearer its end.
    Auto,
}

/// By how much lifetimes may be shorter than was said, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Jitter(pub(crate) u16);

impl Freshness {
    /// How long results are of use after their lifetime.
    pub(crate) fn kept(&self) -> Duration {
        self.stale.max(self.stale_if_error).unwrap_or_default()
    }

    /// Whether entries need to know more than when they end.
    pub(crate) fn is_asked(&self) -> bool {
        self.stale.is_some() || self.stale_if_error.is_some() || self.refresh_ahead.is_some()
    }
}
