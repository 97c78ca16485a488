//! Decides whether a blocking call may be made on its caller's thread.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The state of direct calls, by which the next call is direct or goes to a helper.
pub(super) struct DirectCalls {
    begun: Instant,
    inside: AtomicUsize,
    /// When a direct call last ended, or began while no other was under way, in milliseconds.
    last_progress: AtomicU64,
    uses_helpers: AtomicBool,
    /// When a call last took too long, in milliseconds.
    last_slow: AtomicU64,
}

/// How long no call may be slow before calls are direct again.
const CALM: Duration = Duration::from_secs(1);

impl DirectCalls {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            inside: AtomicUsize::new(0),
            last_progress: AtomicU64::new(0),
            uses_helpers: AtomicBool::new(false),
            last_slow: AtomicU64::new(0),
        }
    }

    /// Notes that a call took too long, on whichever thread.
    pub(super) fn was_slow(&self) {
        self.was_slow_at(self.at(Instant::now()));
    }

    fn at(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.begun).as_millis() as u64
    }

    /// Begins a direct call. Returns `false` if the call should go to a helper instead.
    pub(super) fn begin(&self, moment: Instant, budget: Duration) -> bool {
        let now = self.at(moment);
        if self.uses_helpers.load(Ordering::Relaxed) {
            let calm = now.saturating_sub(self.last_slow.load(Ordering::Relaxed)) > CALM.as_millis() as u64;
            if !calm || self.inside.load(Ordering::Relaxed) != 0 {
                return false;
            }
            self.uses_helpers.store(false, Ordering::Relaxed);
        }
        if self.inside.fetch_add(1, Ordering::Relaxed) == 0 {
            self.last_progress.store(now, Ordering::Relaxed);
        } else if now.saturating_sub(self.last_progress.load(Ordering::Relaxed)) > budget.as_millis() as u64 {
            // A call is under way, and none has ended for as long as one may take.
            self.inside.fetch_sub(1, Ordering::Relaxed);
            self.was_slow_at(now);
            return false;
        }
        true
    }

    pub(super) fn end(&self, moment: Instant) {
        self.last_progress.store(self.at(moment), Ordering::Relaxed);
        self.inside.fetch_sub(1, Ordering::Relaxed);
    }

    fn was_slow_at(&self, now: u64) {
        self.last_slow.store(now, Ordering::Relaxed);
        self.uses_helpers.store(true, Ordering::Relaxed);
    }
}
