//! Renewals behind the calls: on another thread, or in another task.

#[cfg(all(test, memo_shuttle))]
mod shuttle_models;

use std::future::Future;
use std::pin::Pin;

use crate::call::admitted::try_admit;
use crate::call::begun::{Begun, Ended};
use crate::call::claim::{Claimed, Renewal};
use crate::call::computation::Computation;
use crate::call::computing::Computing;
use crate::call::running::Running;
use crate::flight::Joined;
use crate::flight::graph::BlocksThread;
use crate::key::OwnedPart;
use crate::memoized::Memoized;
use crate::outcome::{Outcome, Value};
use crate::park::block_on;
use crate::renewals;
use crate::scope::{Call, Scope};
use crate::trace::Span;

/// The body of a synchronous function with all that it needs.
pub type Job<R> = Box<dyn FnOnce() -> R + Send>;

/// The body of an asynchronous function with all that it needs.
pub type Task<R> = Pin<Box<dyn Future<Output = R> + Send>>;

impl<K: OwnedPart, V: Value, F: Value> Running<K, V, F> {
    /// Hands a renewal to another thread, if that is what the call has begun. `job` makes the body with all that it needs. Gives
    /// the result that there is.
    ///
    /// # Errors
    ///
    /// The body is to run here.
    pub fn behind<R: 'static, O: Outcome<R, Stored = V, Failure = F> + Send>(
        mut self,
        outcome: O,
        job: impl FnOnce() -> Job<R>,
    ) -> Result<R, Self> {
        match self.computation().take_claimed() {
            None => Err(self),
            Some(claimed) => {
                let Claimed { renewal, patient } = *claimed;
                let (scope, job, span) = (Scope::current(), job(), renewal.span());
                renewals::run(Box::new(move |may_run| match may_run {
                    true => {
                        let _entered = span.enter();
                        scope.with(|| run(renewal, outcome, job));
                    }
                    false => renewal.claim.refused(),
                }));
                Ok(outcome.hit(block_on(Box::pin(patient.answer()))))
            }
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Computing<K, V, F> {
    /// Hands a renewal to another task, if that is what the call has begun. `task` makes the body with all that it needs. Gives the
    /// result that there is.
    ///
    /// # Errors
    ///
    /// The body is to run here.
    pub fn behind<R: 'static, O: Outcome<R, Stored = V, Failure = F> + Send>(
        mut self,
        outcome: O,
        task: impl FnOnce() -> Task<R>,
    ) -> Result<impl Future<Output = R>, Self> {
        match self.computation().take_claimed() {
            None => Err(self),
            Some(claimed) => {
                let Claimed { renewal, patient } = *claimed;
                let task = renewal.span().around(poll(renewal, outcome, task()));
                renewals::spawn(Box::pin(Scope::current().run(task)));
                Ok(async move { outcome.hit(Box::pin(patient.answer()).await) })
            }
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Renewal<K, V, F> {
    /// What it runs in. It is made on the thread of the call.
    fn span(&self) -> Span {
        Span::of_renewal(self.memo.name(), self.claim.shown())
    }
}

/// The right to compute, if nobody else does by now, and if the result is still there. Else the claim is given back.
async fn begin<K: OwnedPart, V: Value, F: Value>(
    renewal: Renewal<K, V, F>,
    blocks: BlocksThread,
) -> Option<Computation<K, V, F>> {
    let Renewal { memo, hash, key, claim, call } = renewal;
    let lead = match memo.flights.join(hash, key, blocks) {
        Joined::Lead(flight) => memo.flights.lead(flight),
        // somebody computes, and will store it
        Joined::Wait(_) => {
            claim.left_to_others();
            return None;
        }
    };
    // not earlier: whoever has led meanwhile has stored a new result
    if !claim.is_of_use() {
        claim.release();
        return None;
    }
    let call = Call::renewing(call, memo.name(), || claim.shown().map(str::to_owned));
    let begun = Begun::renew(memo, lead, blocks, false, claim.left());
    match begun.end(call.as_deref()).await.ended(call) {
        Ended::Compute(computation) => match try_admit(memo, computation) {
            Ok(computation) => Some(computation.renewing_behind(claim)),
            // nobody waits for it as a caller would, so it does not wait for a place either
            Err(_over_limit) => {
                claim.release();
                None
            }
        },
        Ended::Shared(_) | Ended::TurnedAway(_) => {
            claim.left_to_others();
            None
        }
    }
}

/// Renews a result on this thread.
fn run<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>>(
    renewal: Renewal<K, V, F>,
    outcome: O,
    job: Job<R>,
) {
    let Some(computation) = block_on(Box::pin(begin(renewal, true))) else { return };
    let running = Running::new(|| computation);
    let mut result = job();
    running.finish(outcome, &mut result);
}

/// Renews a result in this task.
async fn poll<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>>(
    renewal: Renewal<K, V, F>,
    outcome: O,
    task: Task<R>,
) {
    let Some(computation) = begin(renewal, false).await else { return };
    let computing = Computing::new(|| computation);
    let mut result = computing.compute_within(outcome, task).await;
    computing.finish(outcome, &mut result);
}
