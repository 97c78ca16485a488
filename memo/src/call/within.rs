//! A body that is given up if it takes too long.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::alarm::Alarm;
use crate::clock::{exact, nanos};
use crate::counters::Counters;
use crate::outcome::Outcome;
use crate::unanswered::Unanswered;

pin_project! {
    /// The future of a body. If it takes too long it is dropped, and gives the error for that.
    pub(super) struct Within<B, R, O> {
        #[pin]
        body: Option<B>,
        outcome: O,
        // none: however long it takes
        limit: Option<Limit>,
        result: PhantomData<fn() -> R>,
    }
}

/// How long a body may take.
struct Limit {
    length: Duration,
    counters: &'static Counters,
    /// When it has to be done: so long after it was polled first.
    end: Option<u64>,
    /// What wakes it then, and whom.
    alarm: Option<(Alarm, Waker)>,
}

impl Limit {
    /// Whether the time is over. Otherwise the task is woken when it is.
    fn is_over(&mut self, waker: &Waker) -> bool {
        let now = exact();
        let end = *self.end.get_or_insert_with(|| now.saturating_add(nanos(self.length)));
        if now >= end {
            self.alarm = None;
            return true;
        }
        if !self.alarm.as_ref().is_some_and(|(_, woken)| woken.will_wake(waker)) {
            self.alarm = Alarm::after(end - now, waker.clone()).map(|alarm| (alarm, waker.clone()));
        }
        false
    }
}

impl<B: Future<Output = R>, R, O: Outcome<R>> Within<B, R, O> {
    pub(super) fn new(body: B, outcome: O, limit: Option<Duration>, counters: &'static Counters) -> Self {
        let limit = limit.map(|length| Limit { length, counters, end: None, alarm: None });
        Within { body: Some(body), outcome, limit, result: PhantomData }
    }
}

impl<B: Future<Output = R>, R, O: Outcome<R>> Future for Within<B, R, O> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let body = this.body.as_mut().as_pin_mut().expect("it is polled until it has ended");
        if let Poll::Ready(result) = body.poll(context) {
            return Poll::Ready(result);
        }
        let Some(limit) = this.limit.as_mut() else { return Poll::Pending };
        if !limit.is_over(context.waker()) {
            return Poll::Pending;
        }
        // without an error for it the body goes on
        let Some(result) = this.outcome.unanswered(Unanswered::TimedOut) else { return Poll::Pending };
        limit.counters.timed_out();
        this.body.set(None);
        Poll::Ready(result)
    }
}
