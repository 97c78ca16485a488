//! What memoized functions count, and how it is shown.
//!
//! A counter that all threads write would cost more than the rest of a hit. So each thread writes a table of its own,
//! with a cache line for each function, by plain loads and stores; whoever asks adds the tables up. A table outlives
//! its thread: the next new thread goes on with it, and what it has counted stays counted.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::nanos;
use crate::near::is_reading;
use crate::sweep::Held;

/// What one function counts in one thread: one cache line.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Line([AtomicU64; 8]);

impl Line {
    #[inline(always)]
    pub(crate) fn count(&self, counter: Counter) {
        bump(&self.0[counter as usize], 1);
    }

    /// Starts a clock for a computation that begins now and has just been counted as a miss, if it is one to be timed: the
    /// first ones, and one in 16 of the others.
    #[inline(always)]
    pub(crate) fn start(&self) -> Option<Instant> {
        // in a deep recursion many begin before one ends
        let begun = self.get(Counter::Misses);
        (begun < OFTEN || begun.is_multiple_of(OFTEN)).then(Instant::now)
    }

    /// As [`start`](Self::start), for one that is part of no other on its thread: all are timed that take long enough for the
    /// clock not to matter. How long a part takes says little: in a recursion that is what all further levels take.
    #[inline(always)]
    pub(crate) fn start_outermost(&self) -> Option<Instant> {
        self.start_by(Counter::Misses)
    }

    /// As [`start`](Self::start), by what counts such computations.
    #[inline(always)]
    fn start_by(&self, counter: Counter) -> Option<Instant> {
        const LONG_NANOS: u64 = 5_000;
        let begun = self.get(counter);
        let sampled = begun < OFTEN
            || begun.is_multiple_of(OFTEN)
            || self.get(Counter::TimedNanos) > self.get(Counter::Timed).saturating_mul(LONG_NANOS);
        sampled.then(Instant::now)
    }

    fn total(&self, counter: Counter) -> u64 {
        match counter {
            Counter::Misses | Counter::Computes | Counter::Stored => {
                self.get(counter) + self.get(Counter::Plain)
            }
            _ => self.get(counter),
        }
    }

    /// Counts how long a computation took.
    pub(crate) fn timed(&self, elapsed: Duration) {
        self.count(Counter::Timed);
        bump(&self.0[Counter::TimedNanos as usize], nanos(elapsed));
    }

    #[inline(always)]
    fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }
}

/// How many computations are timed at first, and of how many one later.
const OFTEN: u64 = 16;

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
    /// Misses that were computed here and stored: each counts in `Misses`, `Computes` and `Stored`. Where a miss costs next to
    /// nothing, one thing to count is less than three.
    Plain,
}

type Table = &'static [Line];

/// The table of this thread, for a path that has nothing in it for a function with no line there yet.
#[derive(Clone, Copy)]
pub(crate) struct Mine(Table);

impl Mine {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Mine(TABLE.get())
    }

    #[inline(always)]
    pub(crate) fn has(self, place: usize) -> bool {
        place < self.0.len()
    }

    /// # Panics
    ///
    /// If it does not [have](Self::has) that.
    #[inline(always)]
    pub(crate) fn line(self, place: usize) -> &'static Line {
        &self.0[place]
    }
}

/// All tables there are, and those that no thread uses now.
struct Tables {
    all: Vec<Table>,
    free: Vec<Table>,
}

static TABLES: Mutex<Tables> = Mutex::new(Tables { all: Vec::new(), free: Vec::new() });

