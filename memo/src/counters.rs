//! Counters of memoized functions.
//!
//! A counter that all threads write would cost more than the rest of a hit. So each thread writes a table of its own,
//! with a cache line for each function, by plain loads and stores; whoever asks adds the tables up. A table outlives
//! its thread: the next new thread goes on with it, and what it has counted stays counted.

mod line;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use line::{Counter, Line};

use crate::clock::nanos;
use crate::fork::{self, Locked, Part};
use crate::near::is_reading;

type Table = &'static [Line];

/// The table of this thread, for a fast path that leaves functions without a line in it to another path.
#[derive(Clone, Copy)]
pub(crate) struct Mine(Table);

impl Mine {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Mine(TABLE.get())
    }

    #[inline(always)]
    pub(crate) fn has(self, index: usize) -> bool {
        index < self.0.len()
    }

    /// # Panics
    ///
    /// If the table does not [have](Self::has) that line.
    #[inline(always)]
    pub(crate) fn line(self, index: usize) -> &'static Line {
        &self.0[index]
    }
}

/// All tables, and those of them that no thread uses now.
struct Tables {
    all: Vec<Table>,
    free: Vec<Table>,
}

static TABLES: Mutex<Tables> = Mutex::new(Tables { all: Vec::new(), free: Vec::new() });

fn tables() -> std::sync::MutexGuard<'static, Tables> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a thread's table back when the thread ends.
struct Return;

impl Drop for Return {
    fn drop(&mut self) {
        give_back(TABLE.replace(&[]));
    }
}

thread_local! {
    static TABLE: Cell<Table> = const { Cell::new(&[]) };
    static RETURN: Return = const { Return };
}

fn give_back(table: Table) {
    if !table.is_empty() {
        tables().free.push(table);
    }
}

/// A place in the tables: of a function, or of a store. It is not given back.
#[derive(Debug)]
pub(crate) struct Counters {
    index: usize,
    rare: Arc<Rare>,
}

/// What all threads count in one place. Events here follow a call of an engine or a long wait, which cost far more.
#[derive(Debug, Default)]
struct Rare {
    /// Results from engines that came with the time that they took to compute.
    known: AtomicU64,
    /// The sum of these times, in nanoseconds.
    nanos: AtomicU64,
    /// Waits that were given up.
    impatient: AtomicU64,
    /// Calls that were answered by a result that was not fresh.
    stale: AtomicU64,
    /// Results that were renewed.
    renewed: AtomicU64,
    /// Renewals that failed.
    renewal_failed: AtomicU64,
    /// Renewals that nobody could take over.
    renewal_refused: AtomicU64,
    /// Computations that were given up.
    timed_out: AtomicU64,
    /// Computations that found no free place.
    limited: AtomicU64,
}

