//! A synchronous call while its body runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::body::Body;
use crate::call::begun::Shared;
use crate::call::computation::Computation;
use crate::flight::graph::OnStack;
use crate::key::{OwnedPart, Part};
use crate::outcome::{Outcome, Value};
use crate::pool::Pooled;
use crate::trace::{self, EnteredSpan};

/// The right to compute of a synchronous call, whose body runs. Dropped before it has [finished](Self::finish), because the
/// body panicked, it leaves the right to another call.
//
// What is known of the computation is in a pooled block, so that each level of a recursion holds one pointer to it.
pub struct Running<K: OwnedPart, V: Value, F: Value>(Pooled<Run<K, V, F>>);

/// [`Running`], by the borrowed key and the outcome.
pub(crate) type RunningBy<P, R, O> =
    Running<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure>;

/// What is behind a [`Running`]. The order is that in which these end.
struct Run<K: OwnedPart, V: Value, F: Value> {
    span: Option<Box<EnteredSpan>>,
    on_stack: Option<OnStack>,
    computation: Computation<K, V, F>,
}

/// How a synchronous call goes on.
pub(super) enum Started<K: OwnedPart, V: Value, F: Value> {
    /// Its body runs.
    Running(Running<K, V, F>),
    /// With a result that it does not compute.
    Shared(Shared<V, F>),
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Running<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Running").field(&self.0.computation).finish()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Running<K, V, F> {
    /// Has the computation run from now on.
    //
    // It is made, and borrowed, only where it will stand: see `lead_at_once`.
    #[inline(always)]
    pub(super) fn new(computation: impl FnOnce() -> Computation<K, V, F>) -> Self {
        let mut run = Pooled::new(|| Run { span: None, on_stack: None, computation: computation() });
        run.on_stack = run.computation.on_stack();
        if trace::shows_keys() && run.computation.computes() {
            run.span = Some(Box::new(run.computation.span().enter()));
        }
        Running(run)
    }

    /// What it computes.
    pub(super) fn computation(&mut self) -> &mut Computation<K, V, F> {
        &mut self.0.computation
    }

    /// Stores the result of the body, and tells those who wait. A failure is replaced by a result that answers in its place, if
    /// the call has found one.
    #[inline(never)]
    pub fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(mut self, outcome: O, result: &mut R) {
        let Run { span, on_stack, computation } = &mut *self.0;
        (*span, *on_stack) = (None, None);
        computation.finish(outcome, result);
    }

    /// Runs the body, a function of the arguments, and [finishes](Self::finish). Optimized code ends with this call, which takes
    /// the place of its caller.
    #[cold]
    #[inline(never)]
    pub fn apply<A, R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        outcome: O,
        body: fn(A) -> R,
        arguments: A,
    ) -> R {
        let mut result = body(arguments);
        self.finish(outcome, &mut result);
        result
    }

    /// Runs the body and [finishes](Self::finish). A large result goes this way: it stands in one frame less than where the
    /// function runs the body itself. A panic is replaced by a result that answers in its place, if the call has found one.
    ///
    /// # Panics
    ///
    /// Where the body does, and no result answers.
    #[inline(never)]
    pub fn run<R, O: Outcome<R, Stored = V, Failure = F>>(self, outcome: O, body: &mut dyn Body<R>) -> R {
        if self.0.computation.is_renewal() {
            return self.run_caught(outcome, body);
        }
        let mut result = body.run();
        self.finish(outcome, &mut result);
        result
    }

    #[cold]
    #[inline(never)]
    fn run_caught<R, O: Outcome<R, Stored = V, Failure = F>>(
        mut self,
        outcome: O,
        body: &mut dyn Body<R>,
    ) -> R {
        match catch_unwind(AssertUnwindSafe(|| body.run())) {
            Ok(mut result) => {
                self.finish(outcome, &mut result);
                result
            }
            Err(panic) => {
                let Run { span, on_stack, computation } = &mut *self.0;
                (*span, *on_stack) = (None, None);
                computation.answer_panic(outcome, panic)
            }
        }
    }
}