fn tables() -> std::sync::MutexGuard<'static, Tables> {
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the lock of the tables, for a fork.
pub(crate) fn hold() -> Box<dyn Held> {
    Box::new(tables())
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

/// What all threads count in one place: next to asking an engine, or to waiting for long, that is nothing.
#[derive(Debug, Default)]
struct Rare {
    /// How many results that engines had said what they took to compute.
    known: AtomicU64,
    /// How long those took together, in nanoseconds.
    nanos: AtomicU64,
    /// How often a leader was not waited for any longer.
    impatient: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Counters { index: NEXT.fetch_add(1, Ordering::Relaxed), rare: Arc::default() }
    }

    /// Where each thread's [table](Mine) has the line for it.
    #[inline(always)]
    pub(crate) fn place(&self) -> usize {
        self.index
    }

    /// The same place.
    pub(crate) fn same(&self) -> Self {
        Counters { index: self.index, rare: self.rare.clone() }
    }

    #[inline(always)]
    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// This thread's line, to count several things in. It is not to be kept: a table may be replaced.
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
            Some(line) => bump(&line.0[counter as usize], amount),
            None => bump(&self.new_line().0[counter as usize], amount),
        }
    }

    #[cold]
    #[inline(never)]
    fn new_line(&self) -> &'static Line {
        let old = TABLE.replace(&[]);
        let mut tables = tables();
        // A hit whose `Clone` or `Eq` has called us will count in the old one yet: nobody else may have it.
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
        // a thread that is at its end has nobody to give the table back any more, and so does it at once
        match RETURN.try_with(|_| ()) {
            Ok(()) => TABLE.set(table),
            Err(_) => tables.free.push(table),
        }
        &table[self.index]
    }

    /// Counts a hit in an engine, whose entry says that it took `cost` to compute. Nothing is what one says that does
    /// not know.
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

    /// Counts a leader that is not waited for any longer.
    pub(crate) fn impatient(&self) {
        self.rare.impatient.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn total(&self, counter: Counter) -> u64 {
        let tables = tables();
        let lines = tables.all.iter().filter_map(|table| table.get(self.index));
        lines.map(|line| line.total(counter)).sum()
    }

    /// How long a computation takes, where some were timed.
    pub(crate) fn usual(&self) -> Option<Duration> {
        let timed = (self.total(Counter::Timed), self.total(Counter::TimedNanos));
        (timed.0 > 0).then(|| at_pace_of(timed, 1))
    }

    /// Starts a clock for a computation that begins now and is no miss, if it is one to be timed.
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

/// How long `count` computations take where `timed` took so many nanoseconds.
fn at_pace_of((timed, nanos): (u64, u64), count: u64) -> Duration {
    match timed {
        0 => Duration::ZERO,
        timed => Duration::from_nanos(
            u64::try_from(u128::from(nanos) * u128::from(count) / u128::from(timed)).unwrap_or(u64::MAX),
        ),
    }
}

/// Only the thread that owns the table writes, so this needs no atomic addition.
#[inline(always)]
fn bump(cell: &AtomicU64, amount: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
}

/// What one engine that outlives the process has answered to a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStats {
    /// The name under which the engine is registered.
    pub engine: String,
    /// Entries that were found and used.
    pub hits: u64,
    /// Look-ups that found nothing to use.
    pub misses: u64,
    /// Calls of the engine that failed, or were not made since its circuit was open: each was a miss or a result not
    /// stored.
    pub errors: u64,
    /// Results that were not handed to it, since what would be written would not be read as what they are. Each is computed
    /// again by the next process.
    pub unstorable: u64,
    /// Entries that were found and did not fit, by reason: damaged, of another shape, expired, ... Each was a miss too.
    pub misfits: Vec<(&'static str, u64)>,
    /// Engines that stand in for this one (`fallback`), and how many calls each has answered in its place.
    pub stand_ins: Vec<(String, u64)>,
}

/// What has happened to one engine that outlives the process: from [`Engines::stats`](crate::Engines::stats).
#[cfg(feature = "engines")]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineStats {
    /// The name under which it is registered.
    pub name: String,
    /// Whether calls go through to it.
    pub circuit: memo_engines::CircuitState,
    /// What became of the calls that were made of it.
    pub calls: memo_engines::GuardStats,
    /// What it has answered to all functions together.
    pub functions: TierStats,
}

/// What a memoized function has counted since the process began, over all threads and all type parameters.
///
/// `uncached` and `refresh` count as computations, and as neither hits nor misses. Counts are exact once the calls have
/// ended; times are estimates.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// (0..10).for_each(|n| drop(square(n % 5)));
/// let stats = square::stats();
/// assert_eq!((stats.hits, stats.misses, stats.computes, stats.entries), (5, 5, 5, 5));
/// println!("{stats}");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that were answered from a store.
    pub hits: u64,
    /// Calls that were not, those that waited included.
    pub misses: u64,
    /// Times that the body ran to its end.
    pub computes: u64,
    /// Misses that were answered by another call's computation.
    pub waits: u64,
    /// Waits that were given up, since the future that computed was not polled for longer than the function's
    /// `patience`.
    pub impatient: u64,
    /// Results that were put into a store.
    pub stored: u64,
    /// Entries that are in memory now, those included that have expired and have not been swept yet.
    pub entries: u64,
    /// Their weight: how many they are, unless the function weighs them.
    pub weight: u64,
    /// Entries that made room for others.
    pub evicted: u64,
    /// Entries whose lifetime ended.
    pub expired: u64,
    /// Results stored again soon after they had been evicted: a larger store would have had them. At least so many, as what has
    /// left is remembered for a while only, by some bits of its hash; the engine `moka` does not tell.
    pub recomputed: u64,
    /// Time spent in the body, by the clock on the wall. Short computations are timed by sample, so this is an
    /// estimate. What a body spends in other memoized functions, or in itself, counts there as well.
    pub compute_time: Duration,
    /// Time that the hits would have spent in the body: an estimate. For a hit in an engine that outlives the process
    /// it is what the computation took, in whatever process that was; for one in memory the mean of these and of the
    /// computations here.
    pub saved_time: Duration,
    /// The engines that outlive the process, nearest first.
    pub tiers: Vec<TierStats>,
}

impl Stats {
    /// Hits among all calls that looked for a result, from 0 to 1; 0 where there were none.
    ///
    /// ```
    /// assert_eq!(memo::Stats::default().hit_ratio(), 0.0);
    /// ```
    pub fn hit_ratio(&self) -> f64 {
        match self.hits + self.misses {
            0 => 0.0,
            calls => self.hits as f64 / calls as f64,
        }
    }

