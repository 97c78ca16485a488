//! Expired entries leave without being touched.
//!
//! A store drops an expired entry that it comes across; what nobody asks for again would stay. So one
//! thread for all stores, `memo-sweep`, started by the first entry with a lifetime, visits each when it
//! is [due](Sweep::due): not before the first of its entries has expired, and not more often than a
//! quarter of its shortest lifetime, within 250 ms and 30 s. When no store holds anything that can expire,
//! it sleeps until an insert wakes it.
//!
//! Inserts need not tell it more than that. [`NEXT`] says when it wakes by itself; an insert that wants
//! it earlier lowers the number and wakes it, and the others, which are nearly all, compare and go on.
//!
//! # Fork
//!
//! A forked child has no such thread and finds in [`NEXT`] that it needs one: its next insert with a
//! lifetime starts it. Since the user may not even know of this thread, a fork must not catch it holding
//! the lock of a store, which would then stay locked in the child for good: `fork` waits for [`LOCKED`],
//! which the sweeping holds while it is in a store (never while user code runs), and for [`HANDLE`]'s gate.
//!
//! Other threads may be in a store as well. So the thread that forks takes the locks of all stores first
//! ([`Sweep::hold`]), of the list of records and of the counters, and gives them back after, in the parent
//! and in the child: what a child finds is whole.

use crate::clock::{NEVER, exact};
use std::cell::Cell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, Ordering::Relaxed, fence};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

/// Something that holds entries that expire.
pub(crate) trait Sweep: Send + Sync {
    /// Drops what has expired by now.
    fn sweep(&self);

    /// The time ([`exact`]) at which to sweep it next; `None` when it holds nothing that can expire.
    fn due(&self) -> Option<u64>;

    /// It is registered: from now on its inserts shall wake the thread, see [`Schedule::watch`].
    fn watch(&self);

    /// Takes its locks and hands them on. They are given back as they are dropped, by this thread.
    fn hold<'s>(&'s self, _held: Keep<'_, 's>) {}
}

/// Takes in guards of locks that live for `'s`.
pub(crate) type Keep<'k, 's> = &'k mut dyn FnMut(Box<dyn Held + 's>);

/// The guard of some lock.
pub(crate) trait Held {}
impl<T> Held for T {}

/// Sweeps are at least this far apart.
const SOONEST: u64 = 250_000_000;
/// And at most this far, for a store that has something to sweep.
const LATEST: u64 = 30_000_000_000;

/// How long to leave a store alone after a sweep, if lifetimes are as short as this.
fn pause(lifetime: u64) -> u64 {
    (lifetime / 4).clamp(SOONEST, LATEST)
}

/// What a store knows of when it wants to be swept.
pub(crate) struct Schedule {
    /// No entry ends before this; [`NEVER`] when none does.
    earliest: AtomicU64,
    /// The shortest lifetime there has been.
    shortest: AtomicU64,
    /// When it was last swept.
    swept: AtomicU64,
    /// Whether anybody sweeps it. Waking the thread for others would be in vain, each time anew.
    watched: AtomicBool,
}

impl Schedule {
    pub(crate) const fn new() -> Self {
        Schedule {
            earliest: AtomicU64::new(NEVER),
            shortest: AtomicU64::new(NEVER),
            swept: AtomicU64::new(0),
            watched: AtomicBool::new(false),
        }
    }

    /// See [`Sweep::watch`].
    pub(crate) fn watch(&self) {
        self.watched.store(true, Relaxed);
    }

    /// Takes note of an entry, once it is in the store: made at `now`, ending at `ends`.
    #[inline]
    pub(crate) fn stored(&self, now: u64, ends: u64) {
        if ends != NEVER {
            self.ending(now, ends);
        }
    }

    fn ending(&self, now: u64, ends: u64) {
        let lifetime = ends - now;
        if lifetime < self.shortest.load(Relaxed) {
            self.shortest.fetch_min(lifetime, Relaxed);
        }
        self.ends_at(ends);
        // The sweeper announces itself in `NEXT`, or in `watched`, and then reads `earliest`; here it is
        // the other way round. With a fence in between on both sides, one of the two sees the other.
        fence(Ordering::SeqCst);
        let wish = ends.max(now.saturating_add(pause(lifetime)));
        if wish < NEXT.load(Relaxed) && self.watched.load(Relaxed) {
            NEXT.fetch_min(wish, Relaxed);
            wake();
        }
    }

    /// Takes note that an entry ends then, without wishing for anything.
    pub(crate) fn ends_at(&self, ends: u64) {
        if ends < self.earliest.load(Relaxed) {
            self.earliest.fetch_min(ends, Relaxed);
        }
    }

    /// Whether anything in the store ends at some time.
    #[inline]
    pub(crate) fn has_lifetimes(&self) -> bool {
        self.earliest.load(Relaxed) != NEVER
    }

