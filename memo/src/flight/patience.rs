//! How long those who wait go without a sign of life from the future that leads.
//!
//! A future that is kept and polled no more makes no progress, and nobody can tell that from one whose timer or socket
//! takes its time. So a wait has a bound: when the leader's future has not been polled for so long, a waiter takes the
//! key from it. A leader that runs on a thread makes progress as far as anybody can know, and has no such bound.
//!
//! There is no runtime to ask for a timer. Each wait of a task leaves its waker here until it ends, and the thread that
//! sweeps ([`sweep`](crate::sweep)) wakes those whose time has come; they look again, and nearly all go on waiting.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::task::Waker;
use std::time::Duration;

use crate::clock::{NEVER, exact, nanos};
use crate::counters::Counters;
use crate::fork;
use crate::settings::WITHOUT_END;
use crate::sweep::{self, Schedule, Sweep};

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

/// Waits of tasks, by when to look again, and a number of their own.
struct Waits {
    schedule: Schedule,
    wakers: Mutex<BTreeMap<(u64, u64), Waker>>,
    next: AtomicU64,
}

static WAITS: Waits =
    Waits { schedule: Schedule::new(), wakers: Mutex::new(BTreeMap::new()), next: AtomicU64::new(0) };

impl Waits {
    /// No code of the user's runs with the lock held: wakers are cloned, woken and dropped without.
    fn wakers(&self) -> MutexGuard<'_, BTreeMap<(u64, u64), Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sweep for Waits {
    fn sweep(&self) {
        let now = exact();
        if !self.schedule.begin(now) {
            return;
        }
        let due = {
            let _unforked = fork::hold_off();
            let mut wakers = self.wakers();
            let later = wakers.split_off(&(now.saturating_add(1), 0));
            if let Some((at, _)) = later.keys().next() {
                self.schedule.ends_at(*at);
            }
            std::mem::replace(&mut *wakers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    fn due(&self) -> Option<u64> {
        self.schedule.due()
    }

    fn watch(&self) {
        self.schedule.watch();
    }
}

/// While it lives, a task is woken at some time.
pub(super) struct Watch((u64, u64));

impl Watch {
    /// Wakes it in so many nanoseconds, or a little later.
    pub(super) fn after(left: u64, waker: Waker) -> Option<Self> {
        let now = exact();
        // one that is storing after all lands soon
        let at = now.saturating_add(left.max(1));
        if at == NEVER {
            return None;
        }
        let watch = Watch((at, WAITS.next.fetch_add(1, Relaxed)));
        WAITS.wakers().insert(watch.0, waker);
        WAITS.schedule.stored(now, at);
        // threads of the models are not those of the program: there, whoever plays the sweeper calls `wake_due`
        if cfg!(not(memo_shuttle)) {
            static REGISTERED: Once = Once::new();
            REGISTERED.call_once(|| sweep::register(&WAITS));
        }
        Some(watch)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let waker = WAITS.wakers().remove(&self.0);
        drop(waker);
    }
}

/// What the sweeper does.
#[cfg(all(test, memo_shuttle))]
pub(super) fn wake_due() {
    WAITS.sweep();
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
