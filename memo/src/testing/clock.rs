//! The clock of the process, in the hands of a test.

use std::cell::Cell;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::scope::IntoLifetime;

/// The clock that lifetimes are measured by, of the whole process: for one test at a time. Whoever asks for it meanwhile
/// waits.
///
/// Tests whose results have lifetimes of hours are not bothered by others that move it, but such as count on
/// something still being there had better have the clock as well.
///
/// # Panics
///
/// If this thread has it already, which would wait for itself.
#[track_caller]
pub fn clock() -> Clock {
    static ONE: Mutex<()> = Mutex::new(());
    assert!(!HAS_CLOCK.get(), "memo: this test has the clock already: use what `clock()` gave it");
    // a test that fails leaves the clock in order
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    HAS_CLOCK.set(true);
    Clock { moved_back: 0, _one: one }
}

thread_local! {
    /// This thread has the clock, which does not leave it.
    static HAS_CLOCK: Cell<bool> = const { Cell::new(false) };
}

/// The clock of the process in the hands of a test: see [`clock`].
///
/// All lifetimes of entries are measured by it: `ttl`, `tti`, `ttl_of` and the lifetimes of errors, in memory and in engines
/// of this process. So is the `patience` of calls that wait for a future that nobody polls. It is no clock for anything else:
/// time budgets, circuits, leases and servers have theirs.
pub struct Clock {
    /// How far the clock on the wall has been set back, in milliseconds.
    moved_back: i64,
    _one: MutexGuard<'static, ()>,
}

impl Clock {
    /// Time passes. It does not come back when this is dropped.
    ///
    /// # Panics
    ///
    /// If `by` is a text that is no duration.
    #[track_caller]
    pub fn advance(&self, by: impl IntoLifetime) {
        let by = by.into_lifetime();
        crate::clock::advance(by);
        move_wall_clock(millis(by));
    }

    /// The clock on the wall is set back, as people and time servers do, until this is dropped. Engines that outlive
    /// the process tell time by it; memory does not.
    ///
    /// # Panics
    ///
    /// If `by` is a text that is no duration.
    #[track_caller]
    pub fn set_back(&mut self, by: impl IntoLifetime) {
        let by = millis(by.into_lifetime());
        self.moved_back = self.moved_back.saturating_add(by);
        move_wall_clock(-by);
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(feature = "engines")]
fn move_wall_clock(millis: i64) {
    memo_engines::testing::move_clock(millis);
}

/// Without engines, nothing reads the clock on the wall.
#[cfg(not(feature = "engines"))]
fn move_wall_clock(_: i64) {}

impl Drop for Clock {
    fn drop(&mut self) {
        move_wall_clock(self.moved_back);
        // at the end of the thread, the local may be gone
        let _ = HAS_CLOCK.try_with(|has| has.set(false));
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}