    /// Whether an entry may have expired by now. Reads no clock where none ever will.
    pub(crate) fn may_have_expired(&self) -> bool {
        let earliest = self.earliest.load(Relaxed);
        earliest != NEVER && earliest <= exact()
    }

    /// Begins a sweep; false if there is nothing to do. The caller then looks at every entry, and calls
    /// [`ends_at`](Self::ends_at) for each that stays.
    pub(crate) fn begin(&self, now: u64) -> bool {
        self.swept.store(now, Relaxed);
        // An insert either is in the store before the sweep looks there, or lowers this afterwards.
        now >= self.earliest.load(Relaxed) && now >= self.earliest.swap(NEVER, Relaxed)
    }

    /// See [`Sweep::due`].
    pub(crate) fn due(&self) -> Option<u64> {
        let earliest = self.earliest.load(Relaxed);
        let rested = self.swept.load(Relaxed).saturating_add(pause(self.shortest.load(Relaxed)));
        (earliest != NEVER).then(|| earliest.max(rested))
    }
}

/// When the thread looks round next; [`NEVER`] when it is not there, sleeps without end, or is looking
/// round just now.
static NEXT: AtomicU64 = AtomicU64::new(NEVER);
/// The thread. The gate goes with it, see [`Gate`].
static HANDLE: Mutex<Option<Thread>> = Mutex::new(None);
/// Taken to touch [`HANDLE`].
static WAKING: Gate = Gate(AtomicBool::new(false));
/// Taken while sweeping holds the lock of a store.
static LOCKED: Gate = Gate(AtomicBool::new(false));
/// Whether the thread is sweeping just now.
static SWEEPING: AtomicBool = AtomicBool::new(false);
/// No attempt to start the thread before this time: the last one failed.
static RETRY: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this is the thread.
    static IS_SWEEPER: Cell<bool> = const { Cell::new(false) };
}

/// Has `store` swept from now on, for the rest of the program. To be called once for each.
pub(crate) fn register(store: &'static dyn Sweep) {
    // where the system refuses, a child may find a store locked
    at_fork::watch();
    let (bucket, place) = at(COUNT.fetch_add(1, Relaxed));
    let bucket = STORES[bucket].get_or_init(|| (0..FIRST << bucket).map(|_| OnceLock::new()).collect());
    let _ = bucket[place].set(store);
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
    // What the thread was just sweeping, it left to that. Waiting for itself, in a drop, it would wait long.
    while SWEEPING.load(Ordering::Acquire) && !IS_SWEEPER.get() {
        thread::yield_now();
    }
}

/// Has the thread, if there is one, look round at once: the clock has been moved.
pub(crate) fn stir() {
    fence(Ordering::SeqCst);
    if NEXT.load(Relaxed) != NEVER {
        wake();
    }
}

/// Keeps a fork from happening for as long as the guard lives. No user code may run meanwhile.
pub(crate) fn unforked() -> Passing<'static> {
    LOCKED.pass()
}

/// The same if this is the thread that sweeps: whoever forks need not know of that one.
pub(crate) fn unforked_sweeper() -> Option<Passing<'static>> {
    IS_SWEEPER.get().then(unforked)
}

// The registered stores: buckets of twice the size each time, so that nothing ever moves and no lock is
// needed.

const FIRST: usize = 32;
const BUCKETS: usize = 26;
type Place = OnceLock<&'static dyn Sweep>;
static STORES: [OnceLock<Box<[Place]>>; BUCKETS] = [const { OnceLock::new() }; BUCKETS];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The bucket, and the place in it, of the store registered as number `index`.
fn at(index: usize) -> (usize, usize) {
    let bucket = (index / FIRST + 1).ilog2() as usize;
    (bucket, index - FIRST * ((1 << bucket) - 1))
}

fn stores() -> impl Iterator<Item = &'static dyn Sweep> {
    STORES.iter().map_while(OnceLock::get).flatten().filter_map(|place| place.get().copied())
}

/// A panic that comes out of user code in a store ends neither the round nor the thread.
fn quietly(work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        std::mem::forget(panic);
    }
}

/// Wakes the thread, or starts it.
#[cold]
fn wake() {
    let _gate = WAKING.pass();
    // With the gate held, it is free, unless a fork has caught it (see `at_fork`); then no sweeps here.
    let Ok(mut handle) = HANDLE.try_lock() else { return };
    if let Some(thread) = &*handle {
        thread.unpark();
        return;
    }
    let now = exact();
    if now < RETRY.load(Relaxed) {
        NEXT.store(NEVER, Relaxed);
        return;
    }
    let spawned = at_fork::watch().then(|| thread::Builder::new().name("memo-sweep".into()).spawn(keep));
    match spawned {
        Some(Ok(thread)) => *handle = Some(thread.thread().clone()),
        // Entries expire all the same; they leave when touched or evicted. A later insert tries again.
        _ => {
            RETRY.store(now.saturating_add(1_000_000_000), Relaxed);
            NEXT.store(NEVER, Relaxed);
        }
    }
}

