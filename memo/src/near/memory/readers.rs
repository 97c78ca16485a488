//! Readers that nobody waits for, and that write nothing which another thread reads while they work.
//!
//! Each thread has a [`Slot`] of its own, on a cache line of its own, with a number in it that says whether the
//! thread reads, and how often it has. A thread that has taken something out of an index and wants to free it begins
//! a [`Grace`], a grace period: it notes which threads read just then, and is over when each of those has moved on. A reader that comes later cannot find any more what was
//! taken out before.
//!
//! # Why that is so
//!
//! A reader writes its slot and then reads the index; the other takes out of the index and then reads the slots. With a
//! full fence in between on both sides, one of the two sees the other. A fence costs a reader more than all the rest of
//! a hit, so on Linux it has none but for the compiler: the other side calls `membarrier`, which makes every thread
//! of the process that is running at that moment pass a full fence (and a thread that is not running has passed one).
//! Where that fence falls before the reader's write of its slot, all its reads come later and see what was taken out;
//! where it falls after, the slot is seen to say so.
//!
//! A process has to register for that call, which takes some ten milliseconds where it has several threads. Nobody waits
//! for it: the first reader has it done by a thread, and until then all readers pass a fence. A reader that learns that it
//! is done passes one more and then none. A grace that did not know yet has passed its own fence before it asked, so before
//! that one: the reader sees all that was taken out until then.
//!
//! All stores to a slot are `Release` and all other threads' loads of it `Acquire`: having seen that a slot has moved on,
//! all that its thread did with what it read has happened.
//!
//! # Nesting
//!
//! What a reader calls (an `Eq` or `Clone` of the user's) may read as well. Such a thread's slot says so already, and
//! stays as it is until the outermost [`reading`] ends, by a panic or otherwise. As that is a function that takes a
//! closure, readers cannot end in another order than they began in.
//!
//! # Threads that end, processes that fork
//!
//! A thread gives its slot back as it ends, to the next that needs one; so there are as many as there were threads at
//! once. What still reads after that, in a destructor of another thread-local, borrows one for as long as it reads. In
//! a forked child there are no readers but the thread that forked: the slots of all others are set free.

#![allow(unsafe_code)]

#[cfg_attr(not(all(target_os = "linux", not(any(miri, memo_shuttle)))), path = "readers/no_barrier.rs")]
mod barrier;

use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::*, fence};
use crate::sync::thread_local;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::compiler_fence;

/// Of one thread at a time; never freed. Two cache lines, as processors fetch them in pairs.
#[repr(align(128))]
struct Slot {
    /// [`READING`] while the thread reads, and [`FENCED`] always or never; above them how often it has.
    state: AtomicU64,
    /// Whether a thread has it.
    taken: AtomicBool,
    /// The slot that was made before.
    next: *const Slot,
}

/// In a state: its thread reads.
const READING: u64 = 0b01;
/// In a state: its thread has to pass a full fence each time, until the system does that for it.
const FENCED: u64 = 0b10;
/// In a state, once.
const ONCE: u64 = 0b100;
/// What [`End`] is told in place of a state, by a thread at its end, which has nobody to give the slot back any more.
const LATE: u64 = u64::MAX;

// SAFETY: `next` is written before the slot is shared, and only read after.
unsafe impl Sync for Slot {}

/// The slot made last.
#[cfg(not(memo_shuttle))]
static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());
#[cfg(memo_shuttle)]
shuttle::lazy_static! {
    static ref SLOTS: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());
}

/// The slot of threads that have none yet. It says that it reads, so that the fast path leaves it to the slow one and needs not ask
/// whether there is a slot.
static NONE: Slot =
    Slot { state: AtomicU64::new(READING | FENCED), taken: AtomicBool::new(true), next: ptr::null() };

