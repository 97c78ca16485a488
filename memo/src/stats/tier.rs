//! What engines that outlive the process have answered.

/// What one engine that outlives the process has answered to a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStats {
    /// The name under which the engine is registered.
    pub engine: String,
    /// Entries that were found and used.
    pub hits: u64,
    /// Look-ups that found nothing to use.
    pub misses: u64,
    /// Calls of the engine that failed, or were not made since its circuit was open: each was a miss or a result not
    /// stored.
    pub errors: u64,
    /// Results that were not handed to it, since what would be written would not be read as what they are. Each is computed
    /// again by the next process.
    pub unstorable: u64,
    /// Entries that were found and did not fit, by reason: damaged, of another shape, expired, ... Each was a miss too.
    pub misfits: Vec<(&'static str, u64)>,
    /// Engines that stand in for this one (`fallback`), and how many calls each has answered in its place.
    pub stand_ins: Vec<(String, u64)>,
}

/// What has happened to one engine that outlives the process: from [`Engines::stats`](crate::Engines::stats).
#[cfg(feature = "engines")]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineStats {
    /// The name under which it is registered.
    pub name: String,
    /// Whether calls go through to it.
    pub circuit: memo_engines::CircuitState,
    /// What became of the calls that were made of it.
    pub calls: memo_engines::GuardStats,
    /// What it has answered to all functions together.
    pub functions: TierStats,
}

impl TierStats {
    pub(super) fn add(&mut self, other: &TierStats) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.errors += other.errors;
        self.unstorable += other.unstorable;
        for &(reason, count) in &other.misfits {
            match self.misfits.iter_mut().find(|(own, _)| *own == reason) {
                Some((_, own)) => *own += count,
                None => self.misfits.push((reason, count)),
            }
        }
        for (engine, count) in &other.stand_ins {
            match self.stand_ins.iter_mut().find(|(own, _)| own == engine) {
                Some((_, own)) => *own += count,
                None => self.stand_ins.push((engine.clone(), *count)),
            }
        }
    }
}
