//! What is asked of the contenders.

mod beside;
mod flight;
mod hit;
mod miss;
mod recursion;

use crate::entrants::Entrants;
use crate::report::{Row, Table};
use crate::work::Calls;

/// One case.
pub struct Case {
    /// Its name: what the command line filters by and the goals refer to.
    pub name: &'static str,
    about: &'static str,
    unit: &'static str,
    run: fn(&Entrants, &Calls, usize) -> Vec<Row>,
}

impl Case {
    /// Measures it. Panics where a contender returns a wrong value, or runs its body on what must
    /// be a hit.
    pub fn run(&self, entrants: &Entrants, calls: &Calls, rounds: usize) -> Table {
        let rows = (self.run)(entrants, calls, rounds);
        Table { case: self.name, about: self.about, unit: self.unit, rows }
    }
}

const CALL: &str = "ns per call";

/// All of them.
pub const ALL: [Case; 17] = [
    Case {
        name: "hit-u64",
        about: "u64 → u64 hit, one thread",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.numbers, &calls.numbers, rounds),
    },
    Case {
        name: "hit-u64-two-threads",
        about: "u64 → u64 hit, two threads on the same keys",
        unit: "ns per call of each thread",
        run: |all, calls, rounds| hit::by_two(&all.numbers, &calls.numbers, rounds),
    },
    Case {
        name: "hit-pair",
        about: "(&str, u32) → u64 hit",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.pairs, &calls.pairs, rounds),
    },
    Case {
        name: "hit-text",
        about: "&str → String of 200 bytes, hit",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.texts, &calls.texts, rounds),
    },
    Case {
        name: "hit-ttl",
        about: "u64 → u64 hit with a lifetime and without",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.ttl, &calls.numbers, rounds),
    },
    Case {
        name: "hit-async",
        about: "u64 → u64 hit awaited on tokio, and called",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.awaited, &calls.numbers, rounds),
    },
    Case {
        name: "hit-dependent",
        about: "u64 → u64 hit, each result the next key",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.dependent, &calls.numbers, rounds),
    },
    Case {
        name: "hit-generic",
        about: "u64 → u64 hit of generic functions and methods",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.generic, &calls.numbers, rounds),
    },
    Case {
        name: "hit-scoped",
        about: "u64 → u64 hit with scopes alive, elsewhere and here",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.scoped, &calls.numbers, rounds),
    },
    Case {
        name: "hit-thread",
        about: "u64 → u64 hit in a cache of the thread's own",
        unit: CALL,
        run: |all, calls, rounds| hit::alone(&all.by_thread, &calls.numbers, rounds),
    },
    Case {
        name: "miss",
        about: "miss, insert and evict, keys that never repeat over 10,000 entries",
        unit: CALL,
        run: |all, _, rounds| miss::alone(&all.misses, rounds),
    },
    Case {
        name: "miss-two-threads",
        about: "the same by two threads",
        unit: "ns per call of each thread",
        run: |all, _, rounds| miss::by_two(&all.misses, rounds),
    },
    Case {
        name: "miss-async",
        about: "the same awaited on tokio, the body ready at once",
        unit: CALL,
        run: |all, _, rounds| miss::alone(&all.awaited_misses, rounds),
    },
    Case {
        name: "miss-beside-hits",
        about: "the same by one thread while another one hits",
        unit: "ns per call of the thread that misses",
        run: |all, calls, rounds| beside::misses(&all.misses, &calls.numbers, rounds),
    },
    Case {
        name: "hit-beside-misses",
        about: "u64 → u64 hit by one thread while another one misses, inserts and evicts",
        unit: "ns per call of the thread that hits",
        run: |all, calls, rounds| beside::hits(&all.misses, &calls.numbers, rounds),
    },
    Case {
        name: "flight",
        about: "two threads miss one key at once, body of 20 µs: until both have the value",
        unit: "bodies",
        run: |all, _, rounds| flight::run(&all.flights, rounds),
    },
    Case {
        name: "recursion",
        about: "fib(90) through an empty cache",
        unit: "ns per number: 91 computed, 88 found again",
        run: |all, _, rounds| recursion::run(&all.recursive, rounds),
    },
];