thread_local! {
    static MINE: Cell<&'static Slot> = const { Cell::new(&NONE) };
    /// Gives [`MINE`] back when the thread ends.
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

struct Lease(Cell<Option<&'static Slot>>);

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            // It is there at any time, but for the model checker's.
            let _ = MINE.try_with(|mine| mine.set(&NONE));
            slot.taken.store(false, Release);
        }
    }
}

/// The proof that this thread reads: what it finds in an index stays where it is for as long.
pub(super) struct Reading(PhantomData<*const ()>);

/// Ends what began with this state.
struct End {
    slot: &'static Slot,
    state: u64,
}

impl Drop for End {
    #[inline(always)]
    fn drop(&mut self) {
        match self.state & (READING | FENCED) {
            0 => self.slot.state.store(self.state + ONCE, Release),
            _ => self.slot.end(self.state),
        }
    }
}

impl Slot {
    /// Begins a reading on the slow path; gives the state that [`End`] is to be told.
    fn begin(&self) -> u64 {
        let mut state = self.state.load(Relaxed);
        if state & READING == 0 {
            if state & FENCED != 0 && barrier::works() {
                // The last fence of its own: see above.
                fence(SeqCst);
                state &= !FENCED;
            }
            self.state.store(state | READING, Release);
            if state & FENCED != 0 {
                fence(SeqCst);
            } else {
                compiler_fence(SeqCst);
            }
        }
        state
    }

    /// Ends a reading on the slow path.
    #[cold]
    #[inline(never)]
    fn end(&'static self, begun: u64) {
        let state = self.state.load(Relaxed);
        if begun == LATE || begun & READING == 0 {
            self.state.store((state & !READING) + ONCE, Release);
        }
        if begun == LATE {
            drop(Lease(Cell::new(Some(self))));
        }
    }
}

/// What a reader does, where it is always to be inlined. A closure cannot say that.
pub(super) trait Read {
    type Out;

    fn read(self, reading: &Reading) -> Self::Out;
}

struct Closure<F>(F);

impl<R, F: FnOnce(&Reading) -> R> Read for Closure<F> {
    type Out = R;

    #[inline(always)]
    fn read(self, reading: &Reading) -> R {
        self.0(reading)
    }
}

/// Runs `read` as a reader.
pub(super) fn reading<R>(read: impl FnOnce(&Reading) -> R) -> R {
    reading_as(Closure(read))
}

/// Runs `work` as a reader.
pub(super) fn reading_as<W: Read>(work: W) -> W::Out {
    let (slot, state) = match mine() {
        Some(slot) => (slot, slot.begin()),
        None => register(),
    };
    let _end = End { slot, state };
    work.read(&Reading(PhantomData))
}

/// The fast path: runs `work` as a reader if this is a thread that has done so before, does not do so now and needs no
/// fence.
#[inline(always)]
pub(super) fn reading_fast<W: Read>(work: W) -> Option<W::Out> {
    // The model checker's atomics are for one model, and `NONE` is for all that run.
    #[cfg(memo_shuttle)]
    mine()?;
    let slot = MINE.with(Cell::get);
    let state = slot.state.load(Relaxed);
    if state & (READING | FENCED) != 0 {
        return None;
    }
    slot.state.store(state + READING, Release);
    compiler_fence(SeqCst);
    let _end = End { slot, state };
    Some(work.read(&Reading(PhantomData)))
}

/// The slot of this thread, if it has one.
fn mine() -> Option<&'static Slot> {
    Some(MINE.with(Cell::get)).filter(|slot| !ptr::eq(*slot, &NONE))
}

/// Begins the first reading of this thread.
#[cold]
#[inline(never)]
fn register() -> (&'static Slot, u64) {
    let slot = claim();
    MINE.with(|mine| mine.set(slot));
    let state = slot.begin();
    (slot, if LEASE.try_with(|lease| lease.0.set(Some(slot))).is_ok() { state } else { LATE })
}

