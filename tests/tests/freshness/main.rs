//! Results that are stale, renewed, or valid no more, through the API. Promises 28 and 29.
//!
//! A binary of its own, since these tests move the clock of the process; one at a time.

mod ahead;
mod arguments;
mod choices;
mod errors;
mod futures;
mod panics;
mod scopes;
mod stale;
mod told;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memo::__private::testing::advance;

const MINUTE: Duration = Duration::from_secs(60);

/// The clock is for one test at a time.
fn clock() -> MutexGuard<'static, ()> {
    static CLOCK: Mutex<()> = Mutex::new(());
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for what another thread is about to do. It fails after a time that is long enough for any machine.
#[track_caller]
fn until(what: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to it");
        std::thread::yield_now();
    }
}
