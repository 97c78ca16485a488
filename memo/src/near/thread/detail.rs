//! What an entry has beside where there are lifetimes or weights.

use std::cell::Cell;
use std::time::Duration;

use crate::clock::{FINE, NEVER, coarse, exact, nanos};

/// What an entry has beside where there are lifetimes or weights.
pub(super) struct Detail {
    pub weight: u32,
    /// Whether its end is told by the exact clock.
    fine: bool,
    pub deadline: u64,
    /// When it was read or written last.
    pub read: Cell<u64>,
}

impl Detail {
    pub(super) fn new(weight: u32, lifetime: Option<Duration>, tti: u64) -> Self {
        let lifetime = lifetime.map_or(NEVER, nanos);
        let shortest = lifetime.min(tti);
        let now = if shortest == NEVER { 0 } else { exact() };
        Detail { weight, fine: shortest < FINE, deadline: now.saturating_add(lifetime), read: Cell::new(now) }
    }

    /// The time, as exactly as this one's end is told.
    pub(super) fn now(&self, tti: u64) -> u64 {
        match self.fine {
            _ if self.deadline == NEVER && tti == NEVER => 0,
            true => exact(),
            false => coarse(),
        }
    }
}
