//! One computation per key, whoever asks: threads and tasks alike, on any executor.
//!
//! The first caller of a key that is not cached **leads** its flight and computes; the others **wait** for it. A
//! leader that panics, whose future is dropped, or that ends with an error that cannot be cloned, leaves the flight
//! vacant, and one waiter takes over, as often as it takes. One whose future is not polled any more is left
//! to itself when the [`patience`] of a waiter is over. A wait that would close a cycle ([`graph`]) is refused.
//!
//! Flights are found on a [`board`], by hash; the keys of what is found there (nearly always nothing, or the one) are
//! compared outside of its locks. Where nobody else comes by, a flight takes two exchanges of a word: onto the board and
//! off it. No lock is held while user code runs.
//!
//! An invalidation must win over a computation that is under way. It **supersedes** the flight: takes it from the
//! board, so that later callers begin anew, and forbids it to store. A store in memory asks for that under a lock which
//! the invalidation takes next, to remove the entry ([`Lead::store_unless`]). Where engines are behind, the flight takes the
//! right to store by an exchange ([`Lead::store`]), and an invalidation that comes meanwhile waits for that to end before it
//! removes the entry.

use crate::key::OwnedPart;
use crate::near::Lookup;
use crate::outcome::Value;

mod board;
mod flights;
#[cfg(feature = "engines")]
pub(crate) mod given_up;
pub(crate) mod graph;
mod landed;
mod lead;
pub(crate) mod patience;
mod polled;
#[cfg(all(test, memo_shuttle))]
mod shuttle_models;
mod state;
mod storing;
mod supersede;
mod wait;
mod waiters;

use board::{Board, PutOn, Ref};
pub(crate) use flights::{Flights, Own};
use graph::BlocksThread;
pub(crate) use landed::Landed;
pub(crate) use lead::Lead;
pub(crate) use polled::holding;
use state::Flight;
pub(crate) use storing::is_storing;
use supersede::{supersede, supersede_all};
pub(crate) use wait::{Wait, Waited};

/// What [`Flights::join`] found.
// Of two words, which are given back in registers.
pub(crate) enum Joined<'f, K: OwnedPart, V: Value, F: Value> {
    /// Nobody computes this key: the caller is to [lead](Flights::lead).
    Lead(Own<K, V, F>),
    /// Somebody else computes it.
    Wait(Box<Wait<'f, K, V, F>>),
}

impl<K: OwnedPart, V: Value, F: Value> Flights<K, V, F> {
    /// Leads a flight that was joined.
    #[inline(always)]
    pub(crate) fn lead(&self, flight: Own<K, V, F>) -> Lead<'_, K, V, F> {
        Lead::new(self, flight)
    }

    /// Leads the flight of `key`, or waits for the one that is under way. `blocks`: the wait blocks its thread.
    #[inline(never)]
    pub(crate) fn join(&self, hash: u64, key: K, blocks: BlocksThread) -> Joined<'_, K, V, F> {
        match self.board().put_on(self.flight(hash, key, true)) {
            PutOn::Alone(own) => Joined::Lead(self.own(own)),
            PutOn::Crowd(own, its) => self.join_crowd(own, its, blocks),
        }
    }

    /// [`join`](Self::join), where others may be in the bucket. `own` and `its` are the two references to a flight that is not
    /// on the board yet.
    #[cold]
    #[inline(never)]
    fn join_crowd(&self, own: Ref<Flight>, its: Ref<Flight>, blocks: BlocksThread) -> Joined<'_, K, V, F> {
        let own = self.own(own);
        let is_same = |found: &Ref<Flight>| self.own(found.clone()).typed().key == own.typed().key;
        let Some(found) = join_crowd(self.board(), its, &is_same) else {
            return Joined::Lead(own);
        };
        let wait = Wait::new(self, self.own(found), own.into_key(), blocks);
        Joined::Wait(Box::new(wait))
    }

    /// A flight of `key` to [lead](Self::lead) that nobody can wait for.
    pub(crate) fn alone(&self, hash: u64, key: K) -> Own<K, V, F> {
        let own = match self.board().put_on(self.flight(hash, key, false)) {
            PutOn::Alone(own) => own,
            PutOn::Crowd(own, its) => {
                self.board().open(hash).add(its);
                own
            }
        };
        self.own(own)
    }

    /// After this, nothing that began to be computed for the key `lookup` finds is stored.
    pub(crate) fn supersede<Q: Lookup<K>>(&self, hash: u64, lookup: &Q) {
        for flight in self.board().with_hash(hash) {
            if flight.of == self.id() && lookup.matches(&self.own(flight.clone()).typed().key) {
                supersede(self.board(), &flight);
            }
        }
    }

    /// After this, nothing that began to be computed before is stored.
    pub(crate) fn supersede_all(&self) {
        supersede_all(self.board(), self.id());
    }
}

/// Puts `its` on the board, unless there is a flight of its function for which `is_same` says that the key is the same. That
/// one is given back.
fn join_crowd(
    board: &Board<Flight>,
    its: Ref<Flight>,
    is_same: &dyn Fn(&Ref<Flight>) -> bool,
) -> Option<Ref<Flight>> {
    let (hash, of) = (its.hash, its.of);
    // flights with this hash and another key
    let mut others: Vec<Ref<Flight>> = Vec::new();
    loop {
        let mut opened = board.open(hash);
        let found = opened.find(hash, |flight| {
            flight.joinable && flight.of == of && !others.iter().any(|other| other.is(flight))
        });
        let Some(found) = found else {
            opened.add(its);
            return None;
        };
        drop(opened);
        if is_same(&found) {
            return Some(found);
        }
        others.push(found);
    }
}
