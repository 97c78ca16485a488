//! What a function says of results that are no longer fresh, or soon will not be.

use std::time::Duration;

use super::Settings;

/// What a function says of results that are no longer fresh, or soon will not be.
#[derive(Debug, Clone, Default, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RefreshAhead {
    /// Once it has lived for this part of its lifetime, in thousandths.
    From(u16),
    /// By chance: the likelier the longer it took to compute, and the nearer its end.
    Auto,
}

/// By how much lifetimes may be shorter than was said, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jitter(pub(crate) u16);

impl Freshness {
    /// Whether entries need to know more than when they end.
    pub(crate) fn is_asked(&self) -> bool {
        self.stale.is_some() || self.stale_if_error.is_some() || self.refresh_ahead.is_some()
    }
}

/// What generated code says.
impl Settings {
    /// `stale`.
    pub fn stale(mut self, stale: Duration) -> Self {
        self.freshness.stale = Some(stale);
        self
    }

    /// `stale_if_error`.
    pub fn stale_if_error(mut self, stale: Duration) -> Self {
        self.freshness.stale_if_error = Some(stale);
        self
    }

    /// `refresh_ahead = 0.8`, in thousandths.
    pub fn refresh_ahead(mut self, from: u16) -> Self {
        self.freshness.refresh_ahead = Some(RefreshAhead::From(from));
        self
    }

    /// `refresh_ahead = "auto"`.
    pub fn refresh_by_chance(mut self) -> Self {
        self.freshness.refresh_ahead = Some(RefreshAhead::Auto);
        self
    }

    /// `jitter = "10%"`, in thousandths.
    pub fn jitter(mut self, thousandths: u16) -> Self {
        self.freshness.jitter = Some(Jitter(thousandths));
        self
    }

    /// Whether the arguments can be owned, so that renewals run behind the calls.
    pub fn renewed_behind(mut self, behind: bool) -> Self {
        self.freshness.behind = behind;
        self
    }
}
