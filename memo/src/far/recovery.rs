//! Looking out for engines that come back.
//!
//! While all engines of a function fail, its results are kept in memory, and calls that find them there ask no engine.
//! Somebody has to, or such results would be given out for ever, whatever other processes invalidate meanwhile. A thread
//! does, for as long as anything fails.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::background::Background;
use crate::clock::exact;

/// Asks the engines of one function; true once one has answered and what memory held is gone.
pub(super) type Watch = Box<dyn Fn() -> bool + Send>;

/// How often they are asked. A circuit lets a call through at most once in a second by then.
const EVERY: Duration = Duration::from_millis(500);

static WATCHES: Mutex<Vec<Watch>> = Mutex::new(Vec::new());
/// The thread that asks.
static THREAD: Background = Background::new("memo-recovery");

fn watches() -> MutexGuard<'static, Vec<Watch>> {
    WATCHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks now and then, until it is true.
pub(super) fn watch(watch: Watch) {
    let mut watches = watches();
    watches.push(watch);
    THREAD.start(exact(), run);
}

fn run() {
    loop {
        std::thread::sleep(EVERY);
        // not under the lock: an engine may take its time
        let mut all = std::mem::take(&mut *watches());
        all.retain(|watch| !watch());
        let mut watches = watches();
        watches.append(&mut all);
        if watches.is_empty() {
            // with the lock held: who comes next starts another
            THREAD.ends();
            return;
        }
    }
}