    /// Calls of engines that failed, over all [`tiers`](Stats::tiers).
    ///
    /// ```
    /// assert_eq!(memo::Stats::default().errors(), 0);
    /// ```
    pub fn errors(&self) -> u64 {
        self.tiers.iter().map(|tier| tier.errors).sum()
    }

    pub(crate) fn of(counters: &Counters) -> Self {
        let total = |counter| counters.total(counter);
        let own = (total(Counter::Timed), total(Counter::TimedNanos));
        let Rare { known, nanos, impatient } = &*counters.rare;
        let told = (known.load(Ordering::Relaxed), nanos.load(Ordering::Relaxed));
        let all = (own.0 + told.0, own.1.saturating_add(told.1));
        let (hits, computes) = (total(Counter::Hits), total(Counter::Computes));
        Stats {
            hits,
            misses: total(Counter::Misses),
            computes,
            waits: total(Counter::Waits),
            impatient: impatient.load(Ordering::Relaxed),
            stored: total(Counter::Stored),
            compute_time: at_pace_of(own, computes),
            saved_time: Duration::from_nanos(told.1)
                .saturating_add(at_pace_of(all, hits.saturating_sub(told.0))),
            ..Stats::default()
        }
    }

    /// Adds what another instantiation of the same function has counted.
    pub(crate) fn add(&mut self, other: &Stats) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.computes += other.computes;
        self.waits += other.waits;
        self.impatient += other.impatient;
        self.stored += other.stored;
        self.entries += other.entries;
        self.weight += other.weight;
        self.evicted += other.evicted;
        self.expired += other.expired;
        self.recomputed += other.recomputed;
        self.compute_time += other.compute_time;
        self.saved_time += other.saved_time;
        for tier in &other.tiers {
            match self.tiers.iter_mut().find(|own| own.engine == tier.engine) {
                Some(own) => own.add(tier),
                None => self.tiers.push(tier.clone()),
            }
        }
    }
}

impl TierStats {
    fn add(&mut self, other: &TierStats) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.errors += other.errors;
        self.unstorable += other.unstorable;
        for &(reason, count) in &other.misfits {
            match self.misfits.iter_mut().find(|(own, _)| *own == reason) {
                Some((_, own)) => *own += count,
                None => self.misfits.push((reason, count)),
            }
        }
        for (engine, count) in &other.stand_ins {
            match self.stand_ins.iter_mut().find(|(own, _)| own == engine) {
                Some((_, own)) => *own += count,
                None => self.stand_ins.push((engine.clone(), *count)),
            }
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} hits, {} misses ({:.1} % hits), {} computed in {:.1?}, {} waited, {} stored, {} entries, {} evicted, {} expired, {} recomputed, {} errors of engines, about {:.1?} saved",
            self.hits,
            self.misses,
            100.0 * self.hit_ratio(),
            self.computes,
            self.compute_time,
            self.waits,
            self.stored,
            self.entries,
            self.evicted,
            self.expired,
            self.recomputed,
            self.errors(),
            self.saved_time
        )
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use crate::near::{Kind, Limits, Lookup, Near};

    struct Any;

    impl Lookup<()> for Any {
        fn matches(&self, (): &()) -> bool {
            true
        }
    }

    /// Counts in a new place as it is cloned.
    struct Counting;

    impl Clone for Counting {
        fn clone(&self) -> Self {
            let mut counters = Counters::new();
            while Mine::new().has(counters.place()) {
                counters = Counters::new();
            }
            counters.count(Counter::Hits);
            Counting
        }
    }

    #[test]
    fn a_table_is_nobody_elses_while_a_hit_of_this_thread_may_count_in_it() {
        let near = Near::new(Kind::Memory, &Limits::default(), None);
        near.insert(0, (), Counting, 1, None);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (counters, mine) = (Counters::new(), Mine::new());
                assert!(!mine.has(counters.place()));
                counters.count(Counter::Hits);
                let before = Mine::new().0;
                assert!(near.get(0, Any).is_some());
                assert!(!std::ptr::eq(Mine::new().0, before), "it has got another one");
                assert!(!tables().free.iter().any(|free| std::ptr::eq(*free, before)));
            });
        });
    }

    #[test]
    fn what_ended_threads_counted_stays_counted() {
        let counters = Counters::new();
        for _ in 0..8 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| (0..1000).for_each(|_| counters.count(Counter::Hits)));
                }
            });
        }
        assert_eq!(counters.total(Counter::Hits), 32_000);
    }

    #[test]
    fn tables_are_used_again() {
        let counters = Counters::new();
        let before = {
            counters.count(Counter::Hits);
            tables().all.len()
        };
        for _ in 0..100 {
            std::thread::scope(|scope| {
                scope.spawn(|| counters.count(Counter::Hits));
            });
        }
        // other tests have threads of their own
        assert!(tables().all.len() < before + 50);
        assert_eq!(counters.total(Counter::Hits), 101);
    }
}
