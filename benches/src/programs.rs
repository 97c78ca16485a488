//! Whole programs, memoized by everybody in the way that its documentation tells.
//!
//! Each is run in a process of its own, since what a program pays is a cache that begins empty in a heap that does too.

mod collatz;
#[cfg(feature = "disk")]
pub mod command_line;
mod edits;
mod everybody;
mod fib;
mod fill;

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// One program.
pub struct Program {
    /// Its name: what the command line filters by and the goals refer to.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What its figure counts.
    pub unit: &'static str,
    /// Who runs it.
    pub contenders: Vec<Contender>,
}

/// Somebody who runs a program.
#[derive(Clone, Copy)]
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    /// Runs the program once, checks what comes out, and gives the figure.
    pub run: fn() -> f64,
}

/// All of them.
pub fn all() -> Vec<Program> {
    vec![
        Program {
            name: "edits",
            about: "the edit distance of two texts of 400, 160,000 states",
            unit: "ms",
            contenders: edits::contenders(),
        },
        Program {
            name: "collatz",
            about: "the lengths of Collatz's sequences to 100,000, 217,211 states",
            unit: "ms",
            contenders: collatz::contenders(),
        },
        Program {
            name: "fib",
            about: "fib(90) on an empty cache",
            unit: "ns per number: 91 computed, 88 found again",
            contenders: fib::contenders(),
        },
        Program {
            name: "edits-two-threads",
            about: "the same edit distance asked for by two threads at once: until both have it",
            unit: "ms",
            contenders: edits::by_two(),
        },
        Program {
            name: "collatz-two-threads",
            about: "the same lengths, two threads at once, each every other number: until both have ended",
            unit: "ms",
            contenders: collatz::by_two(),
        },
        Program {
            name: "fill",
            about: "100,000 numbers asked for once each, growth included",
            unit: "ns per call",
            contenders: fill::contenders(),
        },
    ]
}

/// The stack of the threads that programs run on: all of them recur deeper than a usual one would bear.
const STACK: usize = 256 << 20;

/// How long `work` takes, in ms, on a thread with stack enough. Its result is checked.
fn timed(work: fn() -> u64, expected: u64) -> f64 {
    let timed = move || {
        let start = Instant::now();
        let result = work();
        let took = start.elapsed();
        assert_eq!(result, expected, "a wrong result");
        took.as_secs_f64() * 1e3
    };
    on_a_deep_stack(timed)
}

/// The same for two threads that begin at once: until both have ended. They are told which of the two they are.
fn timed_by_two(work: fn(u64) -> u64, expected: [u64; 2]) -> f64 {
    let start = &Barrier::new(2);
    let run = &move |which: u64| {
        start.wait();
        let began = Instant::now();
        let result = work(which);
        let ended = Instant::now();
        assert_eq!(result, expected[which as usize], "a wrong result");
        (began, ended)
    };
    let [(first, one), (second, other)] = thread::scope(|scope| {
        let spawn = |which| {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, move || run(which)).expect("a thread")
        };
        [spawn(0), spawn(1)].map(|thread| thread.join().expect("no panic"))
    });
    (one.max(other) - first.min(second)).as_secs_f64() * 1e3
}

fn on_a_deep_stack<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread");
    thread.join().expect("no panic")
}
