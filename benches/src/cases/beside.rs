//! One thread hits while another one misses, inserts and evicts, through one cache.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::contender::Contender;
use crate::report::Row;
use crate::turns::{Span, in_turns_by_two};
use crate::work::{CAPACITY, RESIDENT, fresh, runs};

/// Misses that make up one sample. Hits are made until these have ended.
const MISSES: usize = 6_000;

/// What each of the two threads did.
#[derive(Clone, Copy)]
struct Part {
    span: Span,
    calls: usize,
    /// How often the body ran.
    computed: u64,
}

/// What a call of the thread that misses takes.
pub(super) fn misses(contenders: &[Contender<u64, u64>], calls: &[u64], rounds: usize) -> Vec<Row> {
    let rows = measured(contenders, calls, rounds).into_iter().zip(contenders);
    rows.map(|(parts, it)| Row::new(it.name, it.against, parts.iter().map(|[miss, _]| miss.cost()).collect()))
        .collect()
}

/// What a call of the thread that hits takes, and how often that was no hit, since the key had left for others.
pub(super) fn hits(contenders: &[Contender<u64, u64>], calls: &[u64], rounds: usize) -> Vec<Row> {
    let rows = measured(contenders, calls, rounds).into_iter().zip(contenders);
    rows.map(|(parts, it)| {
        let computed: u64 = parts.iter().map(|[_, hit]| hit.computed).sum();
        let calls: usize = parts.iter().map(|[_, hit]| hit.calls).sum();
        let row = Row::new(it.name, it.against, parts.iter().map(|[_, hit]| hit.cost()).collect());
        row.computing(computed as f64 / calls as f64)
    })
    .collect()
}

/// For each contender the parts of its samples: of the thread that misses, and of the one that hits.
fn measured(contenders: &[Contender<u64, u64>], calls: &[u64], rounds: usize) -> Vec<Vec<[Part; 2]>> {
    for contender in contenders {
        contender.pass(&fresh(3 * CAPACITY));
    }
    let missed = AtomicBool::new(false);
    in_turns_by_two(
        contenders,
        rounds,
        |contender, lane| {
            // both caches of a contender that has one for each thread are full, and the resident keys have been asked for
            contender.pass(calls);
            let keys = fresh(MISSES);
            missed.store(false, Ordering::Relaxed);
            let before = runs();
            lane.start();
            let mut made = 0;
            let span = if lane.second {
                Span::of(|| {
                    while !missed.load(Ordering::Relaxed) {
                        contender.pass(&calls[..RESIDENT as usize]);
                        made += RESIDENT as usize;
                    }
                })
            } else {
                let span = Span::of(|| contender.pass(&keys));
                made = MISSES;
                missed.store(true, Ordering::Relaxed);
                span
            };
            Part { span, calls: made, computed: runs() - before }
        },
        |[miss, hit]| {
            let shared = miss
                .span
                .end
                .min(hit.span.end)
                .saturating_duration_since(miss.span.start.max(hit.span.start));
            (shared.as_secs_f64() >= 0.8 * hit.span.took().as_secs_f64()).then_some([miss, hit])
        },
    )
}

impl Part {
    /// Nanoseconds per call.
    fn cost(&self) -> f64 {
        self.span.took().as_secs_f64() * 1e9 / self.calls as f64
    }
}
