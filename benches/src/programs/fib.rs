//! The Fibonacci numbers on a cache that is empty each time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::everybody::{contenders, everybody};
use super::{Contender, on_a_deep_stack};
use crate::work::fibonacci;

const N: u64 = 90;
/// Runs of one process; emptying the cache in between is not timed.
const RUNS: u32 = 2_000;

everybody! {
    (n: u64) -> u64 {
        if n < 2 { n } else { state(n - 1) + state(n - 2) }
    }
}

fn per_number(fib: fn(u64) -> u64, clear: fn()) -> f64 {
    on_a_deep_stack(move || {
        let run = || {
            clear();
            let start = Instant::now();
            let result = fib(black_box(N));
            let took = start.elapsed();
            assert_eq!(result, fibonacci(N), "a wrong value");
            took
        };
        let took: Duration = (0..RUNS).map(|_| run()).sum();
        took.as_secs_f64() * 1e9 / f64::from(RUNS) / (N + 1) as f64
    })
}

pub(super) fn contenders() -> Vec<Contender> {
    macro_rules! run {
        ($by:ident) => {
            || per_number($by::state, $by::clear)
        };
    }
    contenders!(run)
}
