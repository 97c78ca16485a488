//! Who waits for whom: the graph that finds cycles before they close.
//!
//! A computation makes no progress while anything in its dynamic extent is waiting. That holds for what it
//! called, and as well for what merely happens to run further up the same stack: a stolen job, a nested
//! executor. So each thread keeps the stack of flights that are being computed on it ([`OnStack`]), and whoever
//! waits while this stack is not empty puts edges here, from each flight on it to the one waited for. A wait that
//! would close a cycle is refused, and the caller computes without waiting.
//!
//! A thread blocked in a synchronous wait also keeps back the tasks that were last polled on it (it may be their
//! only executor). So does an asynchronous wait in a synchronous computation, which has an executor of its own: it keeps
//! back what was polled further down the stack, though not what its own executor polls. Each synchronous computation
//! therefore begins a **frame** of its thread's stack, and there are edges by frame. They can see a cycle where there is
//! none, which costs one computation more; none that we can see is ever missed. What cannot be seen are waits that are
//! not ours: a join handle, a channel, the latch of a thread pool.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::gate::Lent;
use crate::per_process::PerProcess;
use crate::sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering, lock, thread_local};

/// A flight as the graph sees it.
pub(crate) trait Node: Send + Sync {
    /// Something that no other live flight has.
    fn id(&self) -> usize;
    /// The frame in which this computation was last polled, if it is suspended between two polls; else 0.
    fn suspended_on(&self) -> u64;
}

