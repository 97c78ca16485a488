//! A call that waits for the flight of another.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::flights::{Flights, Own};
#[cfg(feature = "engines")]
use super::given_up;
use super::graph::{self, BlocksThread, Node};
use super::landed::Landed;
use super::lead::Lead;
use super::patience::Patience;
use super::state::{Phase, State};
use super::waiters::wake_all;
use crate::alarm::Alarm;
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::sync::{Arc, MutexGuard, atomic::Ordering, lock};

/// How a wait ended.
pub(crate) enum Waited<'f, K: OwnedPart, V: Value, F: Value> {
    /// With a value, stored or not.
    Value(Box<V>),
    /// With a failure.
    Failed(Box<F>),
    /// The leader is gone: this caller leads now.
    Lead(Lead<'f, K, V, F>),
    /// The flight is over with nothing to share: look again.
    Again(K),
    /// Its leader's future was left alone for too long, and has lost the key: look again.
    Impatient(K),
    /// To compute without waiting: a failure that cannot be shared, or a wait that would close a cycle.
    Alone(K),
}

/// Waits for a flight.
pub(crate) struct Wait<'f, K: OwnedPart, V: Value, F: Value> {
    flights: &'f Flights<K, V, F>,
    flight: Own<K, V, F>,
    /// This caller's own, for when it has to compute after all. Taken by the poll that ends the wait.
    key: Option<K>,
    /// Where its waker stands among those of the flight.
    position: Option<usize>,
    /// It blocks its thread.
    blocks: BlocksThread,
    /// This wait in the graph, if the caller computes something itself.
    edge: Option<graph::Wait<'f>>,
    /// How long it waits for a future that nobody polls. None: without end.
    patience: Option<Patience>,
    /// Wakes it to look how long nobody has polled that future.
    alarm: Option<Alarm>,
}

impl<K: OwnedPart, V: Value, F: Value> Unpin for Wait<'_, K, V, F> {}

impl<'f, K: OwnedPart, V: Value, F: Value> Wait<'f, K, V, F> {
    pub(super) fn new(
        flights: &'f Flights<K, V, F>,
        flight: Own<K, V, F>,
        key: Option<K>,
        blocks: BlocksThread,
    ) -> Self {
        Wait { flights, flight, key, position: None, blocks, edge: None, patience: None, alarm: None }
    }

    /// Puts this wait into the graph, unless it is there as this thread's stack is now.
    fn note_wait(&mut self) -> Result<(), graph::Cycle> {
        if !self.edge.as_ref().is_some_and(graph::Wait::is_current) {
            self.edge = None;
            let target: Arc<dyn Node> = Arc::new(self.flight.flight.clone());
            self.edge = self.flights.graph.wait(target, self.blocks)?;
        }
        Ok(())
    }

    fn take_key(&mut self) -> K {
        self.key.take().expect(ONCE)
    }

    /// Limits how long it waits for a future that nobody polls.
    pub(crate) fn with(&mut self, patience: Option<Patience>) {
        self.patience = patience;
    }

    /// Takes the key from a leader that nobody polls. Other waiters and later calls begin anew.
    fn leave_leader(&self, mut state: MutexGuard<'_, State>) {
        state.phase = Phase::Over;
        let wakers = state.waiters.take_all();
        drop(state);
        self.flights.board().leave(&self.flight.flight);
        // other processes wait for it no longer either
        #[cfg(feature = "engines")]
        given_up::tell(self.flight.flight.id());
        wake_all(wakers);
    }
}

const ONCE: &str = "a wait ends once";

impl<K: OwnedPart, V: Value, F: Value> Waited<'_, K, V, F> {
    /// The end of a wait for what has `landed`, by a caller with this key.
    fn of(landed: &Landed<V, F>, key: &mut Option<K>) -> Self {
        match landed {
            Landed::Value(value) => Waited::Value(Box::new(value.clone())),
            Landed::Failed(failure) => Waited::Failed(Box::new(failure.clone())),
            Landed::Unshared => Waited::Alone(key.take().expect(ONCE)),
        }
    }
}

impl<'f, K: OwnedPart, V: Value, F: Value> Future for Wait<'f, K, V, F> {
    type Output = Waited<'f, K, V, F>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(landed) = this.flight.typed().landed.get() {
            return Poll::Ready(Waited::of(landed, &mut this.key));
        }
        if let Err(graph::Cycle) = this.note_wait() {
            return Poll::Ready(Waited::Alone(this.take_key()));
        }
        // the executor's code runs when a waker is cloned or dropped: neither is done under the lock
        let mut waker = Some(context.waker().clone());
        let mut state = lock(&this.flight.state);
        match state.phase {
            Phase::Over => {
                drop(state);
                // the flight may have landed since the look above
                Poll::Ready(match this.flight.typed().landed.get() {
                    Some(landed) => Waited::of(landed, &mut this.key),
                    None => {
                        // The leader takes the flight off the board after it ends it. Until then this caller would
                        // find the same flight again.
                        this.flights.board().leave(&this.flight.flight);
                        Waited::Again(this.take_key())
                    }
                })
            }
            Phase::Vacant => {
                state.phase = Phase::Computing;
                // the frame is that of the leader that is gone
                this.flight.suspended_on.store(0, Ordering::Relaxed);
                let own = this.position.take().and_then(|position| state.waiters.take(position));
                drop(state);
                drop(own);
                Poll::Ready(Waited::Lead(Lead::new(this.flights, this.flight.clone())))
            }
            Phase::Computing => {
                let suspension = this.flight.suspension();
                let look_in = this.patience.as_mut().map(|patience| patience.look_in(suspension));
                // the computation left behind must not replace the result of the one that begins now
                if look_in == Some(0) && this.flight.forbid() {
                    this.leave_leader(state);
                    return Poll::Ready(Waited::Impatient(this.take_key()));
                }
                match this
                    .position
                    .and_then(|position| state.waiters.at(position))
                    .filter(|own| own.is_some())
                {
                    Some(own) => std::mem::swap(own, &mut waker),
                    None => this.position = waker.take().map(|waker| state.waiters.add(waker)),
                }
                drop(state);
                this.alarm = look_in.and_then(|look_in| Alarm::after(look_in, context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Drop for Wait<'_, K, V, F> {
    fn drop(&mut self) {
        let mut state = lock(&self.flight.state);
        let own = self.position.and_then(|position| state.waiters.take(position));
        if state.phase == Phase::Vacant {
            // this waiter may have been the heir: then the next one is, if there is one
            let heir = state.waiters.next();
            if heir.is_none() {
                state.phase = Phase::Over;
            }
            drop(state);
            match heir {
                Some(heir) => heir.wake(),
                None => self.flights.board().leave(&self.flight.flight),
            }
        } else {
            drop(state);
        }
        drop(own);
    }
}
