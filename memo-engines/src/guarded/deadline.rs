//! A future that must be done in time, without anyone's runtime: one thread wakes those whose time is over.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Gives what `future` gives, or `None` once `budget` is over.
pub(super) fn within<F: Future + Unpin>(future: F, budget: Duration) -> Within<F> {
    Within { future, budget, alarm: None }
}

/// Waits for `time`, whatever executor polls it, or none: for engines and those who ask them again and again.
pub async fn sleep(time: Duration) {
    let until = Instant::now() + time;
    within(std::future::pending::<()>(), time).await;
    // Where no thread could be started to wake us it is over at once, and whoever waits in a loop would be busy.
    std::thread::sleep(until.saturating_duration_since(Instant::now()));
}

pub(super) struct Within<F> {
    future: F,
    budget: Duration,
    /// Set at the first poll that found nothing: what is ready at once needs no clock.
    alarm: Option<(Instant, Arc<Slot>)>,
}

/// Whom to wake.
type Slot = Mutex<Option<Waker>>;

impl<F: Future + Unpin> Future for Within<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(value) = Pin::new(&mut self.future).poll(context) {
            return Poll::Ready(Some(value));
        }
        let waker = context.waker();
        match &self.alarm {
            Some((at, _)) if Instant::now() >= *at => return Poll::Ready(None),
            Some((_, slot)) => {
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
                    *slot = Some(waker.clone());
                }
            }
            None => {
                let at = Instant::now() + self.budget;
                let slot = Arc::new(Mutex::new(Some(waker.clone())));
                if !timer().set(at, Arc::clone(&slot)) {
                    // No thread to wake us: better no answer than one that may never come.
                    return Poll::Ready(None);
                }
                self.alarm = Some((at, slot));
            }
        }
        Poll::Pending
    }
}

impl<F> Drop for Within<F> {
    fn drop(&mut self) {
        if let Some((_, slot)) = &self.alarm {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

/// What is due within the same moment is due together: a server under load has many calls at once, nearly all of which
/// are over long before.
const MOMENT_NANOS: u64 = 2_000_000;

struct Timer {
    begun: Instant,
    /// By the moment, counted from the beginning.
    alarms: Mutex<BTreeMap<u64, Vec<Arc<Slot>>>>,
    earlier: Condvar,
    runs: bool,
}

fn timer() -> &'static Timer {
    static TIMER: OnceLock<&Timer> = OnceLock::new();
    TIMER.get_or_init(|| {
        // The thread starts first and waits for the timer, so that the timer knows whether it has one.
        let (give, take) = std::sync::mpsc::sync_channel::<&'static Timer>(1);
        let thread = std::thread::Builder::new()
            .name("memo-timer".into())
            .spawn(move || take.recv().into_iter().for_each(Timer::run));
        let timer = Box::leak(Box::new(Timer {
            begun: Instant::now(),
            alarms: Mutex::default(),
            earlier: Condvar::new(),
            runs: thread.is_ok(),
        }));
        let _ = give.send(timer);
        timer
    })
}

impl Timer {
    /// Wakes whom `slot` holds then, or a moment later at most.
    fn set(&self, at: Instant, slot: Arc<Slot>) -> bool {
        if self.runs {
            let since = at.saturating_duration_since(self.begun);
            let moment = since.as_nanos() as u64 / MOMENT_NANOS + 1;
            let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
            let is_first = alarms.first_key_value().is_none_or(|(first, _)| moment < *first);
            alarms.entry(moment).or_default().push(slot);
            drop(alarms);
            if is_first {
                self.earlier.notify_one();
            }
        }
        self.runs
    }

    fn run(&self) {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = self.begun.elapsed();
            let first =
                alarms.first_key_value().map(|(moment, _)| Duration::from_nanos(moment * MOMENT_NANOS));
            alarms = match first {
                None => self.earlier.wait(alarms).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at > now => {
                    self.earlier.wait_timeout(alarms, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let due = alarms.pop_first();
                    // Wakers are foreign code.
                    drop(alarms);
                    for slot in due.into_iter().flat_map(|(_, slots)| slots) {
                        let waker = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                        waker.into_iter().for_each(Waker::wake);
                    }
                    self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}
