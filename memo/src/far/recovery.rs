//! Looking out for engines that come back.
//!
//! While all engines of a function fail, its results are kept in memory, and calls that find them there ask no engine.
//! Somebody has to, or such results would be given out for ever, whatever other processes invalidate meanwhile. A thread
//! does, for as long as anything fails.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Asks the engines of one function; true once one has answered and what memory held is gone.
pub(super) type Watch = Box<dyn Fn() -> bool + Send>;

/// How often they are asked. A circuit lets a call through at most once in a second by then.
const EVERY: Duration = Duration::from_millis(500);

struct Watches {
    all: Vec<Watch>,
    /// The process whose thread looks after them: a forked child has none.
    running: Option<u32>,
}

static WATCHES: Mutex<Watches> = Mutex::new(Watches { all: Vec::new(), running: None });

fn watches() -> std::sync::MutexGuard<'static, Watches> {
    WATCHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks now and then, until it is true.
pub(super) fn watch(watch: Watch) {
    let mut watches = watches();
    watches.all.push(watch);
    let here = std::process::id();
    if watches.running != Some(here) {
        let started = std::thread::Builder::new().name("memo-recovery".into()).spawn(run);
        watches.running = started.is_ok().then_some(here);
    }
}

fn run() {
    loop {
        std::thread::sleep(EVERY);
        // not under the lock: an engine may take its time
        let mut all = std::mem::take(&mut watches().all);
        all.retain(|watch| !watch());
        let mut watches = watches();
        watches.all.append(&mut all);
        if watches.all.is_empty() {
            watches.running = None;
            return;
        }
    }
}
