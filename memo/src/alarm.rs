//! Alarms: a task is woken at some time.
//!
//! There is no runtime to ask for a timer. A task leaves its waker here, and the thread that sweeps ([`sweep`](crate::sweep)) wakes
//! those whose time has come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
#[cfg(feature = "limit")]
use std::task::Poll;
use std::task::Waker;

use crate::clock::{NEVER, exact};
use crate::fork::{self, Keep};
use crate::sweep::{self, Sweep};

/// Alarms go off by up to so much of their time too late, so that those of about the same time go off together.
const LATE: u64 = 64;
/// They go off by no more than this too late.
const LATEST: u64 = 250_000_000;

/// Alarms, by the time at which they go off, and a number of their own.
struct Alarms {
    wakers: Mutex<BTreeMap<(u64, u64), Waker>>,
    next: AtomicU64,
    /// Whether the thread that sweeps looks here.
    watched: AtomicBool,
}

static ALARMS: Alarms =
    Alarms { wakers: Mutex::new(BTreeMap::new()), next: AtomicU64::new(0), watched: AtomicBool::new(false) };

impl Alarms {
    /// No code of the user's runs with the lock held: wakers are cloned, woken and dropped without.
    fn wakers(&self) -> MutexGuard<'_, BTreeMap<(u64, u64), Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sweep for Alarms {
    fn sweep(&self) {
        let now = exact();
        let due = {
            let _unforked = fork::hold_off();
            let mut wakers = self.wakers();
            let later = wakers.split_off(&(now.saturating_add(1), 0));
            std::mem::replace(&mut *wakers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    fn due(&self) -> Option<u64> {
        let _unforked = fork::hold_off();
        self.wakers().keys().next().map(|(at, _)| *at)
    }

    fn watch(&self) {
        self.watched.store(true, Relaxed);
    }

    fn hold<'s>(&'s self, keep: Keep<'_, 's>) {
        keep(Box::new(self.wakers()));
    }
}

/// While it lives, a task is woken at some time.
pub(crate) struct Alarm((u64, u64));

impl Alarm {
    /// Wakes the task in so many nanoseconds, or a little later. None if that time never comes.
    pub(crate) fn after(left: u64, waker: Waker) -> Option<Self> {
        let now = exact();
        let moment = (left / LATE).clamp(1, LATEST);
        let at =
            now.saturating_add(left.max(1)).checked_next_multiple_of(moment).filter(|at| *at != NEVER)?;
        let alarm = Alarm((at, ALARMS.next.fetch_add(1, Relaxed)));
        ALARMS.wakers().insert(alarm.0, waker);
        // threads of the models are not those of the program: there, whoever plays the sweeper calls `wake_due`
        if cfg!(not(memo_shuttle)) {
            static REGISTERED: Once = Once::new();
            REGISTERED.call_once(|| sweep::register(&ALARMS));
            sweep::wish(at, || ALARMS.watched.load(Relaxed));
        }
        Some(alarm)
    }
}

/// Waits for so many nanoseconds, or a little longer.
#[cfg(feature = "limit")]
pub(crate) async fn sleep(length: u64) {
    let (end, mut alarm) = (exact().saturating_add(length), None);
    std::future::poll_fn(|context| {
        let now = exact();
        if now >= end {
            return Poll::Ready(());
        }
        alarm = Alarm::after(end - now, context.waker().clone());
        Poll::Pending
    })
    .await;
    drop(alarm);
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = ALARMS.wakers().remove(&self.0);
        drop(waker);
    }
}

/// What the sweeper does.
#[cfg(all(test, memo_shuttle))]
pub(crate) fn wake_due() {
    ALARMS.sweep();
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::task::Wake;
    use std::time::Duration;

    struct Bell(mpsc::Sender<()>);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn an_alarm_goes_off_once_its_time_has_come() {
        let (bell, rung) = mpsc::channel();
        let begun = exact();
        let alarm = Alarm::after(20_000_000, Waker::from(Arc::new(Bell(bell)))).expect("the time comes");
        rung.recv_timeout(Duration::from_secs(60)).expect("it goes off");
        assert!(exact() - begun >= 20_000_000);
        drop(alarm);
    }

    #[test]
    fn an_alarm_that_is_dropped_does_not_go_off() {
        let (bell, rung) = mpsc::channel();
        drop(Alarm::after(1, Waker::from(Arc::new(Bell(bell)))));
        // its waker was dropped with it, or has been woken just before
        let _ = rung.try_recv();
        assert_eq!(rung.recv(), Err(mpsc::RecvError));
    }

    #[test]
    fn there_are_times_that_never_come() {
        assert!(Alarm::after(NEVER, Waker::noop().clone()).is_none());
    }
}
