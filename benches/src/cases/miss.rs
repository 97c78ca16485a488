//! Misses: no key comes twice, so that each call looks up in vain, computes, inserts and evicts.

use super::hit::rows;
use crate::contender::Contender;
use crate::report::Row;
use crate::turns::{Span, in_turns, in_turns_by_two, together};
use crate::work::{CAPACITY, fresh, runs, step};

/// Calls that make up one sample of one thread.
const CALLS: usize = 6_000;
/// Calls before it, which bring the contender's memory near again.
const WARM_UP: usize = 3_000;

/// By one thread.
pub(super) fn alone(contenders: &[Contender<u64, u64>], rounds: usize) -> Vec<Row> {
    prepare(contenders);
    let samples = in_turns(contenders, rounds, |contender| {
        Some(misses(contender, || {}).took().as_secs_f64() * 1e9 / CALLS as f64)
    });
    rows(contenders, samples)
}

/// By two threads at once, each with keys of its own.
pub(super) fn by_two(contenders: &[Contender<u64, u64>], rounds: usize) -> Vec<Row> {
    prepare(contenders);
    let samples = in_turns_by_two(
        contenders,
        rounds,
        |contender, lane| misses(contender, || lane.start()),
        together(CALLS),
    );
    rows(contenders, samples)
}

/// Fills every contender beyond its bound, and checks what it returns.
fn prepare(contenders: &[Contender<u64, u64>]) {
    for contender in contenders {
        for key in fresh(3 * CAPACITY) {
            assert_eq!(contender.call(key), step(key), "{}: a wrong value", contender.name);
        }
    }
}

/// One timed sample.
fn misses(contender: &Contender<u64, u64>, start: impl FnOnce()) -> Span {
    contender.pass(&fresh(WARM_UP));
    let keys = fresh(CALLS);
    let before = runs();
    start();
    let span = Span::of(|| contender.pass(&keys));
    assert_eq!(runs() - before, CALLS as u64, "{}: not every call was a miss", contender.name);
    span
}
