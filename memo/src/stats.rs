//! What memoized functions have counted, and how it is shown.

mod tier;

use std::fmt;
use std::time::Duration;

#[cfg(feature = "engines")]
pub use tier::EngineStats;
pub use tier::TierStats;

use crate::counters::{Counter, Counters, at_pace_of};

/// What a memoized function has counted since the process began, over all threads and all type parameters.
///
/// `uncached` and `refresh` count as computations, and as neither hits nor misses. Counts are exact once the calls have
/// ended; times are estimates.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// (0..10).for_each(|n| drop(square(n % 5)));
/// let stats = square::stats();
/// assert_eq!((stats.hits, stats.misses, stats.computes, stats.entries), (5, 5, 5, 5));
/// println!("{stats}");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that were answered from a store.
    pub hits: u64,
    /// Calls that were not, those that waited included.
    pub misses: u64,
    /// Hits and failures that were answered by a result which was not fresh any more.
    pub stale: u64,
    /// Results that were renewed while the old one was there.
    pub renewed: u64,
    /// Renewals that failed: with an error, or a panic, or since nobody polled them to their end.
    pub renewal_failed: u64,
    /// Renewals that were not tried, since as many were waiting for a thread as may.
    pub renewal_refused: u64,
    /// Times that the body ran to its end.
    pub computes: u64,
    /// Misses that were answered by another call's computation.
    pub waits: u64,
    /// Waits that were given up, since the future that computed was not polled for longer than the function's
    /// `patience`.
    pub impatient: u64,
    /// Results that were put into a store.
    pub stored: u64,
    /// Entries that are in memory now, those included that have expired and have not been swept yet.
    pub entries: u64,
    /// Their weight: how many they are, unless the function weighs them.
    pub weight: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries whose lifetime ended.
    pub expired: u64,
    /// Results stored again soon after they had been evicted: a larger store would have had them. At least so many, as what has
    /// left is remembered for a while only, by some bits of its hash; the engine `moka` does not tell.
    pub recomputed: u64,
    /// Time spent in the body, by the clock on the wall. Short computations are timed by sample, so this is an
    /// estimate. What a body spends in other memoized functions, or in itself, counts there as well.
    pub compute_time: Duration,
    /// Time that the hits would have spent in the body: an estimate. For a hit in an engine that outlives the process
    /// it is what the computation took, in whatever process that was; for one in memory the mean of these and of the
    /// computations here.
    pub saved_time: Duration,
    /// The engines that outlive the process, nearest first.
    pub tiers: Vec<TierStats>,
}

impl Stats {
    /// Hits among all calls that looked for a result, from 0 to 1; 0 where there were none.
    ///
    /// ```
    /// assert_eq!(memo::Stats::default().hit_ratio(), 0.0);
    /// ```
    pub fn hit_ratio(&self) -> f64 {
        match self.hits + self.misses {
            0 => 0.0,
            calls => self.hits as f64 / calls as f64,
        }
    }

    /// Calls of engines that failed, over all [`tiers`](Stats::tiers).
    ///
    /// ```
    /// assert_eq!(memo::Stats::default().errors(), 0);
    /// ```
    pub fn errors(&self) -> u64 {
        self.tiers.iter().map(|tier| tier.errors).sum()
    }

    /// What became of results that were not fresh, or soon would not have been, and how that is said.
    pub(crate) fn of_freshness(&self) -> [(u64, &'static str); 4] {
        [
            (self.stale, "stale"),
            (self.renewed, "renewed"),
            (self.renewal_failed, "renewals failed"),
            (self.renewal_refused, "renewals refused"),
        ]
    }

    pub(crate) fn of(counters: &Counters) -> Self {
        let total = |counter| counters.total(counter);
        let own = (total(Counter::Timed), total(Counter::TimedNanos));
        let told = counters.known();
        let all = (own.0 + told.0, own.1.saturating_add(told.1));
        let (hits, computes) = (total(Counter::Hits), total(Counter::Computes));
        let renewals = counters.renewals();
        Stats {
            hits,
            misses: total(Counter::Misses),
            stale: renewals.stale,
            renewed: renewals.renewed,
            renewal_failed: renewals.failed,
            renewal_refused: renewals.refused,
            computes,
            waits: total(Counter::Waits),
            impatient: counters.impatiences(),
            stored: total(Counter::Stored),
            compute_time: at_pace_of(own, computes),
            saved_time: Duration::from_nanos(told.1)
                .saturating_add(at_pace_of(all, hits.saturating_sub(told.0))),
            ..Stats::default()
        }
    }

    /// Adds what another instantiation of the same function has counted.
    pub(crate) fn add(&mut self, other: &Stats) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.stale += other.stale;
        self.renewed += other.renewed;
        self.renewal_failed += other.renewal_failed;
        self.renewal_refused += other.renewal_refused;
        self.computes += other.computes;
        self.waits += other.waits;
        self.impatient += other.impatient;
        self.stored += other.stored;
        self.entries += other.entries;
        self.weight += other.weight;
        self.evicted += other.evicted;
        self.expired += other.expired;
        self.recomputed += other.recomputed;
        self.compute_time += other.compute_time;
        self.saved_time += other.saved_time;
        for tier in &other.tiers {
            match self.tiers.iter_mut().find(|own| own.engine == tier.engine) {
                Some(own) => own.add(tier),
                None => self.tiers.push(tier.clone()),
            }
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hits, {} misses ({:.1} % hits), {} computed in {:.1?}, {} waited, {} stored, {} entries, {} evicted, {} expired, {} recomputed, {} errors of engines, about {:.1?} saved",
            self.hits,
            self.misses,
            100.0 * self.hit_ratio(),
            self.computes,
            self.compute_time,
            self.waits,
            self.stored,
            self.entries,
            self.evicted,
            self.expired,
            self.recomputed,
            self.errors(),
            self.saved_time
        )?;
        let of_freshness = self.of_freshness().into_iter().filter(|(count, _)| *count > 0);
        of_freshness.into_iter().try_for_each(|(count, what)| write!(f, ", {count} {what}"))
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_stale_results_is_shown_where_there_were_any() {
        let fresh = Stats { hits: 3, ..Stats::default() };
        assert!(fresh.to_string().ends_with("about 0.0ns saved"), "{fresh}");
        let some = Stats { stale: 2, renewed: 1, ..Stats::default() };
        assert!(some.to_string().ends_with(" saved, 2 stale, 1 renewed"), "{some}");
        let all = Stats { stale: 4, renewed: 3, renewal_failed: 2, renewal_refused: 1, ..Stats::default() };
        let end = " saved, 4 stale, 3 renewed, 2 renewals failed, 1 renewals refused";
        assert!(all.to_string().ends_with(end), "{all}");
    }
}
