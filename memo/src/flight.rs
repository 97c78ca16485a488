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

use std::collections::VecDeque;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::key::OwnedPart;
use crate::near::Lookup;
use crate::outcome::Value;
use crate::per_process::PerProcess;
use crate::sync::{
    Arc, Mutex, MutexGuard, atomic::AtomicU64, atomic::Ordering, in_a_store, lock, thread, thread_local,
};

#[cfg(feature = "engines")]
use crate::sync::Weak;

mod board;
#[cfg(feature = "engines")]
pub(crate) mod given_up;
pub(crate) mod graph;
pub(crate) mod patience;
#[cfg(all(test, memo_shuttle))]
mod shuttle_models;

use board::{Board, Entered, Hashed, Ref};
use graph::{Blocks, Graph, Held, Node};
use patience::{Patience, Watch};

/// Under way: what is being computed of one function.
pub(crate) struct Flights<K, V, F> {
    graph: &'static Graph,
    /// Models have one each.
    #[cfg(memo_shuttle)]
    board: &'static Board<Flight>,
    types: Types<K, V, F>,
}

/// The flights of all functions. A forked child has none of the threads that lead the flights of its parent, and begins
/// with an empty board.
#[cfg(not(memo_shuttle))]
static BOARD: PerProcess<Board<Flight>> = PerProcess::new();

/// So many that two threads seldom meet in one, nor two levels of a recursion.
#[cfg(not(memo_shuttle))]
const BUCKETS: usize = 1 << 12;

/// What there is to say of a flight without knowing of what types it is.
pub(crate) struct Flight {
    hash: u64,
    /// The function's [`Flights`], by their address.
    of: usize,
    /// Whether callers may wait for it; not so for a refresh, or where each call computes for itself.
    joinable: bool,
    state: Mutex<State>,
    /// [`SUPERSEDED`]; or the number of the thread that is putting the value into the store, above that bit; or 0.
    store: AtomicU64,
    /// See [`Node::suspended_on`].
    suspended_on: AtomicU64,
    /// How often its leader's future has been suspended.
    suspensions: AtomicU64,
}

/// The rest of it.
struct Typed<K, V, F> {
    key: K,
    /// Set before the flight is over, if anybody may be waiting.
    landed: OnceLock<Box<Landed<V, F>>>,
}

/// Says of what types something is.
type Types<K, V, F> = PhantomData<fn() -> Typed<K, V, F>>;

/// A flight of a function whose keys, values and failures are of these types.
pub(crate) struct Own<K, V, F> {
    flight: Ref<Flight>,
    types: Types<K, V, F>,
}

impl<K, V, F> Own<K, V, F> {
    /// # Safety
    ///
    /// It was made of these types.
    #[inline]
    unsafe fn new(flight: Ref<Flight>) -> Self {
        Own { flight, types: PhantomData }
    }

    #[inline]
    fn typed(&self) -> &Typed<K, V, F> {
        // SAFETY: as `new` was told.
        unsafe { self.flight.tail() }
    }

