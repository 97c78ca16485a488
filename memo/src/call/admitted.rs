//! How a computation is admitted by a function that has a limit: how many there may be at once, or in some time.

use crate::call::begun::{Ended, Shared};
use crate::call::computation::Computation;
use crate::flight::graph;
use crate::gate::{Gate, Permit};
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::outcome::Value;

/// Admits a call that is about to compute, which may have to wait. Who has found a result takes that where there is no room.
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
    let Some(flight) = computation.flight() else { return Ended::Compute(computation) };
    if memo.settings.sparing.turns_away {
        return Ended::TurnedAway(computation);
    }
    let within = graph::computed_here();
    let permit = match needed(memo, &within) {
        Some((gate, most)) => Some(gate.enter(most, flight, within.clone()).await),
        None => None,
    };
    if let Some(limiter) = memo.limiter {
        limiter.pass(flight, within).await;
    }
    Ended::Compute(computation.admitted(permit))
}

/// Admits a computation, if there is room for it now.
///
/// # Errors
///
/// There is none. That is counted.
pub(super) fn try_admit<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    computation: Computation<K, V, F>,
) -> Result<Computation<K, V, F>, Computation<K, V, F>> {
    let Some(flight) = computation.flight() else { return Ok(computation) };
    match room(memo, flight) {
        Ok(permit) => Ok(computation.admitted(permit)),
        Err(NoRoom) => {
            memo.counters.limited();
            Err(computation)
        }
    }
}

/// It would be one computation too many.
struct NoRoom;

/// A place for the flight with this id, if it needs one. It counts as one more that has begun.
fn room<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    flight: usize,
) -> Result<Option<Permit>, NoRoom> {
    let permit = match needed(memo, &graph::computed_here()) {
        Some((gate, most)) => Some(gate.try_enter(most, flight).ok_or(NoRoom)?),
        None => None,
    };
    match memo.limiter.is_none_or(|limiter| limiter.try_pass(flight)) {
        true => Ok(permit),
        false => Err(NoRoom),
    }
}

/// The gate to pass, and how many places there are. One that runs within another of the same function has the place of that.
fn needed<K: OwnedPart, V: Value, F: Value>(
    memo: &'static Memo<K, V, F>,
    within: &[usize],
) -> Option<(&'static Gate, u64)> {
    let gate = memo.gate.filter(|gate| !gate.has(within))?;
    Some((gate, memo.settings.sparing.at_once?))
}
