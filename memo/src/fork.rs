//! What a fork means for this process: what is prepared before one, and what is put right after it.
//!
//! A forked child has a copy of all memory, and of all threads only the one that forked. A lock that another thread held
//! at that moment stays locked in the child for good, and a table that another thread was changing stays half changed.
//! So the thread that forks first takes the locks of everything that the child will use ([`AtFork::before`]), and gives
//! them back in both processes. What only threads of the parent had is reset in the child ([`AtFork::in_child`]), or made
//! anew ([`PerProcess`](crate::per_process::PerProcess)).
//!
//! The user may not know of the threads that this crate starts. A fork waits while one of them holds a lock of a store
//! ([`hold_off`]).

#![allow(unsafe_code)]

use std::hint::spin_loop;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// How many forks lie between the first process and this one, counted from 1.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// The number of this process, by which it is told from the one that it was forked from. It is right only from the first
/// [`watch`] on.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Has forks noticed from now on; false where the system refuses.
pub(crate) fn watch() -> bool {
    static WATCHED: OnceLock<bool> = OnceLock::new();
    *WATCHED.get_or_init(handlers::register)
}

/// Something that a fork must not catch half done.
pub(crate) trait AtFork: Sync {
    /// Before the fork, on the thread that forks: takes the locks that the child will need, and hands them to `keep`. They
    /// are given back after the fork, in both processes.
    fn before(&'static self, _keep: Keep<'_, 'static>) {}

    /// After the fork, in the child, before any other code runs there. It may do only what a child of a process with
    /// threads may do before `exec`: it stores to atomics, and neither allocates nor waits for a lock.
    fn in_child(&self) {}
}

/// A static lock that takes part in forks: the thread that forks takes it by this function, so that the child finds it free,
/// and what it guards whole. No user code may run under such a lock.
pub(crate) struct Locked<G>(pub(crate) fn() -> G);

impl<G: 'static> AtFork for Locked<G> {
    fn before(&'static self, keep: Keep<'_, 'static>) {
        keep(Box::new((self.0)()));
    }
}

/// Takes in guards of locks that live for `'s`.
pub(crate) type Keep<'k, 's> = &'k mut dyn FnMut(Box<dyn Guard + 's>);

/// The guard of some lock.
pub(crate) trait Guard {}
impl<T> Guard for T {}

/// Who takes part in a fork, in the order in which their locks are taken. Whoever holds one of these locks may wait for one
/// that stands below it, and for none above. While one of those from the engines on is held, no other is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Clock,
    Sweeper,
    Registry,
    Counters,
    Stores,
    #[cfg(feature = "engines")]
    Engines,
    #[cfg(feature = "engines")]
    Claims,
    #[cfg(feature = "engines")]
    Exit,
    #[cfg(feature = "config")]
    Configuration,
    Callbacks,
    Spawner,
    #[cfg(feature = "engines")]
    Strategy,
    Readers,
}

static PARTS: [OnceLock<&'static dyn AtFork>; Part::Readers as usize + 1] = [const { OnceLock::new() }; _];

/// Has `part` take part in forks from now on; false where the system refuses.
pub(crate) fn attend(part: Part, at_fork: &'static dyn AtFork) -> bool {
    let _ = PARTS[part as usize].set(at_fork);
    watch()
}

/// Taken while a thread that the user does not know of holds the lock of a store.
static GATE: Gate = Gate(AtomicBool::new(false));

/// Keeps a fork from happening for as long as the guard lives. No user code may run meanwhile.
pub(crate) fn hold_off() -> HeldOff {
    let mut tries = 0_u32;
    while !GATE.try_close() {
        tries += 1;
        if tries < 64 { spin_loop() } else { thread::yield_now() }
    }
    HeldOff(())
}

/// While it lives, no fork happens: see [`hold_off`].
pub(crate) struct HeldOff(());

impl Drop for HeldOff {
    fn drop(&mut self) {
        GATE.open();
    }
}

/// A lock that one function takes and another gives back, as the handlers of a fork need it. It is held shortly, and
/// hardly ever wanted by two.
struct Gate(AtomicBool);

impl Gate {
    fn try_close(&self) -> bool {
        self.0.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn open(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The handlers of `pthread_atfork`: the only ones of this crate.
#[cfg(unix)]
mod handlers {
    use super::{AtFork, GATE, GENERATION, Guard, PARTS};
    use std::cell::{Cell, RefCell};
    use std::mem::ManuallyDrop;
    use std::sync::OnceLock;
    use std::sync::atomic::Ordering;
    use std::thread::yield_now;
    use std::time::{Duration, Instant};

    thread_local! {
        /// Whether this thread, which is forking, has closed the gate.
        static CLOSED: Cell<bool> = const { Cell::new(false) };
        /// The guards that it holds while it forks.
        static GUARDS: RefCell<Vec<Box<dyn Guard>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn register() -> bool {
        // SAFETY: the three are functions for the life of the program, take no arguments and do not unwind. The child's
        // does only what a child of a process with threads may do before `exec`: it stores to atomics and gives back
        // locks of its own.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) == 0 }
    }

    fn parts() -> impl Iterator<Item = &'static dyn AtFork> {
        PARTS.iter().filter_map(OnceLock::get).copied()
    }

    extern "C" fn before() {
        // Whoever forks from inside a store, in an `Eq`, say, may hold what a thread of ours waits for with the gate
        // closed. So this wait has to end.
        let until = Instant::now() + Duration::from_millis(200);
        CLOSED.set(loop {
            if GATE.try_close() {
                break true;
            }
            if Instant::now() > until {
                break false;
            }
            yield_now();
        });
        // No user code runs under these locks: each is given back soon, and none is this thread's. At the end of a thread
        // there is no place to keep them.
        let _ = GUARDS.try_with(|guards| {
            let mut guards = guards.borrow_mut();
            parts().for_each(|part| part.before(&mut |guard| guards.push(guard)));
        });
    }

    extern "C" fn in_parent() {
        drop(GUARDS.try_with(RefCell::take));
        if CLOSED.replace(false) {
            GATE.open();
        }
    }

    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        let mut guards = ManuallyDrop::new(GUARDS.try_with(RefCell::take).unwrap_or_default());
        for guard in guards.iter_mut() {
            // SAFETY: it is dropped once, as the box is not. The box stays: freeing is not for here.
            unsafe { std::ptr::drop_in_place(&raw mut **guard) };
        }
        parts().for_each(AtFork::in_child);
        // nobody else is here to hold it
        CLOSED.set(false);
        GATE.open();
    }
}

/// Elsewhere a process is never continued by another.
#[cfg(not(unix))]
mod handlers {
    pub(super) fn register() -> bool {
        true
    }
}
