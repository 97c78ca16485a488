//! The right and the duty to compute a key: a flight is led, stores, and lands, or is handed on.

#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
#[cfg(feature = "engines")]
use std::sync::OnceLock;

use super::board::{Board, Ref};
use super::flights::{Flights, Own};
use super::graph::{self, OnStack};
#[cfg(feature = "engines")]
use super::graph::{BlocksThread, Node};
use super::landed::Landed;
use super::state::{Flight, Phase, SUPERSEDED};
use super::storing::Storing;
use super::waiters::wake_all;
use crate::key::OwnedPart;
use crate::outcome::Value;
#[cfg(feature = "engines")]
use crate::sync::{Arc, Weak};
use crate::sync::{atomic::AtomicU64, atomic::Ordering, in_a_store, lock};

/// Says whether a flight was superseded, so that its result must not be stored.
pub(crate) struct IsOff<'l>(&'l AtomicU64);

impl IsOff<'_> {
    #[inline(always)]
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed) & SUPERSEDED != 0
    }
}

/// The right and the duty to compute a key. Dropped before it has [`landed`](Lead::land), it hands both on.
pub(crate) struct Lead<'f, K: OwnedPart, V: Value, F: Value> {
    flights: &'f Flights<K, V, F>,
    pub(super) flight: Own<K, V, F>,
    progress: Progress,
    /// See [`Lead::node`].
    #[cfg(feature = "engines")]
    node: OnceLock<Arc<dyn Node>>,
}

/// How far a leader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It computes.
    Leading,
    /// The flight is off the board. There may be waiters to tell.
    Landing,
    /// What came of the flight is there for the waiters, who are still to be woken.
    Landed,
    /// The flight is off the board, and nobody waits.
    Done,
}

impl<'f, K: OwnedPart, V: Value, F: Value> Lead<'f, K, V, F> {
    #[inline(always)]
    pub(super) fn new(flights: &'f Flights<K, V, F>, flight: Own<K, V, F>) -> Self {
        Lead {
            flights,
            flight,
            progress: Progress::Leading,
            #[cfg(feature = "engines")]
            node: OnceLock::new(),
        }
    }

    /// Something that no other live flight has.
    pub(crate) fn id(&self) -> usize {
        self.flight.flight.id()
    }

    pub(crate) fn hash(&self) -> u64 {
        self.flight.hash
    }

    pub(crate) fn key(&self) -> &K {
        &self.flight.typed().key
    }

    /// Its flight as a node of the graph, for as long as this leads it.
    #[cfg(feature = "engines")]
    pub(crate) fn node(&self) -> Weak<dyn Node> {
        Arc::downgrade(self.node.get_or_init(|| Arc::new(self.flight.flight.clone())))
    }

    /// Whether one of `others` makes no progress while this waits. `blocks`: it blocks its thread.
    #[cfg(feature = "engines")]
    pub(crate) fn keeps_back(&self, blocks: BlocksThread, others: &[Arc<dyn Node>]) -> bool {
        self.flights.graph.keeps_back(self.flight.flight.id(), blocks, others)
    }

    /// The flight, for the next [`Lead`] of it. It stays on the board.
    #[inline(always)]
    pub(crate) fn into_flight(self) -> Own<K, V, F> {
        #[cfg_attr(not(feature = "engines"), allow(unused_mut, reason = "there is no node"))]
        let mut lead = ManuallyDrop::new(self);
        #[cfg(feature = "engines")]
        drop(lead.node.take());
        // SAFETY: `lead` is not dropped and not used any more, so that the flight is taken out once.
        unsafe { std::ptr::read(&raw const lead.flight) }
    }

    /// While the guard lives, the computation runs on this thread.
    #[inline]
    pub(crate) fn on_stack(&self) -> OnStack {
        OnStack::run(self.flight.flight.id())
    }

    /// Runs `store` unless an invalidation has come since the computation began. An invalidation that comes later waits
    /// until the flight is over, which should be soon. One that comes from within another store does not wait, since
    /// that store might wait for this one: `undo` is run for it.
    pub(crate) fn store(&self, store: impl FnOnce(), undo: impl FnOnce()) {
        let by = graph::this_thread() << 1;
        if self.flight.store.compare_exchange(0, by, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        in_a_store();
        let storing = Storing::begin();
        store();
        drop(storing);
        in_a_store();
        // No lock is needed. An invalidation that found nothing to remove has looked before this stored. It had marked the
        // flight before that, and the store's own lock makes the mark seen here.
        if self.flight.is_superseded() {
            undo();
        }
    }

    /// As [`store`](Self::store), for what the flight stores before its result: it may store again.
    pub(crate) fn store_first(&self, store: impl FnOnce(), undo: impl FnOnce()) {
        self.store(store, undo);
        let by = graph::this_thread() << 1;
        // not where it has been superseded
        let _ = self.flight.store.compare_exchange(by, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Runs `store`, which asks the [`IsOff`] whether an invalidation has come since the computation began. It asks under the
    /// lock under which it stores, and an invalidation takes that lock after it has marked the flight, to remove the result.
    /// So one of the two sees the other, and neither waits. `runs_user_code`: `store` may run code of the user's.
    #[inline(always)]
    pub(crate) fn store_unless(&self, runs_user_code: bool, store: impl FnOnce(IsOff<'_>) -> bool) -> bool {
        in_a_store();
        let storing = runs_user_code.then(Storing::begin);
        let stored = store(IsOff(&self.flight.store));
        drop(storing);
        in_a_store();
        stored
    }

    /// Ends the flight. `landing` is asked for what came of it only if somebody may be waiting. To be dropped next.
    //
    // By reference, so that it is not moved.
    #[inline]
    pub(crate) fn land(&mut self, landing: impl FnOnce() -> Landed<V, F>) {
        self.flights.board().leave(&self.flight.flight);
        #[cfg(feature = "engines")]
        drop(self.node.take());
        // off the board, the flight gains no more waiters
        if self.flight.flight.is_alone() {
            self.progress = Progress::Done;
            return;
        }
        self.progress = Progress::Landing;
        let _ = self.flight.typed().landed.set(Box::new(landing()));
        self.progress = Progress::Landed;
        // Waiters are woken when this is dropped, which it also is if `landing` panics.
    }
}

impl<K: OwnedPart, V: Value, F: Value> Drop for Lead<'_, K, V, F> {
    #[inline]
    fn drop(&mut self) {
        if self.progress != Progress::Done {
            resign(self.flights.board(), &self.flight.flight, self.progress);
        }
    }
}

/// Wakes all who wait for a flight that is over. Where its leader is gone without a result, hands it on to one of them.
#[inline(never)]
fn resign(board: &Board<Flight>, flight: &Ref<Flight>, progress: Progress) {
    let leave = || {
        if progress == Progress::Leading {
            board.leave(flight);
        }
    };
    let mut state = lock(&flight.state);
    if progress == Progress::Landed || flight.is_superseded() {
        state.phase = Phase::Over;
        let wakers = state.waiters.take_all();
        drop(state);
        leave();
        wake_all(wakers);
    } else if let Some(heir) = state.waiters.next() {
        state.phase = Phase::Vacant;
        // what the leader that is gone stored does not bind the heir
        flight.store.store(0, Ordering::Relaxed);
        drop(state);
        heir.wake();
    } else {
        state.phase = Phase::Over;
        drop(state);
        leave();
    }
}