/// The thread.
fn keep() {
    IS_SWEEPER.set(true);
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

/// A lock that can be taken by one function and given back by another, as forking needs it: held shortly,
/// and hardly ever wanted by two.
struct Gate(AtomicBool);

impl Gate {
    fn try_close(&self) -> bool {
        self.0.compare_exchange_weak(false, true, Ordering::Acquire, Relaxed).is_ok()
    }

    fn open(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn pass(&self) -> Passing<'_> {
        let mut tries = 0_u32;
        while !self.try_close() {
            tries += 1;
            if tries < 64 { spin_loop() } else { thread::yield_now() }
        }
        Passing(self)
    }
}

/// See [`unforked`].
pub(crate) struct Passing<'a>(&'a Gate);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// Forking only while the thread holds nothing, and telling the child that it has none.
#[cfg(unix)]
mod at_fork {
    use super::{HANDLE, Held, LOCKED, NEXT, RETRY, SWEEPING, WAKING, stores};
    use crate::clock::NEVER;
    use crate::{registry, stats};
    use std::cell::{Cell, RefCell};
    use std::mem::ManuallyDrop;
    use std::sync::OnceLock;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread::yield_now;
    use std::time::{Duration, Instant};

    thread_local! {
        /// Whether this thread, which is forking, has closed each of the gates.
        static CLOSED: Cell<[bool; 2]> = const { Cell::new([false; 2]) };
        /// The locks of the stores, while it forks.
        static HOLDS: RefCell<Vec<Box<dyn Held>>> = const { RefCell::new(Vec::new()) };
    }

    /// Registers for forks to come; false when the system refuses.
    pub(super) fn watch() -> bool {
        static WATCHING: OnceLock<bool> = OnceLock::new();
        // SAFETY: the three are functions for the life of the program, take no arguments and do not
        // unwind. The child's does only what a child of a process with threads may do before `exec`:
        // it stores to atomics, gives back locks of its own, and tries one that is not waited for.
        *WATCHING.get_or_init(
            || unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } == 0,
        )
    }

    extern "C" fn before() {
        // Whoever forks from inside a store, in an `Eq`, say, may hold what the sweeper waits for: then
        // this wait has to end as well.
        let until = Instant::now() + Duration::from_millis(200);
        CLOSED.set([&WAKING, &LOCKED].map(|gate| {
            loop {
                if gate.try_close() {
                    return true;
                }
                if Instant::now() > until {
                    return false;
                }
                yield_now();
            }
        }));
        // No user code runs under these locks: each is given back soon, and none is this thread's. At the end of a thread
        // there is no place to keep them.
        let _ = HOLDS.try_with(|holds| {
            let mut holds = holds.borrow_mut();
            holds.push(Box::new(registry::lock()));
            holds.push(stats::hold());
            stores().for_each(|store| store.hold(&mut |held| holds.push(held)));
        });
    }

    fn reopen() {
        let [waking, locked] = CLOSED.replace([false; 2]);
        if locked {
            LOCKED.open();
        }
        if waking {
            WAKING.open();
        }
    }

    extern "C" fn in_parent() {
        drop(HOLDS.try_with(RefCell::take));
        reopen();
    }

    extern "C" fn in_child() {
        if let Ok(mut handle) = HANDLE.try_lock() {
            // Not dropped: that might free memory, which is not for here.
            std::mem::forget(handle.take());
        }
        let mut holds = ManuallyDrop::new(HOLDS.try_with(RefCell::take).unwrap_or_default());
        for held in holds.iter_mut() {
            // SAFETY: it is dropped once, as the box is not. That stays: freeing is not for here either.
            unsafe { std::ptr::drop_in_place(&raw mut **held) };
        }
        NEXT.store(NEVER, Relaxed);
        SWEEPING.store(false, Relaxed);
        RETRY.store(0, Relaxed);
        // Nobody else is here to hold them.
        CLOSED.set([true; 2]);
        reopen();
    }
}

/// Elsewhere a process is never continued by another.
#[cfg(not(unix))]
mod at_fork {
    pub(super) fn watch() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    /// A store with one entry at a time, whose drop panics if asked to.
    struct One {
        schedule: Schedule,
        ends: AtomicU64,
        swept: AtomicUsize,
        panics: bool,
    }

    impl One {
        fn leak(panics: bool) -> &'static One {
            let one = One {
                schedule: Schedule::new(),
                ends: AtomicU64::new(NEVER),
                swept: AtomicUsize::new(0),
                panics,
            };
            let one = Box::leak(Box::new(one));
            register(one);
            one
        }

