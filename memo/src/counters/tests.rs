//! Tables of threads: nobody else's while they are used, used again later, and never forgotten.

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
        while Mine::new().has(counters.index()) {
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
            assert!(!mine.has(counters.index()));
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
