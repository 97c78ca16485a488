//! An invalidation wins over a computation that is under way: its flight may not store any more.

use super::board::{Board, Ref};
use super::graph;
use super::state::{Flight, Phase, SUPERSEDED};
use super::storing::Storing;
use super::waiters::wake_all;
use crate::sync::{atomic::Ordering, lock, thread};

/// Supersedes all flights of the function whose flights are at the address `of`.
pub(super) fn supersede_all(board: &Board<Flight>, of: usize) {
    board.all().iter().filter(|flight| flight.of == of).for_each(|flight| supersede(board, flight));
}

/// Takes a flight off the board, and forbids it to store.
pub(super) fn supersede(board: &Board<Flight>, flight: &Ref<Flight>) {
    board.leave(flight);
    loop {
        let mut state = lock(&flight.state);
        match state.phase {
            Phase::Vacant => {
                // the waiters begin anew, hence after the invalidation
                state.phase = Phase::Over;
                let wakers = state.waiters.take_all();
                drop(state);
                return wake_all(wakers);
            }
            Phase::Over => return,
            Phase::Computing => {}
        }
        let store = flight.store.load(Ordering::Relaxed);
        let thread = store >> 1;
        // An invalidation within a store of this thread (by a `Drop` of the user's) waits for no other store, since that one
        // might wait for this.
        if thread != 0 && thread != graph::this_thread() && !Storing::is_here() {
            drop(state);
            thread::yield_now();
            continue;
        }
        let superseded = store | SUPERSEDED;
        let (done, not) = (Ordering::AcqRel, Ordering::Relaxed);
        if flight.store.compare_exchange(store, superseded, done, not).is_ok() {
            return;
        }
    }
}
