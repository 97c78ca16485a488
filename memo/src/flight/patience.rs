//! How long those who wait go without a sign of life from the future that leads.
//!
//! A future that is kept and polled no more makes no progress, and nobody can tell that from one whose timer or socket
//! takes its time. So a wait has a bound: when the leader's future has not been polled for so long, a waiter takes the
//! key from it. A leader that runs on a thread makes progress as far as anybody can know, and has no such bound.
//!
//! Each wait of a task has an [alarm](crate::alarm). Those whose time has come look again, and nearly all go on waiting.

use std::time::Duration;

use crate::clock::{exact, nanos};
use crate::counters::Counters;
use crate::settings::WITHOUT_END;

/// A function that takes long is given so many times as long as it usually takes.
const TIMES_THE_MEAN: u64 = 10;

/// The bound of one wait.
pub(crate) struct Patience {
    /// In nanoseconds, never 0 but in models.
    least: u64,
    counters: &'static Counters,
    /// The suspension of the leader's future that was seen last, and when it was seen first.
    seen: Option<(u64, u64)>,
}

impl Patience {
    /// None where it is without end.
    pub(crate) fn new(least: Duration, counters: &'static Counters) -> Option<Self> {
        (least != WITHOUT_END).then(|| Patience { least: nanos(least), counters, seen: None })
    }

    /// In how many nanoseconds to look again at a leader whose future is at this suspension, if it is at any; 0 if it has
    /// been seen there for too long.
    pub(super) fn look_in(&mut self, suspension: Option<u64>) -> u64 {
        self.look_in_at(suspension, exact())
    }

    fn look_in_at(&mut self, suspension: Option<u64>, now: u64) -> u64 {
        let Some(suspension) = suspension else {
            self.seen = None;
            return self.least.max(1);
        };
        let since = match self.seen {
            Some((seen, since)) if seen == suspension => since,
            _ => self.seen.insert((suspension, now)).1,
        };
        let alone = now.saturating_sub(since);
        let left = self.least.saturating_sub(alone);
        if left > 0 || cfg!(memo_shuttle) {
            return left;
        }
        // asked for only where that may matter, as it takes a lock
        let mean = self.counters.mean().map_or(0, nanos);
        mean.saturating_mul(TIMES_THE_MEAN).saturating_sub(alone)
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use crate::counters::Counter;

    const SECOND: u64 = 1_000_000_000;

    fn counters() -> &'static Counters {
        Box::leak(Box::new(Counters::new()))
    }

    #[test]
    fn it_is_over_when_it_has_been_waited_out() {
        let mut patience = Patience::new(Duration::from_secs(10), counters()).unwrap();
        assert_eq!(patience.look_in_at(Some(1), SECOND), 10 * SECOND);
        assert_eq!(patience.look_in_at(Some(1), 11 * SECOND - 1), 1);
        assert_eq!(patience.look_in_at(Some(1), 11 * SECOND), 0);
    }

    #[test]
    fn each_poll_of_the_leader_is_a_new_beginning() {
        let mut patience = Patience::new(Duration::from_secs(10), counters()).unwrap();
        assert_eq!(patience.look_in_at(Some(1), SECOND), 10 * SECOND);
        assert_eq!(patience.look_in_at(Some(2), 11 * SECOND), 10 * SECOND);
        assert_eq!(patience.look_in_at(None, 21 * SECOND), 10 * SECOND, "it is just being polled");
        assert_eq!(patience.look_in_at(Some(3), 50 * SECOND), 10 * SECOND);
        assert_eq!(patience.look_in_at(Some(3), 60 * SECOND), 0);
    }

    #[test]
    fn what_usually_takes_long_is_given_ten_times_as_long() {
        let counters = counters();
        let mut patience = Patience::new(Duration::from_secs(10), counters).unwrap();
        counters.add(Counter::Timed, 2);
        counters.add(Counter::TimedNanos, 12 * SECOND);
        assert_eq!(patience.look_in_at(Some(1), SECOND), 10 * SECOND);
        assert_eq!(patience.look_in_at(Some(1), 11 * SECOND), 50 * SECOND);
        assert_eq!(patience.look_in_at(Some(1), 61 * SECOND), 0);
    }

    #[test]
    fn there_is_patience_without_end() {
        assert!(Patience::new(WITHOUT_END, counters()).is_none());
    }
}