/// Whether this thread reads.
pub(in crate::near) fn is_reading() -> bool {
    mine().is_some_and(|slot| slot.state.load(Relaxed) & READING != 0)
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    let mut next = SLOTS.load(Acquire).cast_const();
    std::iter::from_fn(move || {
        // SAFETY: null, or a slot: made by `claim`, which never frees one, and published with `Release`, or, as
        // `next`, written before that.
        let slot = unsafe { next.as_ref() }?;
        next = slot.next;
        Some(slot)
    })
}

/// How many slots there are.
#[cfg(all(test, not(memo_shuttle)))]
pub(super) fn count() -> usize {
    slots().count()
}

/// A slot for this thread: one given back, or a new one.
fn claim() -> &'static Slot {
    fork::watch();
    barrier::ask();
    let state = if barrier::works() { 0 } else { FENCED };
    let free = slots().find(|slot| {
        !slot.taken.load(Relaxed) && slot.taken.compare_exchange(false, true, AcqRel, Relaxed).is_ok()
    });
    let slot = free.unwrap_or_else(|| {
        let slot = Box::into_raw(Box::new(Slot {
            state: AtomicU64::new(state),
            taken: AtomicBool::new(true),
            next: ptr::null(),
        }));
        let mut last = SLOTS.load(Relaxed);
        loop {
            // SAFETY: it is not shared yet, and only this thread writes it.
            unsafe { (*slot).next = last };
            match SLOTS.compare_exchange(last, slot, Release, Relaxed) {
                // SAFETY: leaked, so it lives for good; from here on it is only shared.
                Ok(_) => break unsafe { &*slot },
                Err(other) => last = other,
            }
        }
    });
    // Either a grace that begins now finds the slot, or this thread finds what was taken out before that.
    fence(SeqCst);
    slot
}

#[cfg(all(test, memo_shuttle))]
std::thread_local! {
    /// For the control of the models: graces on this thread are over at once.
    pub(super) static CARELESS: Cell<bool> = const { Cell::new(false) };
}

/// The time until all who may still see what has been taken out of an index have stopped reading.
pub(super) struct Grace(Vec<(&'static Slot, u64)>);

impl Grace {
    /// For all that this thread has taken out, or received from those who have, before this call.
    ///
    /// None where the system refuses its part, so that nobody can tell who still sees it.
    pub(super) fn begin() -> Option<Grace> {
        #[cfg(all(test, memo_shuttle))]
        if CARELESS.get() {
            return Some(Grace(Vec::new()));
        }
        fence(SeqCst);
        if barrier::works() && !barrier::pass() {
            return None;
        }
        let states = slots().map(|slot| (slot, slot.state.load(Acquire)));
        Some(Grace(states.filter(|(_, state)| state & READING != 0).collect()))
    }

    /// Whether it is over.
    pub(super) fn is_over(&mut self) -> bool {
        self.0.retain(|(slot, state)| slot.state.load(Acquire) == *state);
        self.0.is_empty()
    }
}

/// Telling a forked child that the other readers stayed behind in its parent; else it would wait for them.
#[cfg(all(unix, not(any(miri, memo_shuttle))))]
mod fork {
    use super::{ONCE, READING, mine, slots};
    use crate::fork::{AtFork, Part, attend};
    use std::sync::atomic::Ordering::*;

    struct InChild;

    pub(super) fn watch() {
        attend(Part::Readers, &InChild);
    }

    impl AtFork for InChild {
        fn in_child(&self) {
            let mine = mine();
            for slot in slots().filter(|slot| !mine.is_some_and(|mine| std::ptr::eq(mine, *slot))) {
                let state = slot.state.load(Relaxed);
                slot.state.store((state & !READING) + ONCE, Release);
                slot.taken.store(false, Release);
            }
        }
    }
}

/// Elsewhere a process is never continued by another.
#[cfg(not(all(unix, not(any(miri, memo_shuttle)))))]
mod fork {
    pub(super) fn watch() {}
}
