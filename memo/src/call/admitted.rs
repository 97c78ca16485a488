//! How a computation gets one of the places of a function that has a limit of these.

use crate::call::begun::{Ended, Shared};
use crate::call::computation::Computation;
use crate::flight::graph;
use crate::gate::Gate;
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::outcome::Value;

/// Gives a call that is about to compute a place, for which it may wait. Who has found a result takes that where no place is free.
pub(super) async fn admitted<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    ended: Ended<K, V, F>,
) -> Ended<K, V, F> {
    let Ended::Compute(computation) = ended else { return ended };
    let mut computation = match try_admit(memo, computation) {
        Ok(computation) => return Ended::Compute(computation),
        Err(computation) => computation,
    };
    if let Some(value) = computation.found_before() {
        return Ended::Shared(Shared::Value(Box::new(value)));
    }
    let Some((gate, most, flight)) = needed(memo, &computation) else { return Ended::Compute(computation) };
    if memo.settings.sparing.turns_away {
        return Ended::TurnedAway(computation);
    }
    let permit = gate.enter(most, flight, graph::computed_here()).await;
    Ended::Compute(computation.admitted(permit))
}

/// Gives a computation a place, if it needs one, and one is free. One that runs within another of the same function has a place.
///
/// # Errors
///
/// No place is free. That is counted.
pub(super) fn try_admit<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    computation: Computation<K, V, F>,
) -> Result<Computation<K, V, F>, Computation<K, V, F>> {
    let Some((gate, most, flight)) = needed(memo, &computation) else { return Ok(computation) };
    if gate.has(&graph::computed_here()) {
        return Ok(computation);
    }
    match gate.try_enter(most, flight) {
        Some(permit) => Ok(computation.admitted(permit)),
        None => {
            memo.counters.limited();
            Err(computation)
        }
    }
}

/// The gate that a computation has to pass, how many places there are, and what to hold one by.
fn needed<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    computation: &Computation<K, V, F>,
) -> Option<(&'static Gate, u64, usize)> {
    Some((memo.gate?, memo.settings.sparing.at_once?, computation.flight()?))
}
