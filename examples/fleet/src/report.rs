//! What happened, as a table.

use std::fmt;
use std::time::Duration;

use crate::load::Seen;
use crate::service::Counts;

/// With what a phase begins.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    None,
    Dies,
    IsBack,
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::None => "before",
            Self::Dies => "Redis is dead",
            Self::IsBack => "Redis is back",
        }
    }
}

pub(crate) struct Phase {
    pub(crate) change: Change,
    pub(crate) seen: Seen,
    pub(crate) counted: Counts,
}

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) phases: Vec<Phase>,
}

impl Report {
    /// Whether there were requests, and each was answered, and rightly.
    pub(crate) fn all_went_well(&self) -> bool {
        let went_well =
            |Phase { seen, .. }: &Phase| !seen.latencies.is_empty() && seen.errors == 0 && seen.wrong == 0;
        self.phases.iter().all(went_well)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns =
            ["requests", "errors", "wrong", "computes", "memory hits", "redis hits", "p50 ms", "p99 ms"];
        write!(f, "{:<15}", "")?;
        columns.iter().try_for_each(|column| write!(f, "{column:>12}"))?;
        for Phase { change, seen, counted } in &self.phases {
            let mut latencies = seen.latencies.clone();
            latencies.sort();
            let counts = [
                latencies.len() as u64,
                seen.errors,
                seen.wrong,
                counted.computes,
                counted.memory_hits,
                counted.redis_hits,
            ];
            write!(f, "\n{:<15}", change.name())?;
            counts.iter().try_for_each(|count| write!(f, "{count:>12}"))?;
            for percent in [50, 99] {
                let latency = latencies.get(latencies.len() * percent / 100).unwrap_or(&Duration::ZERO);
                write!(f, "{:>12.2}", latency.as_secs_f64() * 1e3)?;
            }
        }
        writeln!(f)
    }
}
