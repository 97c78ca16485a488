//! Two threads miss one key at the same moment: how long until both have the value, and how often
//! the body ran for it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::contender::Contender;
use crate::report::Row;
use crate::turns::{Span, in_turns_by_two};
use crate::work::{FLIGHT, flights, fresh};

/// Samples for each that other cases take: one flight is soon over.
const FLIGHTS: usize = 4;

pub(super) fn run(contenders: &[Contender<u64, u64>], rounds: usize) -> Vec<Row> {
    let key = AtomicU64::new(0);
    let samples = in_turns_by_two(
        contenders,
        FLIGHTS * rounds,
        |contender, lane| {
            if !lane.second {
                key.store(fresh(1)[0], Ordering::Relaxed);
            }
            lane.start();
            let key = key.load(Ordering::Relaxed);
            let before = flights();
            lane.start();
            let mut value = 0;
            let span = Span::of(|| value = contender.call(key));
            lane.start();
            assert_eq!(value, key ^ 1, "{}: a wrong value", contender.name);
            (span, flights() - before)
        },
        |[(a, bodies), (b, _)]| {
            let apart = a.start.max(b.start) - a.start.min(b.start);
            let both = a.end.max(b.end) - a.start.min(b.start);
            let took = both.as_secs_f64() / FLIGHT.as_secs_f64();
            (apart < FLIGHT / 20).then_some((took, bodies as f64))
        },
    );
    let row = |(it, samples): (&Contender<u64, u64>, Vec<(f64, f64)>)| {
        let (took, bodies): (Vec<_>, Vec<_>) = samples.into_iter().unzip();
        let each = bodies.iter().sum::<f64>() / bodies.len() as f64;
        Row::new(it.name, it.against, took).computing(each)
    };
    contenders.iter().zip(samples).map(row).collect()
}