thread_local! {
    static STACK: RefCell<Stack> = const { RefCell::new(Stack { stacked: Vec::new(), ever: 0 }) };
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// What is being computed on a thread.
struct Stack {
    /// The flights, outermost first, each with the frame that it has begun, if it has: else 0.
    stacked: Vec<(usize, u64)>,
    /// The last frame there was; 0 before the first.
    ever: u64,
}

impl Stack {
    /// A number for a frame that begins.
    #[inline]
    fn begin_frame(&mut self) -> u64 {
        let next = self.ever + 1;
        // the thread's lowest frame has that number; or there was none before
        self.ever = if next % FRAMES_OF_A_THREAD < 2 { first_frame() } else { next };
        self.ever
    }

    fn frames(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.stacked.iter().map(|(_, frame)| *frame).filter(|frame| *frame != 0)
    }

    #[cold]
    #[inline(never)]
    fn take_out(&mut self, stacked: (usize, u64)) {
        if let Some(at) = self.stacked.iter().rposition(|other| *other == stacked) {
            self.stacked.remove(at);
        }
    }
}

/// Asks this thread's stack; nothing at the end of a thread, when its locals are gone.
#[inline]
fn stack<R>(ask: impl FnOnce(&mut Stack) -> R) -> Option<R> {
    STACK.try_with(|stack| ask(&mut stack.borrow_mut())).ok()
}

/// How many frames of a thread have a number of their own.
const FRAMES_OF_A_THREAD: u64 = 1 << 24;

/// The frame below all computations of this thread.
fn lowest_frame() -> u64 {
    this_thread() * FRAMES_OF_A_THREAD
}

/// The first frame that a computation of this thread begins.
#[cold]
#[inline(never)]
fn first_frame() -> u64 {
    lowest_frame() + 1
}

/// The flights that are being computed on this thread, outermost first.
pub(crate) fn computed_here() -> Vec<usize> {
    OnStack::snapshot()
}

/// Whether nothing is being computed on this thread.
#[inline]
pub(crate) fn is_idle() -> bool {
    stack(|stack| stack.stacked.is_empty()).unwrap_or(true)
}

/// The innermost frame of this thread.
pub(super) fn this_frame() -> u64 {
    stack(|stack| stack.frames().next_back()).flatten().unwrap_or_else(lowest_frame)
}

/// Whether a wait blocks its thread.
pub(crate) type BlocksThread = bool;

/// The frames that a wait keeps back: all of this thread if it blocks it, else all but the innermost.
fn frames_kept_back(blocks: bool) -> Vec<u64> {
    let begun: Vec<u64> = stack(|stack| stack.frames().collect()).unwrap_or_default();
    if begun.is_empty() && !blocks {
        return Vec::new();
    }
    let mut frames = vec![lowest_frame()];
    frames.extend(begun);
    if !blocks {
        frames.pop();
    }
    frames
}

/// A number for this thread, never 0.
pub(crate) fn this_thread() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    THREAD.with(|thread| {
        if thread.get() == 0 {
            thread.set(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
        thread.get()
    })
}

/// While it lives, a flight is on this thread's stack. At the end of a thread, when its locals are gone, nothing
/// is noted any more.
pub(crate) struct OnStack {
    /// As it is on the stack.
    entry: (usize, u64),
    /// Taken off the stack it was put on, so it stays with its thread.
    _thread_bound: std::marker::PhantomData<*const ()>,
}

impl OnStack {
    /// One poll of an asynchronous computation.
    pub(crate) fn poll(id: usize) -> Self {
        let entry = (id, 0);
        let _ = stack(|stack| stack.stacked.push(entry));
        OnStack { entry, _thread_bound: std::marker::PhantomData }
    }

    /// Code that does not return to an executor before it is done.
    pub(crate) fn run(id: usize) -> Self {
        let frame = stack(|stack| {
            let frame = stack.begin_frame();
            stack.stacked.push((id, frame));
            frame
        });
        OnStack { entry: (id, frame.unwrap_or_default()), _thread_bound: std::marker::PhantomData }
    }

    /// What is being computed on this thread, outermost first.
    fn snapshot() -> Vec<usize> {
        stack(|stack| stack.stacked.iter().map(|(id, _)| *id).collect()).unwrap_or_default()
    }

    fn is_now(stacked: &[usize]) -> bool {
        stack(|stack| stack.stacked.iter().map(|(id, _)| id).eq(stacked)).unwrap_or(stacked.is_empty())
    }
}

impl Drop for OnStack {
    #[inline]
    fn drop(&mut self) {
        let _ = stack(|stack| {
            // nearly always the last
            if stack.stacked.pop_if(|last| *last == self.entry).is_none() {
                stack.take_out(self.entry);
            }
        });
    }
}

type Edge = (u64, Arc<dyn Node>);

/// The waits of this process in which a flight or a thread is kept back.
#[derive(Default)]
pub(crate) struct Graph {
    edges: PerProcess<Mutex<Edges>>,
    next: AtomicU64,
}

#[derive(Default)]
struct Edges {
    by_flight: HashMap<usize, Vec<Edge>>,
    by_frame: HashMap<u64, Vec<Edge>>,
}

impl Edges {
    /// Whether `target` is kept back by a flight in `stacked` or by a frame in `frames`.
    fn reaches(&self, target: &Arc<dyn Node>, stacked: &[usize], frames: &[u64]) -> bool {
        let mut seen = vec![target.id()];
        let mut open = vec![target.clone()];
        while let Some(node) = open.pop() {
            let suspended_on = node.suspended_on();
            if stacked.contains(&node.id()) || (suspended_on != 0 && frames.contains(&suspended_on)) {
                return true;
            }
            let next = self.by_flight.get(&node.id()).into_iter().flatten();
            let next = next.chain(self.by_frame.get(&suspended_on).into_iter().flatten());
            for (_, node) in next {
                if !seen.contains(&node.id()) {
                    seen.push(node.id());
                    open.push(node.clone());
                }
            }
        }
        false
    }

    /// Takes the edges of one wait out. They may be the last to know a flight, with values of the user's in it, so
    /// they are for the caller to drop, without the lock.
    #[must_use]
    fn remove(&mut self, stacked: &[usize], frames: &[u64], number: u64) -> Vec<Edge> {
        fn take<K: std::hash::Hash + Eq>(
            edges: &mut HashMap<K, Vec<Edge>>,
            key: K,
            number: u64,
            taken: &mut Vec<Edge>,
        ) {
            if let std::collections::hash_map::Entry::Occupied(mut entry) = edges.entry(key) {
                taken.extend(entry.get_mut().extract_if(.., |(edge, _)| *edge == number));
                if entry.get().is_empty() {
                    entry.remove();
                }
            }
        }
        let mut taken = Vec::new();
        for &id in stacked {
            take(&mut self.by_flight, id, number, &mut taken);
        }
        for &frame in frames {
            take(&mut self.by_frame, frame, number, &mut taken);
        }
        taken
    }
}

/// A wait that is in the graph until this is dropped.
pub(crate) struct Wait<'g> {
    graph: &'g Graph,
    number: u64,
    stacked: Vec<usize>,
    /// The frames that are kept back.
    frames: Vec<u64>,
    /// Places of computations that wait.
    _lent: Lent,
}

/// The wait would close a cycle.
#[derive(Debug)]
pub(crate) struct Cycle;

impl Graph {
    fn edges(&self) -> &Mutex<Edges> {
        self.edges.get(Mutex::default)
    }

    /// Puts the caller's wait for `target` into the graph. `blocks` says that it keeps this thread back, as a
    /// synchronous wait does. A task that holds nothing needs no edge.
    pub(crate) fn wait(&self, target: Arc<dyn Node>, blocks: bool) -> Result<Option<Wait<'_>>, Cycle> {
        let stacked = OnStack::snapshot();
        let frames = frames_kept_back(blocks);
        if stacked.is_empty() && frames.is_empty() {
            return Ok(None);
        }
        // a number of its own, not the address of something: edges outlive what they were made for
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut edges = lock(self.edges());
        if edges.reaches(&target, &stacked, &frames) {
            drop(edges);
            return Err(Cycle);
        }
        for &id in &stacked {
            edges.by_flight.entry(id).or_default().push((number, target.clone()));
        }
        for &frame in &frames {
            edges.by_frame.entry(frame).or_default().push((number, target.clone()));
        }
        drop(edges);
        let _lent = Lent::of(&stacked);
        Ok(Some(Wait { graph: self, number, stacked, frames, _lent }))
    }

    /// Whether one of `flights` makes no progress while the flight `own` waits here: it is computed further down this
    /// stack, or waits, through others perhaps, for what is.
    #[cfg(feature = "engines")]
    pub(super) fn keeps_back(&self, own: usize, blocks: BlocksThread, flights: &[Arc<dyn Node>]) -> bool {
        let mut stacked = OnStack::snapshot();
        stacked.push(own);
        let frames = frames_kept_back(blocks);
        let edges = lock(self.edges());
        flights.iter().any(|flight| edges.reaches(flight, &stacked, &frames))
    }
}

impl Wait<'_> {
    /// Whether the flights on this thread's stack are still those that it has noted.
    pub(crate) fn is_current(&self) -> bool {
        OnStack::is_now(&self.stacked)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let taken = lock(self.graph.edges()).remove(&self.stacked, &self.frames, self.number);
        drop(taken);
    }
}
