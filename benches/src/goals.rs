//! What the figures must come to.

use std::fmt;

use crate::report::{Row, Table};

/// One goal: a figure of one contender, what it is told against, and the most that it may be.
pub struct Goal {
    what: &'static str,
    of: At,
    figure: Figure,
    at_most: f64,
}

/// A contender in a case.
#[derive(Clone, Copy)]
struct At(&'static str, &'static str);

enum Figure {
    /// The cost over that of another.
    Over(At),
    /// The cost over that of the fastest of the case whose name begins so.
    OverFastest(&'static str),
    /// The cost less that of another.
    Less(At),
    /// The cost itself.
    Cost,
    /// How often the body ran for one key.
    Computed,
}

const fn goal(what: &'static str, of: At, figure: Figure, at_most: f64) -> Goal {
    Goal { what, of, figure, at_most }
}

use Figure::{Computed, Cost, Less, Over, OverFastest};

const HIT: At = At("hit-u64", "memo");
const TWO: At = At("hit-u64-two-threads", "memo");
const PAIR: At = At("hit-pair", "memo");
const TEXT: At = At("hit-text", "memo");
const TTL: At = At("hit-ttl", "memo ttl");
const NO_TTL: At = At("hit-ttl", "memo");
const AWAITED: At = At("hit-async", "memo");
const CALLED: At = At("hit-async", "memo sync");
const DEPENDENT: At = At("hit-dependent", "memo");
const SCOPED: At = At("hit-scoped", "memo scope elsewhere");
const UNSCOPED: At = At("hit-scoped", "memo");
const MISS: At = At("miss", "memo");
const MISS_TWO: At = At("miss-two-threads", "memo");
const FLIGHT: At = At("flight", "memo");
const MISS_ASYNC: At = At("miss-async", "memo");
const MISS_BESIDE: At = At("miss-beside-hits", "memo");
const HIT_BESIDE: At = At("hit-beside-misses", "memo");
const MISS_WITHOUT: At = At("miss", "memo single_flight = false");
const BY_THREAD: At = At("hit-thread", "memo thread");
const FREE: At = At("hit-generic", "memo free");

impl At {
    const fn quick(self) -> Self {
        At(self.0, "quick_cache")
    }
    const fn redb(self) -> Self {
        At(self.0, "cached redb")
    }
    const fn limit(self) -> Self {
        At(self.0, "limit")
    }
    const fn quick_once(self) -> Self {
        At(self.0, "quick_cache get_or_insert_with")
    }
    const fn by_hand(self) -> Self {
        At(self.0, "by hand")
    }
    const fn cached(self) -> Self {
        At(self.0, "cached")
    }
    const fn thread(self) -> Self {
        At(self.0, "memo thread")
    }
}

/// For `#[memoize]` on a store of somebody else's.
pub const SPINE: [Goal; 14] = [
    goal("u64 hit / quick_cache", HIT, Over(HIT.quick()), 1.25),
    goal("(&str, u32) hit / quick_cache", PAIR, Over(PAIR.quick()), 1.2),
    goal("(&str, u32) hit / fastest cached form", PAIR, OverFastest("cached"), 1.0),
    goal("hit with a ttl / without", TTL, Over(NO_TTL), 1.5),
    goal("awaited hit / called hit", AWAITED, Over(CALLED), 1.5),
    goal("u64 hit, two threads / quick_cache", TWO, Over(TWO.quick()), 1.0),
    goal("miss / quick_cache get_or_insert_with", MISS, Over(MISS.quick_once()), 1.5),
    goal("miss, two threads / quick_cache get_or_insert_with", MISS_TWO, Over(MISS_TWO.quick_once()), 1.5),
    goal("flight: bodies until the waiter has it", FLIGHT, Cost, 1.5),
    goal("flight: computations of one key", FLIGHT, Computed, 1.0),
    goal("generic function − free function, ns", At("hit-generic", "memo generic function"), Less(FREE), 2.0),
    goal(
        "generic impl's method − free function, ns",
        At("hit-generic", "memo generic method"),
        Less(FREE),
        2.0,
    ),
    goal(
        "generic impl's function − free function, ns",
        At("hit-generic", "memo generic associated"),
        Less(FREE),
        2.0,
    ),
    goal("hit with a scope elsewhere − without, ns", SCOPED, Less(UNSCOPED), 10.0),
];

/// For a store of our own.
pub const ENGINE: [Goal; 17] = [
    goal("u64 hit / limit", HIT, Over(HIT.limit()), 2.2),
    goal("u64 hit / fastest cached form", HIT, OverFastest("cached"), 0.36),
    goal("u64 hit, two threads / one thread", TWO, Over(HIT), 1.1),
    goal("u64 hit, two threads / quick_cache", TWO, Over(TWO.quick()), 1.0 / 8.0),
    goal("u64 hit, two threads / fastest cached form", TWO, OverFastest("cached"), 1.0 / 6.5),
    goal("(&str, u32) hit / limit", PAIR, Over(PAIR.limit()), 1.5),
    goal("&str → String hit / limit", TEXT, Over(TEXT.limit()), 1.3),
    goal("hit with a ttl / without", TTL, Over(NO_TTL), 1.25),
    goal("awaited hit / called hit", AWAITED, Over(CALLED), 1.5),
    goal("dependent hit / limit", DEPENDENT, Over(DEPENDENT.limit()), 1.25),
    goal("miss / quick_cache get_or_insert_with", MISS, Over(MISS.quick_once()), 1.0),
    goal("miss, two threads / quick_cache get_or_insert_with", MISS_TWO, Over(MISS_TWO.quick_once()), 1.0),
    goal("miss without flight / quick_cache get, insert", MISS_WITHOUT, Over(MISS_WITHOUT.quick()), 1.0),
    goal(
        "awaited miss / quick_cache get_or_insert_async",
        MISS_ASYNC,
        Over(At("miss-async", "quick_cache get_or_insert_async")),
        1.0,
    ),
    goal("miss beside hits / quick_cache", MISS_BESIDE, Over(MISS_BESIDE.quick_once()), 1.0),
    goal("hit beside misses / quick_cache", HIT_BESIDE, Over(HIT_BESIDE.quick_once()), 0.25),
    goal("u64 hit, engine thread / limit", BY_THREAD, Over(BY_THREAD.limit()), 1.3),
];

const GET_SMALL: At = At("get-1k", "memo");
const PUT_SMALL: At = At("put-1k", "memo");
const GET_LARGE: At = At("get-1m", "memo");
const GET_BYTES: At = At("get-bytes-1m", "memo");
const TWO_PROCESSES: At = At("two-processes", "one of two");
const REWRITTEN: At = At("rewritten", "at last");
const FOUND: At = At("circuit-found", "circuit open");
const MISSED: At = At("circuit-missed", "circuit open");
const OTHER_OF_TWO: At = At("two-processes", "the other of two");

const EDITS: At = At("edits", "memo");
const COLLATZ: At = At("collatz", "memo");
const FIB: At = At("fib", "memo");
const EDITS_TWO: At = At("edits-two-threads", "memo");
const COLLATZ_TWO: At = At("collatz-two-threads", "memo");
const FILL: At = At("fill", "memo");
const FILL_WITHOUT: At = At("fill", "memo single_flight = false");

/// For whole programs.
pub const PROGRAMS: [Goal; 13] = [
    goal("edits, thread / by hand", EDITS.thread(), Over(EDITS.by_hand()), 1.15),
    goal("edits, thread / cached", EDITS.thread(), Over(EDITS.cached()), 0.8),
    goal("edits, memory / cached", EDITS, Over(EDITS.cached()), 1.5),
    goal("collatz, thread / by hand", COLLATZ.thread(), Over(COLLATZ.by_hand()), 1.15),
    goal("collatz, thread / cached", COLLATZ.thread(), Over(COLLATZ.cached()), 0.8),
    goal("collatz, memory / cached", COLLATZ, Over(COLLATZ.cached()), 1.5),
    goal("fib, thread / by hand", FIB.thread(), Over(FIB.by_hand()), 1.15),
    goal("fib, thread / cached", FIB.thread(), Over(FIB.cached()), 0.8),
    goal("fib, memory / cached", FIB, Over(FIB.cached()), 1.5),
    goal("edits, two threads, memory / cached", EDITS_TWO, Over(EDITS_TWO.cached()), 1.0),
    goal("collatz, two threads, memory / cached", COLLATZ_TWO, Over(COLLATZ_TWO.cached()), 1.0),
    goal("fill / quick_cache get_or_insert_with, sized for it", FILL, Over(FILL.quick_once()), 1.5),
    goal("fill, no flight / quick_cache, sized for it", FILL_WITHOUT, Over(FILL_WITHOUT.quick()), 1.5),
];

const DEPTH: At = At("stack", "memo");
const DEPTH_ASYNC: At = At("stack-async", "memo");

/// For the stack of a recursion, in bytes a level.
pub const STACK: [Goal; 4] = [
    goal("a level / cached", DEPTH, Over(DEPTH.cached()), 1.0),
    goal("a level, thread / cached", DEPTH.thread(), Over(DEPTH.cached()), 1.0),
    goal("an async level / cached", DEPTH_ASYNC, Over(DEPTH_ASYNC.cached()), 1.0),
    goal("an async level − the plain future's, bytes", DEPTH_ASYNC, Less(At("stack-async", "plain")), 1024.0),
];

const STORE_MISS: At = At("store-miss", "memory");
const STORE_MISS_TWO: At = At("store-miss-two-threads", "memory");

/// For the store in memory by itself.
pub const STORE: [Goal; 4] = [
    goal("get in vain, insert, evict / quick_cache", STORE_MISS, Over(STORE_MISS.quick()), 1.0),
    goal("the same, two threads / quick_cache", STORE_MISS_TWO, Over(STORE_MISS_TWO.quick()), 1.0),
    goal("bytes per entry over key and value, full", At("store-bytes", "memory full"), Cost, 64.0),
    goal("bytes per entry over key and value, unbounded", At("store-bytes", "memory unbounded"), Cost, 64.0),
];

/// For results on disk.
pub const DISK: [Goal; 12] = [
    goal("get 1 KiB / cached redb", GET_SMALL, Over(GET_SMALL.redb()), 1.0),
    goal("put 1 KiB / cached redb", PUT_SMALL, Over(PUT_SMALL.redb()), 1.0 / 1.5),
    goal("get 1 MiB of text / cached redb", GET_LARGE, Over(GET_LARGE.redb()), 1.0),
    goal("get 1 MiB of bytes / cached redb", GET_BYTES, Over(GET_BYTES.redb()), 1.0 / 8.0),
    goal("get 1 KiB / bare SQLite", GET_SMALL, Over(At("get-1k", "bare SQLite")), 1.5),
    goal("get 1 MiB of bytes / bare file", GET_BYTES, Over(At("get-bytes-1m", "bare file")), 1.15),
    goal("one of two processes / alone", TWO_PROCESSES, Over(At("two-processes", "one alone")), 1.0 / 0.9),
    goal("the other of them / alone", OTHER_OF_TWO, Over(At("two-processes", "the other alone")), 1.0 / 0.9),
    goal("get of a key after 100,000 writes / at first", REWRITTEN, Over(At("rewritten", "at first")), 1.2),
    goal("get among many / among 10,000", At("many", "in many"), Over(At("many", "in 10,000")), 2.0),
    goal("hit, circuit open − in memory, µs", FOUND, Less(At("circuit-found", "memory alone")), 1.0),
    goal("miss, circuit open − in memory, µs", MISSED, Less(At("circuit-missed", "memory alone")), 1.0),
];

/// A goal beside what was measured for it.
pub struct Verdict<'a> {
    goal: &'a Goal,
    median: Option<f64>,
    min: Option<f64>,
    samples: usize,
}

