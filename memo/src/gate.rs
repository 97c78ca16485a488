//! Gates: no more than some computations of a function at once.
//!
//! Who finds no free place waits for its turn, in order. A computation that waits for another one makes no progress, and lends its
//! place out meanwhile ([`Lent`]): else the one that it waits for might wait for just this place. When its wait is over it goes
//! on at once, so that for a moment there may be more than were said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::fork::generation;
use crate::per_process::PerProcess;

/// By which the computations of a function come in.
pub(crate) struct Gate(PerProcess<Mutex<State>>);

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gate").field(&*self.state()).finish()
    }
}

/// All gates, by the addresses of their functions: functions that stand within others may have one name.
type Gates = HashMap<usize, &'static Gate>;

#[derive(Debug, Default)]
struct State {
    /// How many have a place.
    inside: u64,
    /// How many places there are, by what was said last.
    most: u64,
    /// Those who wait, by their turn.
    waiting: BTreeMap<u64, Waker>,
    /// The turns of those who have waited, and have a place that they have not taken yet.
    called: HashSet<u64>,
    /// The turn of the next who waits.
    next: u64,
}

impl State {
    /// Gives free places to those who wait; they are to be woken without the lock.
    #[must_use]
    fn call(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while self.inside < self.most
            && let Some((turn, waker)) = self.waiting.pop_first()
        {
            self.inside += 1;
            self.called.insert(turn);
            woken.push(waker);
        }
        woken
    }
}

