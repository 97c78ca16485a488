//! Hits: every key is resident, no body runs.

use std::fmt::Debug;

use crate::contender::Contender;
use crate::report::Row;
use crate::turns::{Span, in_turns, in_turns_by_two, together};
use crate::work::{RESIDENT, runs};

/// Walks over the calls that make up one sample.
const PASSES: usize = 3;

/// By one thread.
pub(super) fn alone<K: Copy, V: PartialEq + Debug>(
    contenders: &[Contender<K, V>],
    calls: &[K],
    rounds: usize,
) -> Vec<Row> {
    prepare(contenders, calls);
    let samples = in_turns(contenders, rounds, |contender| {
        let span = hits(contender, calls, || {});
        Some(span.took().as_secs_f64() * 1e9 / (PASSES * calls.len()) as f64)
    });
    rows(contenders, samples)
}

/// By two threads at once, on the same keys; one walks them the other way round.
pub(super) fn by_two<K: Copy + Sync, V: PartialEq + Debug>(
    contenders: &[Contender<K, V>],
    calls: &[K],
    rounds: usize,
) -> Vec<Row> {
    prepare(contenders, calls);
    let backwards: Vec<K> = calls.iter().rev().copied().collect();
    let samples = in_turns_by_two(
        contenders,
        rounds,
        |contender, lane| hits(contender, if lane.second { &backwards } else { calls }, || lane.start()),
        together(PASSES * calls.len()),
    );
    rows(contenders, samples)
}

/// Makes every key resident, and checks that it is found with the value that the body gives.
fn prepare<K: Copy, V: PartialEq + Debug>(contenders: &[Contender<K, V>], calls: &[K]) {
    for contender in contenders {
        let computed: Vec<V> = calls.iter().map(|&key| contender.call(key)).collect();
        let before = runs();
        for (&key, value) in calls.iter().zip(&computed) {
            assert_eq!(&contender.call(key), value, "{}: another value on a hit", contender.name);
        }
        assert_eq!(runs(), before, "{}: not every key stays resident", contender.name);
    }
    for pair in contenders.windows(2) {
        for &key in calls {
            assert_eq!(pair[0].call(key), pair[1].call(key), "{} and {}", pair[0].name, pair[1].name);
        }
    }
}

/// One timed sample, after one walk over the keys to warm up.
fn hits<K: Copy, V>(contender: &Contender<K, V>, calls: &[K], start: impl FnOnce()) -> Span {
    contender.pass(&calls[..calls.len().min(RESIDENT as usize)]);
    let before = runs();
    start();
    let span = Span::of(|| (0..PASSES).for_each(|_| contender.pass(calls)));
    assert_eq!(runs(), before, "{}: a hit ran the body", contender.name);
    span
}

/// The rows of a case.
pub(super) fn rows<K: Copy, V>(contenders: &[Contender<K, V>], samples: Vec<Vec<f64>>) -> Vec<Row> {
    let row = |(it, samples): (&Contender<K, V>, _)| Row::new(it.name, it.against, samples);
    contenders.iter().zip(samples).map(row).collect()
}
