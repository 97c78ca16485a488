//! Who waits for whom: the graph that finds cycles before they close.
//!
//! A computation makes no progress while anything in its dynamic extent is waiting. That holds for what it
//! called, and as well for what merely happens to run further up the same stack: a stolen job, a nested
//! executor. So each thread keeps the stack of flights that are being computed on it ([`Held`]), and whoever
//! waits while this stack is not empty puts edges here, from each flight held to the one waited for. A wait that
//! would close a cycle is refused, and the caller computes without waiting.
//!
//! A thread blocked in a synchronous wait also keeps back the tasks that were last polled on it (it may be their
//! only executor), hence the edges by thread. They can see a cycle where there is none, which costs one
//! computation more; none that we can see is ever missed. What cannot be seen are waits that are not ours:
//! a join handle, a channel, the latch of a thread pool.

use std::collections::HashMap;

use crate::sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering, lock, thread_local};

/// A flight as the graph sees it.
pub(crate) trait Node: Send + Sync {
    /// Something that no other live flight has.
    fn id(&self) -> usize;
    /// The thread that last polled this computation, if it is suspended between two polls; else 0.
    fn suspended_on(&self) -> u64;
}

thread_local! {
    static HELD: std::cell::RefCell<Vec<(usize, bool)>> = const { std::cell::RefCell::new(Vec::new()) };
    static THREAD: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
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

/// While it lives, a flight is being computed on this thread.
///
/// It is noted whether by a synchronous function: whatever is waited for further up the stack, even by a task, then
/// blocks the thread, since that function can only have come there through an executor of its own (a `block_on`).
pub(crate) struct Held {
    id: usize,
    /// Taken off the stack it was put on, so it stays with its thread.
    _thread_bound: std::marker::PhantomData<*const ()>,
}

impl Held {
    pub(crate) fn push(id: usize, synchronous: bool) -> Self {
        HELD.with(|held| held.borrow_mut().push((id, synchronous)));
        Held { id, _thread_bound: std::marker::PhantomData }
    }

    /// What is being computed on this thread, outermost first, and whether any of it synchronously.
    fn snapshot() -> (Vec<usize>, bool) {
        HELD.with(|held| {
            let held = held.borrow();
            (held.iter().map(|&(id, _)| id).collect(), held.iter().any(|&(_, synchronous)| synchronous))
        })
    }

    fn is_now(held: &[usize]) -> bool {
        HELD.with(|now| now.borrow().iter().map(|&(id, _)| id).eq(held.iter().copied()))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.with(|held| {
            let mut held = held.borrow_mut();
            if let Some(at) = held.iter().rposition(|&(id, _)| id == self.id) {
                held.remove(at);
            }
        });
    }
}

type Edge = (u64, Arc<dyn Node>);

/// The waits of this process in which a flight or a thread is kept back.
#[derive(Default)]
pub(crate) struct Graph {
    edges: Mutex<Edges>,
    next: AtomicU64,
}

#[derive(Default)]
struct Edges {
    by_flight: HashMap<usize, Vec<Edge>>,
    by_thread: HashMap<u64, Vec<Edge>>,
}

impl Edges {
    /// Whether `target` is kept back by a flight in `held` or by `thread`.
    fn reaches(&self, target: &Arc<dyn Node>, held: &[usize], thread: u64) -> bool {
        let mut seen = vec![target.id()];
        let mut open = vec![target.clone()];
        while let Some(node) = open.pop() {
            let suspended_on = node.suspended_on();
            if held.contains(&node.id()) || (suspended_on != 0 && suspended_on == thread) {
                return true;
            }
            let next = self.by_flight.get(&node.id()).into_iter().flatten();
            let next = next.chain(self.by_thread.get(&suspended_on).into_iter().flatten());
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
    fn remove(&mut self, held: &[usize], thread: u64, number: u64) -> Vec<Edge> {
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
        for &id in held {
            take(&mut self.by_flight, id, number, &mut taken);
        }
        take(&mut self.by_thread, thread, number, &mut taken);
        taken
    }
}

/// A wait that is in the graph until this is dropped.
pub(crate) struct Wait<'g> {
    graph: &'g Graph,
    number: u64,
    held: Vec<usize>,
    /// The thread that is blocked; 0 for a task, which blocks none.
    thread: u64,
}

/// The wait would close a cycle.
#[derive(Debug)]
pub(crate) struct Cycle;

impl Graph {
    /// Puts the caller's wait for `target` into the graph. `blocks` says that it keeps this thread back, as a
    /// synchronous wait does. A task that holds nothing needs no edge.
    pub(crate) fn wait(&self, target: Arc<dyn Node>, blocks: bool) -> Result<Option<Wait<'_>>, Cycle> {
        let (held, within_synchronous) = Held::snapshot();
        let blocks = blocks || within_synchronous;
        let thread = if blocks { this_thread() } else { 0 };
        if held.is_empty() && !blocks {
            return Ok(None);
        }
        // a number of its own, not the address of something: edges outlive what they were made for
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut edges = lock(&self.edges);
        if edges.reaches(&target, &held, thread) {
            drop(edges);
            return Err(Cycle);
        }
        for &id in &held {
            edges.by_flight.entry(id).or_default().push((number, target.clone()));
        }
        if blocks {
            edges.by_thread.entry(thread).or_default().push((number, target));
        }
        Ok(Some(Wait { graph: self, number, held, thread }))
    }
}

impl Wait<'_> {
    /// Whether it still says what is held on this thread.
    pub(crate) fn is_current(&self) -> bool {
        Held::is_now(&self.held)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let taken = lock(&self.graph.edges).remove(&self.held, self.thread, self.number);
        drop(taken);
    }
}