        fn put(&self, lifetime: Duration) {
            let now = exact();
            let ends = now + clock::nanos(lifetime);
            self.ends.store(ends, Relaxed);
            self.schedule.stored(now, ends);
        }

        fn swept(&self) -> usize {
            self.swept.load(Relaxed)
        }
    }

    impl Sweep for One {
        fn sweep(&self) {
            let now = exact();
            if self.schedule.begin(now) {
                let ends = self.ends.load(Relaxed);
                if ends <= now {
                    self.ends.store(NEVER, Relaxed);
                    self.swept.fetch_add(1, Relaxed);
                    assert!(!self.panics, "a panic in a drop, on purpose");
                } else {
                    self.schedule.ends_at(ends);
                }
            }
        }

        fn due(&self) -> Option<u64> {
            self.schedule.due()
        }

        fn watch(&self) {
            self.schedule.watch();
        }
    }

    fn soon(what: &str, mut done: impl FnMut() -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < until, "{what}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn places_are_one_for_each() {
        let mut places: Vec<_> = (0..10_000).map(at).collect();
        for &(bucket, place) in &places {
            assert!(bucket < BUCKETS && place < FIRST << bucket);
        }
        assert_eq!(places[0], (0, 0));
        assert_eq!(places[31], (0, 31));
        assert_eq!(places[32], (1, 0));
        assert_eq!(places[96], (2, 0));
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 10_000);
    }

    #[test]
    fn pauses_are_a_quarter_of_a_lifetime_within_reason() {
        let second = 1_000_000_000;
        assert_eq!(pause(1), SOONEST);
        assert_eq!(pause(8 * second), 2 * second);
        assert_eq!(pause(3600 * second), LATEST);
        assert_eq!(pause(NEVER), LATEST);
    }

    #[test]
    fn a_schedule_is_due_when_something_ends_and_it_has_rested() {
        let schedule = Schedule::new();
        assert_eq!(schedule.due(), None);
        schedule.shortest.store(40_000_000_000, Relaxed);
        schedule.ends_at(50_000_000_000);
        assert_eq!(schedule.due(), Some(50_000_000_000));
        assert!(!schedule.begin(45_000_000_000));
        assert_eq!(schedule.due(), Some(55_000_000_000));
        assert!(schedule.begin(55_000_000_000));
        assert_eq!(schedule.due(), None);
    }

    #[test]
    fn the_thread_sweeps_what_has_expired_and_outlives_panics() {
        let _alone = clock::alone();
        let bad = One::leak(true);
        let good = One::leak(false);
        for times in 1..=3 {
            bad.put(Duration::from_secs(3600));
            good.put(Duration::from_secs(3600));
            assert_eq!((bad.swept(), good.swept()), (times - 1, times - 1));
            clock::advance(Duration::from_secs(7200));
            soon("both swept", || (bad.swept(), good.swept()) == (times, times));
        }
    }

    #[test]
    fn an_insert_with_a_shorter_lifetime_wakes_the_thread_early() {
        let _alone = clock::alone();
        let long = One::leak(false);
        long.put(Duration::from_secs(24 * 3600));
        let short = One::leak(false);
        short.put(Duration::from_millis(300));
        soon("swept long before the other", || short.swept() == 1);
        assert_eq!(long.swept(), 0);
    }

    #[test]
    fn sweeping_on_demand_does_not_wait_for_the_thread() {
        let _alone = clock::alone();
        let (bad, good) = (One::leak(true), One::leak(false));
        // Not announced to the thread: only to be found by looking.
        for one in [bad, good] {
            let ends = exact();
            one.ends.store(ends, Relaxed);
            one.schedule.ends_at(ends);
        }
        sweep_now();
        assert_eq!((bad.swept(), good.swept()), (1, 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_forked_child_sweeps_with_a_thread_of_its_own() {
        let _alone = clock::alone();
        let one = One::leak(false);
        one.put(Duration::from_secs(3600));
        // SAFETY: the child takes no lock that another thread of the parent could hold but that of the
        // allocator (which the C library keeps right across a fork), and leaves by `_exit`, running
        // nothing of the parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            one.put(Duration::from_millis(1));
            let until = Instant::now() + Duration::from_secs(20);
            while one.swept() == 0 && Instant::now() < until {
                thread::sleep(Duration::from_millis(2));
            }
            // SAFETY: as above.
            unsafe { libc::_exit(if one.swept() == 1 { 0 } else { 1 }) }
        }
        assert!(child > 0);
        let mut status = 0;
        // SAFETY: `child` is our child and `status` a place to write.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status), "{status:#x}");
        assert_eq!(libc::WEXITSTATUS(status), 0);
        assert_eq!(one.swept(), 0, "the child's entry was its own");
        clock::advance(Duration::from_secs(7200));
        soon("the parent's thread goes on", || one.swept() == 1);
    }
}
