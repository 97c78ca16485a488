//! The thread that sweeps, and who wakes it.
//!
//! Inserts need not tell it more than when they want it. [`NEXT`] says when it wakes by itself; an insert that wants it
//! earlier lowers the number and wakes it, and the others, which are nearly all, compare and go on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, Ordering::Relaxed, fence};
use std::thread::{self, Thread};
use std::time::Duration;

use super::stores::{self, Locks, Sweep, stores};
use crate::background::Background;
use crate::clock::{self, NEVER, exact};
use crate::fork::{self, AtFork, HeldOff, Part};
use crate::per_process::PerProcess;

/// When the thread looks round next; [`NEVER`] when it is not there, sleeps without end, or is looking
/// round just now.
static NEXT: AtomicU64 = AtomicU64::new(NEVER);
static SWEEPER: Background = Background::new("memo-sweep");
/// The thread, once it runs.
static HANDLE: PerProcess<OnceLock<Thread>> = PerProcess::new();
/// Whether the thread is sweeping just now.
static SWEEPING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this is the thread.
    static IS_SWEEPER: Cell<bool> = const { Cell::new(false) };
}

/// Has `store` swept from now on, for the rest of the program. To be called once for each.
pub(crate) fn register(store: &'static dyn Sweep) {
    // where the system refuses, a child may find a store locked
    fork::attend(Part::Stores, &Locks);
    clock::on_advance(stir);
    stores::add(store);
    store.watch();
    fence(Ordering::SeqCst);
    // What it holds already has not woken the thread.
    if store.due().is_some() {
        wake();
    }
}

/// Sweeps every registered store, on the calling thread, whether it is due or not. For tests.
#[doc(hidden)]
pub fn sweep_now() {
    stores().for_each(|store| quietly(|| store.sweep()));
    // A store that the thread was sweeping was left to it, so wait for it. The thread must not wait for itself, which it would
    // if a drop calls this.
    while SWEEPING.load(Ordering::Acquire) && !IS_SWEEPER.get() {
        thread::yield_now();
    }
}

/// Has the thread, if there is one, look round at once: the clock has been moved.
fn stir() {
    fence(Ordering::SeqCst);
    if NEXT.load(Relaxed) != NEVER {
        wake();
    }
}

/// Keeps a fork from happening, if this is the thread that sweeps: whoever forks need not know of that one.
pub(crate) fn hold_off_for_sweeper() -> Option<HeldOff> {
    IS_SWEEPER.get().then(fork::hold_off)
}

/// A panic that comes out of user code in a store ends neither the round nor the thread.
fn quietly(work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        std::mem::forget(panic);
    }
}

/// Wakes the thread, or starts it, to look round at the time `wish`, unless it does so earlier.
#[inline]
pub(crate) fn wish(wish: u64, is_watched: impl FnOnce() -> bool) {
    // The caller has written when its store is due, and reads `NEXT` and `is_watched` now. The thread writes `NEXT`, and
    // `register` what `is_watched` reads, before they read when the store is due. With a fence in between on both sides, one
    // of the two sees the other.
    fence(Ordering::SeqCst);
    if wish < NEXT.load(Relaxed) && is_watched() {
        NEXT.fetch_min(wish, Relaxed);
        wake();
    }
}

#[cold]
fn wake() {
    // A thread that has not put its handle there yet looks round at every store after it has.
    fence(Ordering::SeqCst);
    if let Some(thread) = HANDLE.get(OnceLock::new).get() {
        return thread.unpark();
    }
    if !(fork::attend(Part::Sweeper, &InChild) && SWEEPER.start(exact(), keep)) {
        // Entries expire all the same; they leave when touched or evicted. A later insert tries again.
        NEXT.store(NEVER, Relaxed);
    }
}

/// In a forked child there is no such thread: its next insert with a lifetime starts one.
struct InChild;

impl AtFork for InChild {
    fn in_child(&self) {
        NEXT.store(NEVER, Relaxed);
        SWEEPING.store(false, Relaxed);
    }
}

/// The thread.
fn keep() {
    IS_SWEEPER.set(true);
    let _ = HANDLE.get(OnceLock::new).set(thread::current());
    loop {
        // From here on every insert that ends wakes us, so none is overlooked by this round.
        NEXT.store(NEVER, Relaxed);
        fence(Ordering::SeqCst);
        let next = round();
        let next = NEXT.fetch_min(next, Relaxed).min(next);
        match next {
            NEVER => thread::park(),
            _ => thread::park_timeout(Duration::from_nanos(next.saturating_sub(exact()))),
        }
    }
}

/// Sweeps what is due; says when to come again.
fn round() -> u64 {
    let mut next = NEVER;
    for store in stores() {
        if store.due().is_some_and(|due| due <= exact()) {
            SWEEPING.store(true, Relaxed);
            quietly(|| store.sweep());
            SWEEPING.store(false, Ordering::Release);
        }
        next = next.min(store.due().unwrap_or(NEVER));
    }
    next
}