    /// Its key, if nobody else has the flight.
    fn into_key(self) -> Option<K> {
        // SAFETY: as `new` was told.
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

/// In a flight's `store`: an invalidation came, and what is being computed must not be stored. It comes without a
/// thread where it came first, and that thread's store is forbidden; else the thread takes back what it stores.
const SUPERSEDED: u64 = 1;

/// What came of a flight.
#[derive(Clone)]
pub(crate) enum Landed<V, F> {
    /// A value, stored or not.
    Value(V),
    /// A failure that can be shared.
    Failed(F),
    /// A failure that cannot, where those who waited are to compute for themselves, all at once (`on_error = "all"`).
    /// Else its leader does not land, and one of them takes over.
    Unshared,
}

struct State {
    phase: Phase,
    waiters: Waiters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Computing,
    /// Its leader is gone without a result, and somebody waits.
    Vacant,
    Over,
}

/// The state of a flight that begins. A constant is copied as it is; made in parts, and copied at once, it would have the
/// processor wait for the parts.
#[allow(clippy::declare_interior_mutable_const, reason = "each flight has one of its own")]
const COMPUTING: Mutex<State> = Mutex::new(State { phase: Phase::Computing, waiters: Waiters(None) });

/// The wakers of those who wait, first come first woken. Nearly always there are none, and then it is a null pointer.
struct Waiters(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    wakers: VecDeque<Option<Waker>>,
    /// How many have left the queue at its front; places are counted from the beginning of time.
    gone: usize,
}

impl Waiters {
    fn add(&mut self, waker: Waker) -> usize {
        let queue = self.0.get_or_insert_default();
        queue.wakers.push_back(Some(waker));
        queue.gone + queue.wakers.len() - 1
    }

    /// The waker at `place`, if it is still there.
    fn at(&mut self, place: usize) -> Option<&mut Option<Waker>> {
        let queue = self.0.as_mut()?;
        queue.wakers.get_mut(place.checked_sub(queue.gone)?)
    }

    fn next(&mut self) -> Option<Waker> {
        let queue = self.0.as_mut()?;
        while let Some(first) = queue.wakers.pop_front() {
            queue.gone += 1;
            if first.is_some() {
                return first;
            }
        }
        None
    }

    fn take_all(&mut self) -> VecDeque<Option<Waker>> {
        let Some(queue) = &mut self.0 else { return VecDeque::new() };
        queue.gone += queue.wakers.len();
        std::mem::take(&mut queue.wakers)
    }
}

fn wake_all(wakers: VecDeque<Option<Waker>>) {
    wakers.into_iter().flatten().for_each(Waker::wake);
}

impl Flight {
    #[inline]
    fn is_superseded(&self) -> bool {
        self.store.load(Ordering::Relaxed) & SUPERSEDED != 0
    }

    /// At which of its suspensions its leader's future is; nothing while it is polled, and where it runs on a thread.
    fn suspension(&self) -> Option<u64> {
        // `Acquire`: the number that is then read is of that suspension or a later one
        let suspended = self.suspended_on.load(Ordering::Acquire) != 0;
        suspended.then(|| self.suspensions.load(Ordering::Relaxed))
    }

    /// Forbids it to store; whether that is so. It is not where it is storing just now.
    fn forbid(&self) -> bool {
        let done = self.store.compare_exchange(0, SUPERSEDED, Ordering::AcqRel, Ordering::Relaxed);
        done.is_ok() || self.is_superseded()
    }
}

impl Hashed for Flight {
    #[inline]
    fn hash(&self) -> u64 {
        self.hash
    }
}

impl Node for Ref<Flight> {
    fn id(&self) -> usize {
        Ref::id(self)
    }

    fn suspended_on(&self) -> u64 {
        self.suspended_on.load(Ordering::Relaxed)
    }
}

/// What [`Flights::join`] found.
// Of two words, which are given back in registers.
pub(crate) enum Joined<'f, K: OwnedPart, V: Value, F: Value> {
    /// Nobody computes this key: the caller is to [lead](Flights::lead).
    Lead(Own<K, V, F>),
    /// Somebody does.
    Wait(Box<Wait<'f, K, V, F>>),
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
    fn board(&self) -> &'static Board<Flight> {
        #[cfg(memo_shuttle)]
        return self.board;
        #[cfg(not(memo_shuttle))]
        board()
    }

    pub(crate) fn graph(&self) -> &'static Graph {
        self.graph
    }

    /// What tells its flights from others'. It stays where it is while it has any.
    #[inline]
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Two references to a new flight.
    #[inline]
    fn flight(&self, hash: u64, key: K, joinable: bool) -> (Ref<Flight>, Ref<Flight>) {
        // made where it will stand: it is too large to be moved for nothing
        let flight = || Flight {
            hash,
            of: self.id(),
            joinable,
            state: COMPUTING,
            store: AtomicU64::new(0),
            suspended_on: AtomicU64::new(0),
            suspensions: AtomicU64::new(0),
        };
        Ref::two(flight, || Typed::<K, V, F> { key, landed: OnceLock::new() })
    }

