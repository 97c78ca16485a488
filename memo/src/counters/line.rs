//! What one function counts in one thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::clock::nanos;

/// What one function counts in one thread, in one cache line.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Line([AtomicU64; 8]);

impl Line {
    #[inline(always)]
    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Only the thread that owns the table writes, so this needs no atomic addition.
    #[inline(always)]
    pub(super) fn add(&self, counter: Counter, amount: u64) {
        let cell = &self.0[counter as usize];
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    /// Starts a clock for a computation that begins now and has just been counted as a miss, if it is in the sample that is
    /// timed: the first 16, and one in 16 of the others.
    #[inline(always)]
    pub(crate) fn start(&self) -> Option<Instant> {
        // by those that have begun, since in a deep recursion many begin before one ends
        let begun = self.get(Counter::Misses);
        (begun < OFTEN || begun.is_multiple_of(OFTEN)).then(Instant::now)
    }

    /// Starts a clock for a computation that is not part of another one on its thread, if it is in the sample that is timed. If
    /// these computations take so long that the clock does not matter, all are timed. Parts of a computation go by
    /// [`start`](Self::start): in a recursion each level takes as long as all levels below it, so that all would be timed.
    #[inline(always)]
    pub(crate) fn start_outermost(&self) -> Option<Instant> {
        self.start_by(Counter::Misses)
    }

    /// Starts a clock for an outermost computation, if it is in the sample. `counter` counts those that have begun.
    #[inline(always)]
    pub(super) fn start_by(&self, counter: Counter) -> Option<Instant> {
        const LONG_NANOS: u64 = 5_000;
        let begun = self.get(counter);
        let sampled = begun < OFTEN
            || begun.is_multiple_of(OFTEN)
            || self.get(Counter::TimedNanos) > self.get(Counter::Timed).saturating_mul(LONG_NANOS);
        sampled.then(Instant::now)
    }

    pub(super) fn total(&self, counter: Counter) -> u64 {
        match counter {
            Counter::Misses | Counter::Computes | Counter::Stored => {
                self.get(counter) + self.get(Counter::StoredMisses)
            }
            _ => self.get(counter),
        }
    }

    /// Counts how long a computation took.
    pub(crate) fn timed(&self, elapsed: Duration) {
        self.count(Counter::Timed);
        self.add(Counter::TimedNanos, nanos(elapsed));
    }

    #[inline(always)]
    fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }
}

/// So many computations are timed at first, and one in so many later.
const OFTEN: u64 = 16;

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter {
    Hits,
    Misses,
    Computes,
    Waits,
    Stored,
    /// How many computations were timed.
    Timed,
    /// How long those took together, in nanoseconds.
    TimedNanos,
    /// Misses that were computed here and stored. Each is a miss, a computation and a stored result, counted once rather than
    /// three times, because a miss of the engine `thread` costs little more than that.
    StoredMisses,
}
