//! An asynchronous call until it has a result, or its body may run.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::call::begun::{Ended, Shared};
use crate::call::computation::Computation;
use crate::call::computing::Computing;
use crate::key::{OwnedPart, Part};
use crate::outcome::{Outcome, Value};

/// The part of an asynchronous call between the look nearby and the body: waits for another call's result, else gives the right
/// to compute.
pub struct Acquire<K: OwnedPart, V: Value, F: Value, R, O> {
    state: Option<Acquiring<K, V, F>>,
    outcome: O,
    result: PhantomData<fn() -> R>,
}

impl<K: OwnedPart, V: Value, F: Value, R, O> std::fmt::Debug for Acquire<K, V, F, R, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

/// [`Acquire`], by the borrowed key and the outcome.
pub(crate) type AcquireBy<P, R, O> =
    Acquire<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure, R, O>;

enum Acquiring<K: OwnedPart, V: Value, F: Value> {
    Compute(Computing<K, V, F>),
    Shared(Shared<V, F>),
    TurnedAway(Box<Computation<K, V, F>>),
    Later(Pin<Box<dyn Future<Output = Ended<K, V, F>> + Send>>),
}

impl<K: OwnedPart, V: Value, F: Value> Acquiring<K, V, F> {
    fn of(ended: Ended<K, V, F>) -> Self {
        match ended {
            Ended::Compute(computation) => Acquiring::Compute(Computing::new(|| computation)),
            Ended::Shared(shared) => Acquiring::Shared(shared),
            Ended::TurnedAway(computation) => Acquiring::TurnedAway(Box::new(computation)),
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value, R, O> Acquire<K, V, F, R, O> {
    /// With the right to compute.
    #[inline(always)]
    pub(super) fn compute(computing: Computing<K, V, F>, outcome: O) -> Self {
        Acquire { state: Some(Acquiring::Compute(computing)), outcome, result: PhantomData }
    }

    /// With nothing to wait for.
    pub(super) fn ended(ended: Ended<K, V, F>, outcome: O) -> Self {
        Acquire { state: Some(Acquiring::of(ended)), outcome, result: PhantomData }
    }

    /// With something to wait for. That is rare, and is not to make the future of every call as large as it is.
    pub(super) fn later(later: impl Future<Output = Ended<K, V, F>> + Send + 'static, outcome: O) -> Self {
        Acquire { state: Some(Acquiring::Later(Box::pin(later))), outcome, result: PhantomData }
    }
}

impl<K: OwnedPart, V: Value, F: Value, R, O> Unpin for Acquire<K, V, F, R, O> {}

impl<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>> Future
    for Acquire<K, V, F, R, O>
{
    /// A result, or the right to compute where nobody else does.
    type Output = Result<R, Computing<K, V, F>>;

    // out of line: what is only needed here is not in the frame of each level of a recursion
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(Acquiring::Later(later)) = &mut self.state {
            match later.as_mut().poll(context) {
                Poll::Ready(ended) => self.state = Some(Acquiring::of(ended)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(match self.state.take() {
            Some(Acquiring::Compute(computing)) => Err(computing),
            Some(Acquiring::Shared(shared)) => shared.result(self.outcome),
            Some(Acquiring::TurnedAway(computation)) => Ok(computation.turned_away(self.outcome)),
            Some(Acquiring::Later(_)) | None => unreachable!("it is polled until it has ended"),
        })
    }
}
