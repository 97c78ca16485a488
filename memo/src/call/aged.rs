//! How a call goes on that has found a result which is stale, or is to be renewed before it ends.
//!
//! One call gets the right to renew a result, a [`Claim`](super::claim::Claim). It hands the renewal to another thread or task
//! where it can own the arguments, else it computes itself. All others get the result that there is, as long as it
//! [serves](Serves).

use crate::call::begun::{Begun, Ended, Shared};
use crate::call::claim::Aged;
use crate::call::computation::Computation;
use crate::call::running::{Running, Started};
use crate::flight::graph::BlocksThread;
use crate::flight::{Joined, Landed};
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::memo::freshness::Serves;
use crate::outcome::Value;
use crate::park::block_on;
use crate::scope::{Answered, Call, Failed};

/// How a call begins that has found a result which is to be renewed, or which serves only if the computation fails.
#[inline(never)]
pub(super) fn start<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    hash: u64,
    key: K,
    mut call: Option<Box<Call>>,
    aged: Box<Aged<K, V, F>>,
) -> Started<K, V, F> {
    if is_for_another(memo, &aged) {
        return Started::Running(Running::new(|| Computation::claimed(memo, hash, key, call, aged)));
    }
    let begun = match join(memo, hash, key, true, &aged) {
        Some(begun) if begun.is_end() => begun,
        Some(begun) => block_on(Box::pin(begun.end(call.as_deref()))),
        None => {
            Aged::given(memo, aged.serves, call.as_deref_mut());
            return Started::Shared(Shared::Value(Box::new(aged.left_to_others())));
        }
    };
    match ended(memo, begun, call, aged) {
        Ended::Shared(shared) => Started::Shared(shared),
        Ended::Compute(computation) => Started::Running(Running::new(|| computation)),
    }
}

/// Whether another thread or task can renew it, while the call is answered.
pub(super) fn is_for_another<K: OwnedPart, V: Value, F: Value>(
    memo: &Memo<K, V, F>,
    aged: &Aged<K, V, F>,
) -> bool {
    aged.claim.is_some() && aged.serves != Serves::IfError && memo.renews_behind()
}

/// Joins the computation of the key; none where what was found serves: somebody else computes, or has just failed.
pub(super) fn join<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    hash: u64,
    key: K,
    blocks: BlocksThread,
    aged: &Aged<K, V, F>,
) -> Option<Begun<K, V, F>> {
    match memo.flights.join(hash, key, blocks) {
        Joined::Lead(flight) => {
            let mut lead = memo.flights.lead(flight);
            if aged.has_failed_since(memo, hash) {
                // `Clone` of the user's runs in here
                let _on_stack = memo.runs_user_code.then(|| lead.on_stack());
                lead.land(|| Landed::Value(aged.value.clone()));
                return None;
            }
            Some(match aged.claim.as_ref().filter(|claim| claim.is_of_use()) {
                Some(claim) => Begun::renew(memo, lead, blocks, true, claim.left()),
                None => Begun::lead(memo, lead, blocks),
            })
        }
        Joined::Wait(_) if aged.serves != Serves::IfError => None,
        Joined::Wait(wait) => Some(Begun::waiting(memo, hash, blocks, wait)),
    }
}

/// How such a call ends, or goes on. Another call's failure is answered by what was found.
pub(super) fn ended<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    begun: Begun<K, V, F>,
    mut call: Option<Box<Call>>,
    aged: Box<Aged<K, V, F>>,
) -> Ended<K, V, F> {
    if let Begun::Failed(_) = begun {
        memo.counters.stale();
        if let Some(call) = &mut call {
            call.answered(Answered::Instead(Failed::Another, memo.near_name()), None);
        }
        return Ended::Shared(Shared::Value(Box::new(aged.left_to_others())));
    }
    match begun.ended(call) {
        Ended::Compute(computation) => Ended::Compute(computation.renewing(aged)),
        Ended::Shared(shared) => {
            drop(aged.left_to_others());
            Ended::Shared(shared)
        }
    }
}
