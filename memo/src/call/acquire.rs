//! An asynchronous call until it has a result, or its body may run.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::call::begun::Ended;
use crate::call::computation::Computation;
use crate::key::OwnedPart;
use crate::outcome::{Outcome, Value};

/// How an asynchronous call comes to its end, or to the right to compute: see [`Missed::acquire`].
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

enum Acquiring<K: OwnedPart, V: Value, F: Value> {
    Ended(Ended<K, V, F>),
    Later(Pin<Box<dyn Future<Output = Ended<K, V, F>> + Send>>),
}

impl<K: OwnedPart, V: Value, F: Value, R, O> Acquire<K, V, F, R, O> {
    /// With nothing to wait for.
    pub(super) fn ended(ended: Ended<K, V, F>, outcome: O) -> Self {
        Acquire { state: Some(Acquiring::Ended(ended)), outcome, result: PhantomData }
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
    type Output = Result<R, Computation<K, V, F>>;

    // out of line: what is only needed here is not in the frame of each level of a recursion
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = match self.state.take() {
            Some(Acquiring::Ended(ended)) => ended,
            Some(Acquiring::Later(mut later)) => match later.as_mut().poll(context) {
                Poll::Ready(ended) => ended,
                Poll::Pending => {
                    self.state = Some(Acquiring::Later(later));
                    return Poll::Pending;
                }
            },
            None => unreachable!("it is polled until it has ended"),
        };
        Poll::Ready(match ended {
            Ended::Compute(computation) => Err(computation),
            Ended::Shared(shared) => shared.result(self.outcome),
        })
    }
}
