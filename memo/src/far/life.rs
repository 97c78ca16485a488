//! How long a result is stored in the engines. Builds without engines have this too.

#![cfg_attr(not(feature = "engines"), allow(dead_code, reason = "read where there are engines"))]

use std::time::Duration;

use crate::near::Beyond;

/// How long a result is stored in the engines.
#[derive(Clone, Copy)]
pub(crate) struct FarLife {
    /// How long it is fresh; `None` is for ever.
    pub(crate) lifetime: Option<Duration>,
    /// How long it is kept after that.
    pub(crate) stale: Duration,
    /// How long its computation took; zero if that is not known.
    pub(crate) cost: Duration,
}

impl FarLife {
    /// As long as it is stored in memory.
    pub(crate) fn of(lifetime: Option<Duration>, beyond: Option<&Beyond>) -> Self {
        let nanos = |length: fn(&Beyond) -> u64| Duration::from_nanos(beyond.map_or(0, length));
        FarLife { lifetime, stale: nanos(|beyond| beyond.stale), cost: nanos(|beyond| beyond.cost) }
    }
}
