//! The flights of one function, and the types that its flights have.
//!
//! The board has the flights of all functions, without their types. Which key and which place for the outcome stand behind a
//! flight is known to the [`Flights`] that have made it.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::OnceLock;

use super::board::{Board, Ref};
use super::graph::Graph;
use super::landed::Landed;
use super::state::Flight;
use crate::key::OwnedPart;
use crate::outcome::Value;
#[cfg(not(memo_shuttle))]
use crate::per_process::PerProcess;

/// The flights of one function.
pub(crate) struct Flights<K, V, F> {
    pub(super) graph: &'static Graph,
    /// Each model has a board of its own.
    #[cfg(memo_shuttle)]
    board: &'static Board<Flight>,
    types: Types<K, V, F>,
}

/// The flights of all functions. A forked child has none of the threads that lead the flights of its parent, and begins
/// with an empty board.
#[cfg(not(memo_shuttle))]
static BOARD: PerProcess<Board<Flight>> = PerProcess::new();

/// How many buckets the board has: so many that two threads seldom meet in one, nor two levels of a recursion.
#[cfg(not(memo_shuttle))]
const BUCKETS: usize = 1 << 12;

/// What stands behind a [`Flight`], and is of the function's types.
pub(super) struct Typed<K, V, F> {
    pub(super) key: K,
    /// Set before the flight is over, if anybody may be waiting.
    pub(super) landed: OnceLock<Box<Landed<V, F>>>,
}

/// Marks what is of a function's types.
type Types<K, V, F> = PhantomData<fn() -> Typed<K, V, F>>;

/// A flight of a function whose keys, values and failures are of these types.
pub(crate) struct Own<K, V, F> {
    pub(super) flight: Ref<Flight>,
    types: Types<K, V, F>,
}

impl<K, V, F> Own<K, V, F> {
    /// # Safety
    ///
    /// The flight was made with a [`Typed`] of these types.
    #[inline]
    unsafe fn new(flight: Ref<Flight>) -> Self {
        Own { flight, types: PhantomData }
    }

    #[inline]
    pub(super) fn typed(&self) -> &Typed<K, V, F> {
        // SAFETY: the caller of `new` has said that a tail of this type stands behind the flight.
        unsafe { self.flight.tail() }
    }

    /// Its key, if nobody else has the flight.
    pub(super) fn into_key(self) -> Option<K> {
        // SAFETY: the caller of `new` has said that a tail of this type stands behind the flight.
        unsafe { self.flight.into_tail::<Typed<K, V, F>>() }.map(|typed| typed.key)
    }
}

impl<K, V, F> Clone for Own<K, V, F> {
    fn clone(&self) -> Self {
        Own { flight: self.flight.clone(), types: PhantomData }
    }
}

impl<K, V, F> std::ops::Deref for Own<K, V, F> {
    type Target = Flight;

    #[inline]
    fn deref(&self) -> &Flight {
        &self.flight
    }
}

#[cfg(not(memo_shuttle))]
#[inline]
fn board() -> &'static Board<Flight> {
    BOARD.get(|| Board::new(BUCKETS))
}

impl<K: OwnedPart, V: Value, F: Value> Flights<K, V, F> {
    pub(crate) fn new(graph: &'static Graph) -> Self {
        Flights {
            graph,
            #[cfg(memo_shuttle)]
            board: Box::leak(Box::new(Board::new(1))),
            types: PhantomData,
        }
    }

    #[inline]
    pub(super) fn board(&self) -> &'static Board<Flight> {
        #[cfg(memo_shuttle)]
        return self.board;
        #[cfg(not(memo_shuttle))]
        board()
    }

    pub(crate) fn graph(&self) -> &'static Graph {
        self.graph
    }

    /// The address of these flights, which tells them from those of other functions. They are not moved while they have any.
    #[inline]
    pub(super) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Two references to a new flight.
    #[inline]
    pub(super) fn flight(&self, hash: u64, key: K, joinable: bool) -> (Ref<Flight>, Ref<Flight>) {
        // a closure, so that it is made where it will stand: it is too large to be moved
        let flight = || Flight::new(hash, self.id(), joinable);
        Ref::two(flight, || Typed::<K, V, F> { key, landed: OnceLock::new() })
    }

    /// `flight` with its types. It is one of these flights.
    #[inline]
    pub(super) fn own(&self, flight: Ref<Flight>) -> Own<K, V, F> {
        debug_assert_eq!(flight.of, self.id());
        // SAFETY: the flight has the address of these `Flights`. Only they make flights with that address, and always with
        // a tail of these types.
        unsafe { Own::new(flight) }
    }
}