    /// One of its own flights.
    #[inline]
    fn own(&self, flight: Ref<Flight>) -> Own<K, V, F> {
        debug_assert_eq!(flight.of, self.id());
        // SAFETY: it says that it is one of these, which alone make such.
        unsafe { Own::new(flight) }
    }

    /// Leads a flight that was joined.
    #[inline(always)]
    pub(crate) fn lead(&self, flight: Own<K, V, F>) -> Lead<'_, K, V, F> {
        Lead {
            flights: self,
            flight,
            progress: Progress::Leading,
            #[cfg(feature = "engines")]
            node: OnceLock::new(),
        }
    }

    /// Leads the flight of `key`, or waits for the one that is under way. `blocks`: the wait blocks its thread.
    #[inline(never)]
    pub(crate) fn join(&self, hash: u64, key: K, blocks: Blocks) -> Joined<'_, K, V, F> {
        match self.board().enter(self.flight(hash, key, true)) {
            Entered::Alone(own) => Joined::Lead(self.own(own)),
            Entered::Crowd(own, its) => self.join_crowd(own, its, blocks),
        }
    }

    /// `own` and `its` are the two references to a flight that is not on the board yet.
    #[cold]
    #[inline(never)]
    fn join_crowd(&self, own: Ref<Flight>, its: Ref<Flight>, blocks: Blocks) -> Joined<'_, K, V, F> {
        let own = self.own(own);
        let is_same = |found: &Ref<Flight>| self.own(found.clone()).typed().key == own.typed().key;
        let Some(found) = join_crowd(self.board(), its, &is_same) else {
            return Joined::Lead(own);
        };
        let wait = Wait {
            flights: self,
            flight: self.own(found),
            key: own.into_key(),
            place: None,
            blocks,
            edge: None,
            patience: None,
            watch: None,
        };
        Joined::Wait(Box::new(wait))
    }

    /// A flight of `key` to [lead](Self::lead) that nobody can wait for.
    pub(crate) fn alone(&self, hash: u64, key: K) -> Own<K, V, F> {
        let own = match self.board().enter(self.flight(hash, key, false)) {
            Entered::Alone(own) => own,
            Entered::Crowd(own, its) => {
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

/// Puts `its` on the board, unless there is a flight of its function whose key `is_same` says is the same: that one then.
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

fn supersede_all(board: &Board<Flight>, of: usize) {
    board.all().iter().filter(|flight| flight.of == of).for_each(|flight| supersede(board, flight));
}

/// Takes a flight off, and forbids it to store.
fn supersede(board: &Board<Flight>, flight: &Ref<Flight>) {
    board.leave(flight);
    loop {
        let mut state = lock(&flight.state);
        match state.phase {
            Phase::Vacant => {
                // those who wait begin anew, after the invalidation
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
        // what is called by a store on this thread (a `Drop` of the user's) cannot wait for one
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

thread_local! {
    /// How many stores this thread is in.
    static STORING: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Whether this thread puts a value into a store: those who invalidate wait for that.
pub(crate) fn is_storing() -> bool {
    Storing::is_here()
}

/// While it lives, this thread puts a value into a store.
struct Storing;

impl Storing {
    #[inline]
    fn begin() -> Self {
        STORING.with(|storing| storing.set(storing.get() + 1));
        Storing
    }

    fn is_here() -> bool {
        STORING.with(std::cell::Cell::get) > 0
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        STORING.with(|storing| storing.set(storing.get() - 1));
    }
}

/// Says whether what a flight comes to is not to be stored.
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
    flight: Own<K, V, F>,
    progress: Progress,
    /// See [`Lead::node`].
    #[cfg(feature = "engines")]
    node: OnceLock<Arc<dyn Node>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Leading,
    /// Off the board; there may be followers to tell.
    Landing,
    /// What came of it is there for the followers, who are still to be woken.
    Landed,
    /// Off the board, and nobody followed.
    Done,
}

impl<'f, K: OwnedPart, V: Value, F: Value> Lead<'f, K, V, F> {
    pub(crate) fn hash(&self) -> u64 {
        self.flight.hash
    }

    pub(crate) fn key(&self) -> &K {
        &self.flight.typed().key
    }

    /// Its flight, for as long as this leads it.
    #[cfg(feature = "engines")]
    pub(crate) fn node(&self) -> Weak<dyn Node> {
        Arc::downgrade(self.node.get_or_init(|| Arc::new(self.flight.flight.clone())))
    }

    /// Whether one of `others` makes no progress while this waits. `blocks`: it blocks its thread.
    #[cfg(feature = "engines")]
    pub(crate) fn keeps_back(&self, blocks: graph::Blocks, others: &[Arc<dyn Node>]) -> bool {
        self.flights.graph.keeps_back(self.flight.flight.id(), blocks, others)
    }

    /// The flight, for who is to [lead](Flights::lead) it next.
    #[inline(always)]
    pub(crate) fn into_flight(self) -> Own<K, V, F> {
        #[cfg_attr(not(feature = "engines"), allow(unused_mut, reason = "there is no node"))]
        let mut lead = ManuallyDrop::new(self);
        #[cfg(feature = "engines")]
        drop(lead.node.take());
        // SAFETY: nothing else is made of it, as it is not dropped.
        unsafe { std::ptr::read(&raw const lead.flight) }
    }

    /// While the guard lives, the computation runs on this thread.
    #[inline]
    pub(crate) fn hold(&self) -> Held {
        Held::run(self.flight.flight.id())
    }

    /// Runs `store` unless an invalidation has come since the computation began. What comes during it or later waits
    /// until the flight is over, which should be soon; but what comes from within another store does not wait, since
    /// that one might wait for this, and `undo` is run for it.
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
        // Without the lock: where an invalidation found nothing to remove, it was there before this stored, and the
        // store's own lock makes what it did before that seen here.
        if self.flight.is_superseded() {
            undo();
        }
    }

    /// Runs `store` with what says whether an invalidation has come since the computation began. It asks that when the store
    /// would take in the result, under a lock that the invalidation takes afterwards to remove it: so one of the two sees
    /// the other, and neither waits. `runs_user_code`: `store` may.
    #[inline(always)]
    pub(crate) fn store_unless(&self, runs_user_code: bool, store: impl FnOnce(IsOff<'_>) -> bool) -> bool {
        in_a_store();
        let storing = runs_user_code.then(Storing::begin);
        let stored = store(IsOff(&self.flight.store));
        drop(storing);
        in_a_store();
        stored
    }

    /// Ends the flight. `landing` is asked for what came of it only if somebody may be waiting.
    //
    // By reference: it is not moved for this. To be dropped next.
    #[inline]
    pub(crate) fn land(&mut self, landing: impl FnOnce() -> Landed<V, F>) {
        self.flights.board().leave(&self.flight.flight);
        #[cfg(feature = "engines")]
        drop(self.node.take());
        // off the board, it can gain no more followers
        if self.flight.flight.is_alone() {
            self.progress = Progress::Done;
            return;
        }
        self.progress = Progress::Landing;
        let _ = self.flight.typed().landed.set(Box::new(landing()));
        self.progress = Progress::Landed;
        // and the rest as it is dropped, as it also is if `landing` panics
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

/// Tells those who wait for a flight that is over; or where its leader is gone, hands it on to one of them.
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
        // the heir's store is another
        flight.store.store(0, Ordering::Relaxed);
        drop(state);
        heir.wake();
    } else {
        state.phase = Phase::Over;
        drop(state);
        leave();
    }
}

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
    place: Option<usize>,
    blocks: bool,
    edge: Option<graph::Wait<'f>>,
    /// Where it does not wait for ever for a future that nobody polls.
    patience: Option<Patience>,
    watch: Option<Watch>,
}

impl<K: OwnedPart, V: Value, F: Value> Unpin for Wait<'_, K, V, F> {}

impl<'f, K: OwnedPart, V: Value, F: Value> Wait<'f, K, V, F> {
    fn take_key(&mut self) -> K {
        self.key.take().expect(ONCE)
    }

    /// Gives it a bound.
    pub(crate) fn with(&mut self, patience: Option<Patience>) {
        self.patience = patience;
    }

    /// Takes the key from the leader: who waits or comes later begins anew.
    fn leave_leader(&self, mut state: MutexGuard<'_, State>) {
        state.phase = Phase::Over;
        let wakers = state.waiters.take_all();
        drop(state);
        self.flights.board().leave(&self.flight.flight);
        // in other processes too
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
        if !this.edge.as_ref().is_some_and(graph::Wait::is_current) {
            this.edge = None;
            let target: Arc<dyn Node> = Arc::new(this.flight.flight.clone());
            match this.flights.graph.wait(target, this.blocks) {
                Ok(edge) => this.edge = edge,
                Err(graph::Cycle) => return Poll::Ready(Waited::Alone(this.take_key())),
            }
        }
        // an executor's code runs in `clone` and in `drop`: neither under the lock
        let mut waker = Some(context.waker().clone());
        let mut state = lock(&this.flight.state);
        match state.phase {
            Phase::Over => {
                drop(state);
                // it may have landed since we looked
                Poll::Ready(match this.flight.typed().landed.get() {
                    Some(landed) => Waited::of(landed, &mut this.key),
                    None => {
                        // its leader may not have come to that yet, and would be met again and again
                        this.flights.board().leave(&this.flight.flight);
                        Waited::Again(this.take_key())
                    }
                })
            }
            Phase::Vacant => {
                state.phase = Phase::Computing;
                // this was the last one's
                this.flight.suspended_on.store(0, Ordering::Relaxed);
                let mut own = None;
                if let Some(place) = this.place.take() {
                    own = state.waiters.at(place).and_then(Option::take);
                }
                drop(state);
                drop(own);
                Poll::Ready(Waited::Lead(this.flights.lead(this.flight.clone())))
            }
            Phase::Computing => {
                let suspension = this.flight.suspension();
                let look_in = this.patience.as_mut().map(|patience| patience.look_in(suspension));
                // an older computation is not to replace the newer, whenever it goes on
                if look_in == Some(0) && this.flight.forbid() {
                    this.leave_leader(state);
                    return Poll::Ready(Waited::Impatient(this.take_key()));
                }
                match this.place.and_then(|place| state.waiters.at(place)).filter(|own| own.is_some()) {
                    Some(own) => std::mem::swap(own, &mut waker),
                    None => this.place = waker.take().map(|waker| state.waiters.add(waker)),
                }
                drop(state);
                this.watch = look_in.and_then(|look_in| Watch::after(look_in, context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Drop for Wait<'_, K, V, F> {
    fn drop(&mut self) {
        let mut state = lock(&self.flight.state);
        let own = self.place.and_then(|place| state.waiters.at(place)).and_then(Option::take);
        if state.phase == Phase::Vacant {
            // this may have been the heir: the next one is, or nobody
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

pin_project! {
    /// A computation that is on its thread's stack of flights while it is polled.
    struct Holding<'l, B> {
        #[pin]
        body: B,
        // its flight's number, and where that notes in which frame it was suspended, and how often
        flight: Option<(usize, &'l AtomicU64, &'l AtomicU64)>,
    }
}

/// Runs `body` as the computation of the flight that `lead` leads, if any.
pub(crate) fn holding<'l, K: OwnedPart, V: Value, F: Value, B: Future>(
    lead: Option<&'l Lead<'static, K, V, F>>,
    body: B,
) -> impl Future<Output = B::Output> + use<'l, K, V, F, B> {
    let flight = lead.map(|lead| &lead.flight);
    Holding {
        body,
        flight: flight.map(|flight| (flight.flight.id(), &flight.suspended_on, &flight.suspensions)),
    }
}

impl<B: Future> Future for Holding<'_, B> {
    type Output = B::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<B::Output> {
        let this = self.project();
        let Some((id, suspended_on, suspensions)) = this.flight else {
            return this.body.poll(context);
        };
        suspended_on.store(0, Ordering::Relaxed);
        let held = Held::poll(*id);
        let polled = this.body.poll(context);
        drop(held);
        if polled.is_pending() {
            // only this counts
            suspensions.store(suspensions.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            suspended_on.store(graph::this_frame(), Ordering::Release);
        }
        polled
    }
}
