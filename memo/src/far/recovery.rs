//! Looking out for engines that come back.
//!
//! While all engines of a function fail, its results are kept in memory, and calls that find them there ask no engine.
//! If nobody asked, such results would be given out for ever, whatever other processes invalidate meanwhile. So a thread
//! asks, for as long as anything fails.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memo_engines::Key;

use super::plane::Plane;
use crate::background::Background;
use crate::clock::exact;
use crate::fork;
use crate::park::block_on;
use crate::per_process::PerProcess;

/// Asks the engines of one function; true once one has answered and what memory held is gone.
type Watch = Box<dyn Fn() -> bool + Send>;

/// How often they are asked. A circuit lets a call through at most once in a second by then.
const EVERY: Duration = Duration::from_millis(500);

/// A forked child begins with none: another thread of its parent may have held the lock, or have taken them out to ask.
static WATCHES: PerProcess<Mutex<Vec<Watch>>> = PerProcess::new();
/// The thread that asks.
static THREAD: Background = Background::new("memo-recovery");

fn watches() -> MutexGuard<'static, Vec<Watch>> {
    WATCHES.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks now and then, until it is true.
fn watch(watch: Watch) {
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

impl Plane {
    /// Memory keeps a result while all engines fail: once one is back, `clear` drops it.
    pub(crate) fn kept_in_fallback(&'static self, clear: impl Fn() + Send + 'static) {
        if self.is_mixed() {
            // its engines are not used any more, so it keeps all results in memory for good
            return;
        }
        self.ailing.store(true, Ordering::Relaxed);
        let this = fork::generation();
        let is_watched = |before| before == this;
        if is_watched(self.watched_in.load(Ordering::Relaxed))
            || is_watched(self.watched_in.swap(this, Ordering::AcqRel))
        {
            return;
        }
        watch(Box::new(move || {
            // no result has this key: what matters is whether the engine answers
            let key = Key { space: self.space(), digest: [0; 32] };
            let back = self.tiers.iter().any(|tier| block_on(tier.engine.get(&key)).is_ok());
            if back {
                // before the memory is cleared, so that a result that is kept meanwhile begins another watch
                self.watched_in.store(0, Ordering::Release);
                clear();
            }
            back
        }));
    }
}