impl Goal {
    /// Judges it by the medians. What was not measured is neither met nor missed.
    pub fn judge(&self, tables: &[Table]) -> Verdict<'_> {
        let figure = |of: fn(&Row) -> f64| self.figure(tables, of).filter(|figure| figure.is_finite());
        let mine = tables.iter().find(|table| table.case == self.of.0).and_then(|table| table.row(self.of.1));
        Verdict {
            goal: self,
            median: figure(|row| row.median),
            min: figure(|row| row.min),
            samples: mine.map_or(0, |row| row.samples),
        }
    }

    fn figure(&self, tables: &[Table], of: impl Fn(&Row) -> f64 + Copy) -> Option<f64> {
        let table = |case| tables.iter().find(|table| table.case == case);
        let row = |At(case, name)| table(case)?.row(name);
        let mine = row(self.of)?;
        Some(match self.figure {
            Over(other) => of(mine) / of(row(other)?),
            OverFastest(prefix) => {
                let rows = table(self.of.0)?.rows.iter().filter(|row| row.name.starts_with(prefix));
                of(mine) / rows.map(of).min_by(f64::total_cmp)?
            }
            Less(other) => of(mine) - of(row(other)?),
            Cost => of(mine),
            Computed => mine.computed?,
        })
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Goal { what, at_most, .. } = self.goal;
        write!(f, "  {what:<52} goal ≤ {at_most:<6.3} ")?;
        match (self.median, self.min) {
            (Some(median), Some(min)) => {
                write!(f, "measured {median:<6.2} (minima {min:<6.2}, {} samples) ", self.samples)?;
                match median - at_most {
                    over if over <= 0.0 => write!(f, "met"),
                    over => write!(f, "MISSED by {over:.2}"),
                }
            }
            _ => write!(f, "not measured"),
        }
    }
}
