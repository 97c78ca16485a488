//! What a store may hold, and for how long.

use crate::clock::NEVER;
use std::time::Duration;

/// What a store is to hold at most, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most entries; `None` is no bound.
    pub capacity: Option<u64>,
    /// Most weight, of all entries together; `None` is no bound. With both, both hold.
    pub max_weight: Option<u64>,
    /// An entry goes this long after its last read.
    pub tti: Option<Duration>,
    /// Whether entries come with lifetimes as a rule. A store takes them anyway; it may prepare.
    pub lifetimes: bool,
    /// Whether entries may be served stale, or renewed before they end, as a rule. A store takes such anyway.
    pub aged: bool,
}

/// The earlier of the end of a lifetime and of an idle time, of an entry written or read at `read`.
#[inline]
pub(crate) fn ends(deadline: u64, read: u64, tti: u64) -> u64 {
    // An idle time of `NEVER` saturates to just that.
    deadline.min(read.saturating_add(tti))
}

/// A bound on count, on weight, on both or on nothing, as a bound on one sum.
///
/// Each entry counts `max(weight * scale, least)` towards `limit`. With a bound on both, `least` is the
/// share that each entry has when there are as many as allowed, so that neither bound is passed;
/// `scale` is there so that it is not rounded by much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub limit: u64,
    scale: u64,
    least: u64,
    /// The heaviest entry that is let in.
    heaviest: u64,
}

impl Bound {
    /// `fine`: whether the store can add numbers beyond 32 bits.
    pub(crate) fn new(limits: &Limits, fine: bool) -> Self {
        match (limits.capacity, limits.max_weight) {
            (None, None) => Bound { limit: NEVER, scale: 0, least: 1, heaviest: NEVER },
            (Some(capacity), None) => Bound { limit: capacity, scale: 0, least: 1, heaviest: NEVER },
            (capacity, Some(weight)) => {
                // An entry that says it weighs nothing must count for something, or there would be
                // no bound on their number.
                let Some(capacity) = capacity else {
                    return Bound { limit: weight, scale: 1, least: 1, heaviest: weight };
                };
                if !fine && weight / u64::from(u32::MAX) >= capacity {
                    // As many as allowed, as heavy as can be, are within the bound.
                    return Bound { limit: capacity, scale: 0, least: 1, heaviest: NEVER };
                }
                let most = if fine { 1 << 52 } else { u64::from(u32::MAX) };
                let scale = 1 << (most / weight.max(1)).clamp(1, 1 << 20).ilog2();
                let least = (weight * scale).div_ceil(capacity.max(1)).max(1);
                // What remains of the rounding goes to the limit, so that as many as allowed fit.
                let limit = if weight == 0 { 0 } else { least.saturating_mul(capacity) };
                Bound { limit, scale, least, heaviest: weight }
            }
        }
    }

    /// What an entry of this weight counts.
    #[inline]
    pub(crate) fn counts(&self, weight: u32) -> u64 {
        (u64::from(weight) * self.scale).max(self.least)
    }

    /// Whether an entry of this weight is let in at all.
    #[inline]
    pub(crate) fn admits(&self, weight: u32) -> bool {
        u64::from(weight) <= self.heaviest && self.counts(weight) <= self.limit
    }

    /// Whether entries count the same by that one.
    #[cfg(feature = "config")]
    pub(crate) fn counts_as(&self, other: &Bound) -> bool {
        (self.scale, self.least) == (other.scale, other.least)
    }

    /// Whether it bounds weights at all.
    #[inline]
    pub(crate) fn weighs(&self) -> bool {
        self.scale != 0
    }
}
