//! An asynchronous call while its body runs.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::call::computation::Computation;
use crate::key::OwnedPart;
use crate::outcome::{Outcome, Value};
use crate::pool::Pooled;

/// The right to compute of an asynchronous call. Dropped before it has [finished](Self::finish), because the body panicked or the
/// call was given up, it leaves the right to another call.
//
// What is known of the computation is in a pooled block, so that the call's future holds one pointer to it.
pub struct Computing<K: OwnedPart, V: Value, F: Value>(Pooled<Computation<K, V, F>>);

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Computing<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Computing").field(&*self.0).finish()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Computing<K, V, F> {
    /// `computation` is made where it will stand.
    #[inline(always)]
    pub(super) fn new(computation: impl FnOnce() -> Computation<K, V, F>) -> Self {
        Computing(Pooled::new(computation))
    }

    /// Runs the body.
    pub fn compute<B: Future>(&self, body: B) -> impl Future<Output = B::Output> + use<'_, K, V, F, B> {
        self.0.compute(body)
    }

    /// Runs the body, which is given up if it takes longer than the function's `timeout`.
    pub(super) fn compute_within<R, O: Outcome<R, Stored = V, Failure = F>, B: Future<Output = R>>(
        &self,
        outcome: O,
        body: B,
    ) -> impl Future<Output = R> + use<'_, K, V, F, R, O, B> {
        self.0.compute(self.0.within(outcome, body))
    }

    /// Runs the body and [finishes](Self::finish). A panic is replaced by a result that answers in its place, if the call has found
    /// one.
    ///
    /// # Panics
    ///
    /// Where the body does, and no result answers.
    pub async fn run<R, O: Outcome<R, Stored = V, Failure = F>, B: Future<Output = R>>(
        mut self,
        outcome: O,
        body: B,
    ) -> R {
        if !self.0.is_renewal() {
            let mut result = self.compute_within(outcome, body).await;
            self.finish(outcome, &mut result);
            return result;
        }
        match (Catching { future: self.compute_within(outcome, body) }).await {
            Ok(mut result) => {
                self.finish(outcome, &mut result);
                result
            }
            Err(panic) => self.0.answer_panic(outcome, panic),
        }
    }

    /// What it computes.
    pub(super) fn computation(&mut self) -> &mut Computation<K, V, F> {
        &mut self.0
    }

    /// Stores the result of the body, and tells those who wait. A failure is replaced by a result that answers in its place, if
    /// the call has found one.
    #[inline(never)]
    pub fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(mut self, outcome: O, result: &mut R) {
        self.0.finish(outcome, result);
    }
}

pin_project! {
    /// A future whose panic is what it gives.
    struct Catching<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Catching<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_unwind(AssertUnwindSafe(|| future.poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
