//! Looking out for engines that come back.
//!
//! While all engines of a function fail, its results are kept in memory, and calls that find them there ask no engine.
//! Somebody has to, or such results would be given out for ever, whatever other processes invalidate meanwhile. A thread
//! does, for as long as anything fails.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memo_engines::Key;

use super::plane::Far;
use crate::background::Background;
use crate::clock::exact;
use crate::park::block_on;

/// Asks the engines of one function; true once one has answered and what memory held is gone.
type Watch = Box<dyn Fn() -> bool + Send>;

/// How often they are asked. A circuit lets a call through at most once in a second by then.
const EVERY: Duration = Duration::from_millis(500);

static WATCHES: Mutex<Vec<Watch>> = Mutex::new(Vec::new());
/// The thread that asks.
static THREAD: Background = Background::new("memo-recovery");

fn watches() -> MutexGuard<'static, Vec<Watch>> {
    WATCHES.lock().unwrap_or_else(PoisonError::into_inner)
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

impl<K, V: 'static> Far<K, V> {
    /// Memory keeps a result while all engines fail: once one is back, `clear` drops it.
    pub(crate) fn kept_in_fallback(&'static self, clear: impl Fn() + Send + 'static)
    where
        K: Sync,
        V: Sync,
    {
        if self.is_mixed() {
            // for good: no engine comes back
            return;
        }
        self.ailing.store(true, Ordering::Relaxed);
        if self.watched.load(Ordering::Relaxed) || self.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        watch(Box::new(move || {
            // nobody's key: all that matters is whether there is an answer
            let key = Key { space: self.space(), digest: [0; 32] };
            let back = self.tiers.iter().any(|tier| block_on(tier.engine.get(&key)).is_ok());
            if back {
                // in this order, so that what is kept from here on is looked after anew
                self.watched.store(false, Ordering::Release);
                clear();
            }
            back
        }));
    }
}