/// What became of results that were not fresh, or soon would not have been.
pub(crate) struct Renewals {
    /// Calls that were answered by one.
    pub(crate) stale: u64,
    /// How many were renewed.
    pub(crate) renewed: u64,
    /// Renewals that failed.
    pub(crate) failed: u64,
    /// Renewals that nobody could take over.
    pub(crate) refused: u64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Counters { index: NEXT.fetch_add(1, Ordering::Relaxed), rare: Arc::default() }
    }

    /// The index of its line in each thread's [table](Mine).
    #[inline(always)]
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Counters that count in the same lines.
    pub(crate) fn same(&self) -> Self {
        Counters { index: self.index, rare: self.rare.clone() }
    }

    #[inline(always)]
    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// This thread's line, to count several things at once. Do not keep it: the table may be replaced.
    #[inline(always)]
    pub(crate) fn line(&self) -> &'static Line {
        match TABLE.get().get(self.index) {
            Some(line) => line,
            None => self.new_line(),
        }
    }

    #[inline(always)]
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        match TABLE.get().get(self.index) {
            Some(line) => line.add(counter, amount),
            None => self.new_line().add(counter, amount),
        }
    }

    #[cold]
    #[inline(never)]
    fn new_line(&self) -> &'static Line {
        fork::attend(Part::Counters, &Locked(tables));
        let old = TABLE.replace(&[]);
        let mut tables = tables();
        // A hit of this thread that is still running (its `Clone` or `Eq` has called us) will count in the old table: so no
        // other thread may get that one.
        if !old.is_empty() && !is_reading() {
            tables.free.push(old);
        }
        let fit = tables.free.iter().position(|table| table.len() > self.index);
        let table = match fit {
            Some(at) => tables.free.swap_remove(at),
            None => {
                let lines = (self.index + 1).next_power_of_two().max(16);
                let table: Table = Box::leak((0..lines).map(|_| Line::default()).collect());
                tables.all.push(table);
                table
            }
        };
        // a thread that is ending cannot give the table back later, and so gives it back now
        match RETURN.try_with(|_| ()) {
            Ok(()) => TABLE.set(table),
            Err(_) => tables.free.push(table),
        }
        &table[self.index]
    }

    /// Counts a hit in an engine, whose entry says that it took `cost` to compute: zero where the entry does not know.
    pub(crate) fn hit_of_cost(&self, cost: Duration) {
        self.count(Counter::Hits);
        if !cost.is_zero() {
            self.rare.known.fetch_add(1, Ordering::Relaxed);
            self.rare.nanos.fetch_add(nanos(cost), Ordering::Relaxed);
        }
    }

    /// Counts a miss whose result was computed here, and not stored.
    #[cold]
    #[inline(never)]
    pub(crate) fn missed_and_computed(&self) {
        let line = self.line();
        line.count(Counter::Misses);
        line.count(Counter::Computes);
    }

    /// Counts how long a computation took.
    #[cold]
    #[inline(never)]
    pub(crate) fn timed(&self, elapsed: Duration) {
        self.line().timed(elapsed);
    }

    /// Counts a call that was answered by a result that was not fresh.
    pub(crate) fn stale(&self) {
        self.rare.stale.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a result that was renewed.
    pub(crate) fn renewed(&self) {
        self.rare.renewed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a renewal that failed.
    pub(crate) fn renewal_failed(&self) {
        self.rare.renewal_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a renewal that nobody could take over.
    pub(crate) fn renewal_refused(&self) {
        self.rare.renewal_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a computation that was given up.
    pub(crate) fn timed_out(&self) {
        self.rare.timed_out.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a computation that found no free place.
    pub(crate) fn limited(&self) {
        self.rare.limited.fetch_add(1, Ordering::Relaxed);
    }

    /// How many computations found no free place.
    pub(crate) fn over_limit(&self) -> u64 {
        self.rare.limited.load(Ordering::Relaxed)
    }

    /// How many computations were given up.
    pub(crate) fn timeouts(&self) -> u64 {
        self.rare.timed_out.load(Ordering::Relaxed)
    }

    /// What became of results that were not fresh, or soon would not have been.
    pub(crate) fn renewals(&self) -> Renewals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Rare { stale, renewed, renewal_failed, renewal_refused, .. } = &*self.rare;
        Renewals {
            stale: read(stale),
            renewed: read(renewed),
            failed: read(renewal_failed),
            refused: read(renewal_refused),
        }
    }

    /// Counts a wait that was given up.
    pub(crate) fn impatient(&self) {
        self.rare.impatient.fetch_add(1, Ordering::Relaxed);
    }

    /// How many results came from engines with the time that they took to compute, and the sum of these times in
    /// nanoseconds.
    pub(crate) fn known(&self) -> (u64, u64) {
        (self.rare.known.load(Ordering::Relaxed), self.rare.nanos.load(Ordering::Relaxed))
    }

    /// How many waits were given up.
    pub(crate) fn impatiences(&self) -> u64 {
        self.rare.impatient.load(Ordering::Relaxed)
    }

    /// What all threads have counted.
    pub(crate) fn total(&self, counter: Counter) -> u64 {
        let tables = tables();
        let lines = tables.all.iter().filter_map(|table| table.get(self.index));
        lines.map(|line| line.total(counter)).sum()
    }

    /// How long a computation takes on average; `None` if none was timed.
    pub(crate) fn mean(&self) -> Option<Duration> {
        let timed = (self.total(Counter::Timed), self.total(Counter::TimedNanos));
        (timed.0 > 0).then(|| at_pace_of(timed, 1))
    }

    /// Starts a clock for a computation that begins now and follows no miss, if it is in the sample that is timed.
    #[inline]
    pub(crate) fn start(&self) -> Option<Instant> {
        self.line().start_by(Counter::Computes)
    }

    /// Counts a computation, and tells how long it took if it was timed.
    #[inline]
    pub(crate) fn computed(&self, started: Option<Instant>) -> Option<Duration> {
        let line = self.line();
        line.count(Counter::Computes);
        let elapsed = started?.elapsed();
        line.timed(elapsed);
        Some(elapsed)
    }
}

/// How long `count` computations take, if `timed` of them took so many nanoseconds.
pub(crate) fn at_pace_of((timed, nanos): (u64, u64), count: u64) -> Duration {
    match timed {
        0 => Duration::ZERO,
        timed => Duration::from_nanos(
            u64::try_from(u128::from(nanos) * u128::from(count) / u128::from(timed)).unwrap_or(u64::MAX),
        ),
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests;
