//! Time for entries that do not live for ever.
//!
//! Two readings of one monotonic clock, in nanoseconds since it was first read:
//!
//! * [`exact`] asks the operating system: some 25 ns. Writing an entry uses it.
//! * [`coarse`] is one relaxed load. A thread named `memo-clock` writes the time into it every
//!   [`TICK`], as long as somebody reads. A hit on an entry with a lifetime uses it.
//!
//! The coarse reading lags behind the exact one by a tick, and by whatever the scheduler adds on a busy
//! machine; it is never ahead. So an entry may outlive its lifetime by that much and never falls short
//! of it. Where that would matter, for lifetimes under [`FINE`], the exact clock is read instead.
//!
//! # The thread
//!
//! It starts with the first coarse reading and ends when, for about a second, nobody has read. Readers
//! leave no trace that would say so, since a shared write for each read would cost what the coarse
//! clock is there to save. Instead the thread, once a second, marks the tick as [`ASKED`]; the next
//! reader takes the slow path, because the mark makes the number too large, and clears it. A mark
//! still there a second later means that nobody came.
//!
//! The thread is never parked or woken, and holds no lock. So a `fork` leaves nothing half done: the child, which does not
//! have the thread, finds the tick [`ASLEEP`], and its next reader starts another. Where no thread can be started, readers get the
//! exact time, and one of them tries again every second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::background;
use crate::fork::{self, AtFork, Part};

/// A time that never comes: the deadline of what does not expire.
pub(crate) const NEVER: u64 = u64::MAX;

/// Lifetimes shorter than this (in nanoseconds) are measured by the exact clock, as the coarse one's lag
/// would be a visible part of them.
pub(crate) const FINE: u64 = 250_000_000;

/// How often the coarse clock moves.
const TICK: Duration = Duration::from_millis(4);
/// How many ticks lie between two questions whether anybody still reads.
const ROUNDS: u32 = 256;

/// The latest time there is, some 146 years on. It leaves the bits above it to the marks below.
const LATEST: u64 = (1 << 62) - 1;
/// Set in the tick when its thread wants to know whether there are readers.
const ASKED: u64 = 1 << 63;
/// In place of the tick: nobody keeps it.
const ASLEEP: u64 = u64::MAX;
/// In place of the tick: a reader is starting the thread.
const WAKING: u64 = u64::MAX - 1;

static COARSE: AtomicU64 = AtomicU64::new(ASLEEP);
/// How far [`advance`] has moved the clock.
static OFFSET: AtomicU64 = AtomicU64::new(0);
static START: OnceLock<Instant> = OnceLock::new();
/// Who is told that [`advance`] has moved the clock.
static MOVED: OnceLock<fn()> = OnceLock::new();
/// No attempt to start the thread before this time: the last one failed.
static RETRY: AtomicU64 = AtomicU64::new(0);

/// The time now, in nanoseconds; never 0, never backwards, never past [`LATEST`].
pub(crate) fn exact() -> u64 {
    let elapsed = nanos(START.get_or_init(Instant::now).elapsed());
    elapsed.saturating_add(OFFSET.load(Relaxed)).saturating_add(1).min(LATEST)
}

/// The time of the last tick, in nanoseconds.
#[inline]
pub(crate) fn coarse() -> u64 {
    let tick = COARSE.load(Relaxed);
    if tick < ASKED { tick } else { read_slowly(tick) }
}

/// The time of the last tick, if reading it is all there is to do, which it nearly always is; else a number that is later
/// than every time there is.
#[inline(always)]
pub(crate) fn tick() -> u64 {
    COARSE.load(Relaxed)
}

/// A length of time in nanoseconds, [`NEVER`] when that is more than fits.
#[inline]
pub(crate) fn nanos(length: Duration) -> u64 {
    length.as_secs().saturating_mul(1_000_000_000).saturating_add(length.subsec_nanos().into())
}

/// Moves the clock of this process forward, for tests of lifetimes.
///
/// It counts at once, for coarse readings too, and for every thread and every memoized function.
#[doc(hidden)]
pub fn advance(by: Duration) {
    let by = nanos(by).min(LATEST);
    let _ = OFFSET.fetch_update(Relaxed, Relaxed, |offset| Some(offset.saturating_add(by).min(LATEST)));
    // The thread may be starting, and about to store a time read before: wait for that, and correct it.
    while COARSE.load(Relaxed) == WAKING {
        thread::yield_now();
    }
    let now = exact();
    let _ = COARSE.fetch_update(Relaxed, Relaxed, |tick| moved(tick, now));
    if let Some(moved) = MOVED.get() {
        moved();
    }
}

/// Has `moved` called whenever [`advance`] has moved the clock. There is one who wants that: the sweeper.
pub(crate) fn on_advance(moved: fn()) {
    let _ = MOVED.set(moved);
}

/// The tick brought up to `now`, keeping its mark; nothing where there is no tick or it is later.
fn moved(tick: u64, now: u64) -> Option<u64> {
    let mark = tick & ASKED;
    (tick < WAKING && tick & !ASKED < now).then_some(now | mark)
}

