//! A function that calls itself through its cache, from empty.

use std::hint::black_box;

use crate::contender::Recursive;
use crate::report::Row;
use crate::turns::{Span, in_turns};
use crate::work::fibonacci;

const N: u64 = 90;
/// Runs that make up one sample; emptying the cache in between is not timed.
const RUNS: u32 = 20;

pub(super) fn run(contenders: &[Recursive], rounds: usize) -> Vec<Row> {
    for it in contenders {
        (it.clear)();
        assert_eq!((it.fib)(N), fibonacci(N), "{}: a wrong value", it.name);
    }
    let samples = in_turns(contenders, rounds, |it| {
        let run = || {
            (it.clear)();
            Span::of(|| {
                black_box((it.fib)(black_box(N)));
            })
            .took()
        };
        let took: std::time::Duration = (0..RUNS).map(|_| run()).sum();
        Some(took.as_secs_f64() * 1e9 / f64::from(RUNS) / (N + 1) as f64)
    });
    contenders.iter().zip(samples).map(|(it, samples)| Row::new(it.name, None, samples)).collect()
}