impl Gate {
    /// That of the function at this address. All its instantiations have one.
    pub(crate) fn of(function: usize) -> &'static Self {
        static GATES: PerProcess<Mutex<Gates>> = PerProcess::new();
        let mut gates = GATES.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(function).or_insert_with(|| Box::leak(Box::new(Gate::new())))
    }

    pub(crate) fn new() -> Self {
        Gate(PerProcess::new())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the flight with this id, if one of `most` is free, and nobody waits for it.
    pub(crate) fn try_enter(&'static self, most: u64, flight: usize) -> Option<Permit> {
        let mut state = self.state();
        state.most = most;
        let is_free = state.waiting.is_empty() && state.inside < most;
        state.inside += u64::from(is_free);
        let woken = state.call();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        is_free.then(|| Permit::new(self, flight))
    }

    /// Waits for one of `most` places. `within` are the flights that make no progress meanwhile.
    pub(crate) fn enter(&'static self, most: u64, flight: usize, within: Vec<usize>) -> Enter {
        Enter { gate: self, most, flight, within, turn: None, lent: None }
    }

    /// Whether one of these flights has a place here.
    pub(crate) fn has(&self, flights: &[usize]) -> bool {
        let holders = holders();
        flights.iter().any(|flight| holders.get(flight).is_some_and(|(_, gate)| std::ptr::eq(*gate, self)))
    }

    fn leave(&self) {
        let mut state = self.state();
        state.inside = state.inside.saturating_sub(1);
        let woken = state.call();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The gates by the ids of flights, each with the number of the place: a later flight may have the id of one that is gone.
type Holders = HashMap<usize, (u64, &'static Gate)>;

/// How many places are held in all.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// The flights that have a place at some gate. The lock is held for a look or a change only.
fn holders() -> MutexGuard<'static, Holders> {
    static HOLDERS: PerProcess<Mutex<Holders>> = PerProcess::new();
    HOLDERS.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place at a gate, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: &'static Gate,
    flight: usize,
    number: u64,
    /// The process: in a forked child nobody has a place that its parent has given.
    generation: u64,
}

impl Permit {
    fn new(gate: &'static Gate, flight: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Relaxed);
        holders().insert(flight, (number, gate));
        HELD.fetch_add(1, Relaxed);
        Permit { gate, flight, number, generation: generation() }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Relaxed);
        if self.generation == generation() {
            let mut holders = holders();
            if holders.get(&self.flight).is_some_and(|(number, _)| *number == self.number) {
                holders.remove(&self.flight);
            }
            drop(holders);
            self.gate.leave();
        }
    }
}

/// Places of computations that wait for something: while this lives, others have them.
#[derive(Debug, Default)]
pub(crate) struct Lent {
    gates: Vec<&'static Gate>,
    generation: u64,
}

impl Lent {
    /// The places of these flights.
    pub(crate) fn of(flights: &[usize]) -> Self {
        if HELD.load(Relaxed) == 0 || flights.is_empty() {
            return Lent::default();
        }
        let gates: Vec<_> = {
            let holders = holders();
            flights.iter().filter_map(|flight| holders.get(flight)).map(|(_, gate)| *gate).collect()
        };
        gates.iter().for_each(|gate| gate.leave());
        Lent { gates, generation: generation() }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.generation == generation() {
            self.gates.iter().for_each(|gate| gate.state().inside += 1);
        }
    }
}

/// A wait for a place. Dropped before it is over, it leaves its turn to the next.
#[derive(Debug)]
pub(crate) struct Enter {
    gate: &'static Gate,
    most: u64,
    flight: usize,
    within: Vec<usize>,
    turn: Option<u64>,
    lent: Option<Lent>,
}

impl Future for Enter {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        let this = &mut *self;
        // the executor's code runs when a waker is cloned, woken or dropped: that is done without the lock
        let waker = context.waker().clone();
        let mut state = this.gate.state();
        state.most = this.most;
        let turn = *this.turn.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        let before = match state.called.contains(&turn) {
            true => None,
            false => state.waiting.insert(turn, waker),
        };
        let mut woken = state.call();
        let is_called = state.called.remove(&turn);
        drop(state);
        drop(before);
        if is_called {
            this.turn = None;
            // its own waker is among them perhaps: one poll too many, which finds that it has ended
            woken.retain(|waker| !waker.will_wake(context.waker()));
        }
        woken.into_iter().for_each(Waker::wake);
        if is_called {
            this.lent = None;
            return Poll::Ready(Permit::new(this.gate, this.flight));
        }
        if this.lent.is_none() {
            this.lent = Some(Lent::of(&this.within));
        }
        Poll::Pending
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let mut state = self.gate.state();
        let waker = state.waiting.remove(&turn);
        let was_called = state.called.remove(&turn);
        drop(state);
        drop(waker);
        if was_called {
            self.gate.leave();
        }
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Relaxed);
        }
    }

    struct Waits(Enter, Arc<Flag>);

    impl Waits {
        fn at(gate: &'static Gate, flight: usize, within: &[usize]) -> Self {
            let mut waits = Waits(gate.enter(1, flight, within.to_vec()), Arc::default());
            assert!(waits.poll().is_none());
            waits
        }

        fn poll(&mut self) -> Option<Permit> {
            let waker = Waker::from(self.1.clone());
            match Pin::new(&mut self.0).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(permit) => Some(permit),
                Poll::Pending => None,
            }
        }

        fn is_woken(&self) -> bool {
            self.1.0.load(Relaxed)
        }
    }

    fn gate() -> &'static Gate {
        Box::leak(Box::new(Gate::new()))
    }

    #[test]
    fn places_are_given_in_order_and_a_wait_that_is_dropped_passes_its_turn_on() {
        let gate = gate();
        let first = gate.try_enter(1, 101).expect("it is free");
        assert!(gate.has(&[100, 101]) && !gate.has(&[102]));
        let (mut second, third, mut fourth) =
            (Waits::at(gate, 102, &[]), Waits::at(gate, 103, &[]), Waits::at(gate, 104, &[]));
        drop(first);
        assert!(second.is_woken() && !third.is_woken());
        assert!(gate.try_enter(1, 105).is_none(), "who has waited has it");
        let second = second.poll().expect("it is its turn");
        drop(second);
        assert!(third.is_woken());
        drop(third);
        assert!(fourth.is_woken());
        drop(fourth.poll().expect("the one before it is gone"));
        assert!(gate.try_enter(1, 106).is_some());
    }

    #[test]
    fn who_waits_within_a_computation_lends_its_place_out() {
        let (outer, inner) = (gate(), gate());
        let held = (outer.try_enter(1, 201).expect("free"), inner.try_enter(1, 202).expect("free"));
        let mut other = Waits::at(outer, 203, &[]);
        let mut within = Waits::at(inner, 204, &[201]);
        assert!(other.is_woken(), "the place of 201");
        let other = other.poll().expect("it is lent out");
        drop(held.1);
        let within = within.poll().expect("it is free");
        drop(other);
        assert!(outer.try_enter(1, 205).is_none(), "201 has its place back");
        drop((held.0, within));
        assert!(outer.try_enter(1, 206).is_some());
    }

    #[test]
    fn more_places_are_given_when_there_are_more() {
        let gate = gate();
        let _first = gate.try_enter(1, 301).expect("free");
        let mut second = Waits::at(gate, 302, &[]);
        assert!(gate.try_enter(3, 303).is_none(), "somebody is before it");
        assert!(second.is_woken());
        let _second = second.poll().expect("there is another place");
        assert!(gate.try_enter(3, 304).is_some());
    }
}
