//! Futures with a time limit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::timer::Wait;

/// Awaits `future` for at most `budget`. Gives `None` if it is not ready then.
pub(super) fn within<F: Future + Unpin>(future: F, budget: Duration) -> Within<F> {
    Within { future, budget, wait: None }
}

/// Waits for this long. Any executor can poll the future, and so can a thread that parks.
pub async fn sleep(time: Duration) {
    let until = Instant::now() + time;
    within(std::future::pending::<()>(), time).await;
    // If no timer thread could be started, the wait above ends at once. Then this thread sleeps, so that a
    // caller in a loop does not spin.
    std::thread::sleep(until.saturating_duration_since(Instant::now()));
}

pub(super) struct Within<F> {
    future: F,
    budget: Duration,
    /// Begins at the first poll that finds nothing: a future that is ready at once needs no clock.
    wait: Option<Wait>,
}

impl<F: Future + Unpin> Future for Within<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(value) = Pin::new(&mut self.future).poll(context) {
            return Poll::Ready(Some(value));
        }
        match &self.wait {
            Some(wait) if wait.is_over() => return Poll::Ready(None),
            Some(wait) => wait.wake(context.waker()),
            None => match Wait::begin(self.budget, context.waker()) {
                Some(wait) => self.wait = Some(wait),
                // There is no timer thread to wake us. No answer is better than one that may never come.
                None => return Poll::Ready(None),
            },
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::task::Waker;

    use super::*;
    use crate::block_on::block_on;

    /// Begins a wait and gives it up.
    fn wait_and_leave(budget: Duration) {
        let mut within = within(pending::<()>(), budget);
        assert!(Pin::new(&mut within).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[test]
    fn a_wait_ends_in_its_own_time_whoever_had_its_alarm() {
        let budget = Duration::from_millis(50);
        for before in [Duration::from_millis(1), Duration::from_secs(3600), budget] {
            let (tell, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                // the alarm that was used last is the first to be used again
                wait_and_leave(before);
                let begun = Instant::now();
                assert_eq!(block_on(within(pending::<()>(), budget)), None);
                tell.send(begun.elapsed()).unwrap();
            });
            let took = told.recv_timeout(Duration::from_secs(60));
            let took = took.unwrap_or_else(|_| panic!("late, after one of {before:?}"));
            assert!(took >= budget, "before its time, after one of {before:?}");
        }
    }

    #[test]
    fn an_alarm_that_goes_off_wakes_whoever_polled_last() {
        let mut within = within(pending::<()>(), Duration::from_millis(50));
        assert!(Pin::new(&mut within).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(block_on(within), None);
    }
}