/// What a coarse reading finds once a second or when the thread is not there.
#[cold]
#[inline(never)]
fn read_slowly(tick: u64) -> u64 {
    match tick {
        ASLEEP => {
            let now = exact();
            if now >= RETRY.load(Relaxed)
                && COARSE.compare_exchange(ASLEEP, WAKING, Relaxed, Relaxed).is_ok()
                && !start()
            {
                RETRY.store(now.saturating_add(1_000_000_000), Relaxed);
                COARSE.store(ASLEEP, Relaxed);
            }
            now
        }
        WAKING => exact(),
        asked => {
            // Losing the race means that another reader has answered, or that the tick has moved with
            // the mark still on it: then the next reader answers.
            let tick = asked & !ASKED;
            let _ = COARSE.compare_exchange(asked, tick, Relaxed, Relaxed);
            tick
        }
    }
}

/// Starts the thread; false where that cannot be done.
fn start() -> bool {
    fork::attend(Part::Clock, &InChild) && background::spawn("memo-clock", keep)
}

/// In a forked child the thread does not exist.
struct InChild;

impl AtFork for InChild {
    fn in_child(&self) {
        COARSE.store(ASLEEP, Relaxed);
    }
}

/// The thread: keeps the tick until nobody wants it.
fn keep() {
    COARSE.store(exact(), Relaxed);
    let mut round = 0;
    loop {
        thread::sleep(TICK);
        round += 1;
        let now = exact();
        let ask = round % ROUNDS == 0;
        let unread = COARSE.fetch_update(Relaxed, Relaxed, |tick| match (ask, tick & ASKED) {
            // Asked a second ago, and no reader has come since.
            (true, ASKED) => Some(ASLEEP),
            (true, _) => Some(tick.max(now) | ASKED),
            (false, _) => moved(tick, now),
        });
        if ask && unread.is_ok_and(|tick| tick & ASKED != 0) {
            return;
        }
    }
}

/// For tests that move the clock: one at a time, as the clock is the process's.
#[cfg(test)]
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;

    /// Reads the coarse clock until it ticks by itself; false if it does not within ten seconds.
    fn ticks() -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while COARSE.load(Relaxed) >= ASKED {
            coarse();
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let before = coarse();
        while coarse() == before {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }

    #[test]
    fn both_readings_move_forward_and_coarse_is_never_ahead() {
        let _alone = alone();
        let mut last = exact();
        assert_ne!(last, 0);
        for _ in 0..10_000 {
            let coarse = coarse();
            let exact = exact();
            assert!(coarse <= exact, "{coarse} > {exact}");
            assert!(exact >= last);
            last = exact;
        }
        assert!(ticks());
    }

    #[test]
    fn advancing_counts_at_once_for_both_readings() {
        let _alone = alone();
        assert!(ticks());
        for _ in 0..100 {
            let (before, hour) = (exact(), nanos(Duration::from_secs(3600)));
            advance(Duration::from_secs(3600));
            assert!(coarse() >= before + hour);
            assert!(exact() >= before + hour);
        }
    }

    #[test]
    fn lengths_saturate() {
        assert_eq!(nanos(Duration::MAX), NEVER);
        assert_eq!(nanos(Duration::ZERO), 0);
        assert_eq!(nanos(Duration::new(1, 5)), 1_000_000_005);
    }

    #[test]
    fn a_tick_keeps_its_mark_and_never_goes_back() {
        assert_eq!(moved(10, 20), Some(20));
        assert_eq!(moved(10 | ASKED, 20), Some(20 | ASKED));
        assert_eq!(moved(20, 10), None);
        assert_eq!(moved(ASLEEP, 20), None);
        assert_eq!(moved(WAKING, 20), None);
        assert_eq!(moved(10, LATEST), Some(LATEST));
    }

    #[test]
    fn the_thread_ends_when_nobody_reads_and_comes_back_for_a_reader() {
        let _alone = alone();
        assert!(ticks());
        // Other tests hold the lock to read the clock, so that nobody does now.
        let until = Instant::now() + Duration::from_secs(30);
        while COARSE.load(Relaxed) != ASLEEP {
            assert!(Instant::now() < until, "the thread still ticks");
            thread::sleep(Duration::from_millis(20));
        }
        assert!(ticks());
    }

    // Miri has no fork.
    #[cfg(all(unix, not(miri)))]
    #[test]
    fn a_forked_child_has_a_clock_that_moves() {
        let _alone = alone();
        assert!(ticks());
        // SAFETY: the child reads the clock, which takes no lock that another thread of the parent
        // could hold but that of the allocator (which the C library keeps right across a fork), and
        // leaves by `_exit`, running nothing of the parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let code = if ticks() { 0 } else { 1 };
            // SAFETY: the child ends at once, and runs nothing of the parent's on the way.
            unsafe { libc::_exit(code) }
        }
        assert!(child > 0);
        let mut status = 0;
        // SAFETY: `child` is our child and `status` a place to write.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status), "{status:#x}");
        assert_eq!(libc::WEXITSTATUS(status), 0);
        assert!(ticks(), "the parent's still runs");
    }
}
