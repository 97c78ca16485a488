//! `at_once`, `limit_wait`: no more computations at once than was said.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use memo::{Limited, memoize};
use memo_tests::{AsyncGate, Gate, Task, watched};

use crate::{MINUTE, advance, clock, until};

#[derive(Debug, Clone, PartialEq)]
struct Busy;

impl From<Limited> for Busy {
    fn from(_: Limited) -> Self {
        Busy
    }
}

#[test]
fn no_more_threads_compute_at_once_than_was_said() {
    static GATE: Gate = Gate::new();
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    #[memoize(at_once = 2)]
    fn load(id: u64) -> u64 {
        MOST.fetch_max(INSIDE.fetch_add(1, SeqCst) + 1, SeqCst);
        GATE.pass();
        INSIDE.fetch_sub(1, SeqCst);
        id
    }
    watched(|| {
        thread::scope(|scope| {
            let calls: Vec<_> = (0..6).map(|id| scope.spawn(move || load(id))).collect();
            until(|| load::stats().limited == 4);
            assert_eq!(INSIDE.load(SeqCst), 2);
            GATE.open();
            let sum: u64 = calls.into_iter().map(|call| call.join().expect("no panic")).sum();
            assert_eq!(sum, 15);
        });
    });
    let stats = load::stats();
    assert_eq!((MOST.load(SeqCst), stats.computes, stats.misses, stats.limited), (2, 6, 6, 4));
    assert_eq!((load(3), load::stats().hits), (3, 1));
}

#[test]
fn tasks_come_in_by_their_turn_and_one_that_is_dropped_leaves_it() {
    static GATES: [AsyncGate; 4] = [const { AsyncGate::new() }; 4];
    #[memoize(at_once = 1)]
    async fn load(id: usize) -> usize {
        GATES[id].pass().await;
        id
    }
    let (mut first, second, mut third, mut fourth) =
        (Task::started(load(0)), Task::started(load(1)), Task::started(load(2)), Task::started(load(3)));
    let mut joins = Task::started(load(2));
    GATES.iter().for_each(AsyncGate::open);
    fourth.pending();
    assert_eq!(first.ready(), 0);
    drop(second);
    fourth.pending();
    assert!(third.is_woken());
    assert_eq!((third.ready(), joins.ready(), fourth.ready()), (2, 2, 3));
    let stats = load::stats();
    assert_eq!((stats.computes, stats.limited), (3, 3));
}

#[test]
fn a_computation_within_another_has_its_place() {
    #[memoize(at_once = 1)]
    fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }
    watched(|| assert_eq!(fib(50), 12_586_269_025));
    #[memoize(at_once = 1)]
    async fn sum(n: u64) -> u64 {
        if n == 0 { 0 } else { n + Box::pin(sum(n - 1)).await }
    }
    assert_eq!(Task::new(sum(20)).ready(), 210);
    assert_eq!((fib::stats().limited, sum::stats().limited), (0, 0));
}

#[test]
fn who_waits_for_a_computation_that_waits_for_its_place_lends_it_that() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    #[memoize(at_once = 1)]
    fn load(id: u64) -> u64 {
        if id == 1 {
            BEGUN.store(1, SeqCst);
            // until the other thread leads the flight that this waits for
            until(|| load::stats().limited == 1);
            return load(2) + 1;
        }
        id
    }
    watched(|| {
        thread::scope(|scope| {
            let outer = scope.spawn(|| load(1));
            until(|| BEGUN.load(SeqCst) == 1);
            let inner = scope.spawn(|| load(2));
            assert_eq!((outer.join().expect("no panic"), inner.join().expect("no panic")), (3, 2));
        });
    });
    assert_eq!(load::stats().computes, 2);
}

#[test]
fn who_has_a_stale_result_does_not_wait() {
    static GATE: AsyncGate = AsyncGate::new();
    static NOW: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale_if_error = "1h", at_once = 1)]
    async fn load(id: u64) -> Result<u64, String> {
        if id == 0 {
            GATE.pass().await;
        }
        Ok(id + 100 * NOW.load(SeqCst))
    }
    let _clock = clock();
    assert_eq!(Task::new(load(1)).ready(), Ok(101));
    advance(6 * MINUTE);
    NOW.store(2, SeqCst);
    let mut holds = Task::started(load(0));
    assert_eq!(Task::new(load(1)).ready(), Ok(101));
    let stats = load::stats();
    assert_eq!((stats.limited, stats.stale, stats.renewal_failed), (1, 1, 0));
    GATE.open();
    assert_eq!(holds.ready(), Ok(200));
    assert_eq!(Task::new(load(1)).ready(), Ok(201), "the next one tries again");
}

#[test]
fn a_renewal_behind_the_call_that_finds_no_place_is_tried_again() {
    static GATE: Gate = Gate::new();
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    static NOW: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale = "1h", at_once = 1)]
    fn load(id: u64) -> u64 {
        if id == 0 {
            BEGUN.store(1, SeqCst);
            GATE.pass();
        }
        id + 100 * NOW.load(SeqCst)
    }
    let _clock = clock();
    assert_eq!(load(1), 101);
    advance(6 * MINUTE);
    NOW.store(2, SeqCst);
    watched(|| {
        thread::scope(|scope| {
            let holds = scope.spawn(|| load(0));
            until(|| BEGUN.load(SeqCst) == 1);
            until(|| load(1) == 101 && load::stats().limited >= 1);
            GATE.open();
            assert_eq!(holds.join().expect("no panic"), 200);
        });
        until(|| load(1) == 201);
    });
    assert_eq!(load::stats().renewal_failed, 0);
}

#[test]
fn who_is_not_to_wait_is_turned_away() {
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize(at_once = 1, limit_wait = "none")]
    async fn load(id: u64) -> Result<u64, Busy> {
        GATE.pass().await;
        Ok(id)
    }
    let mut holds = Task::started(load(1));
    let mut joins = Task::started(load(1));
    assert_eq!(Task::new(load(2)).ready(), Err(Busy));
    GATE.open();
    assert_eq!((holds.ready(), joins.ready()), (Ok(1), Ok(1)));
    assert_eq!(Task::new(load(2)).ready(), Ok(2));
    let stats = load::stats();
    assert_eq!((stats.limited, stats.computes, stats.entries), (1, 2, 2));
}

#[test]
fn threads_are_turned_away_as_well() {
    static GATE: Gate = Gate::new();
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    #[memoize(at_once = 1, limit_wait = "turn")]
    fn waits(id: u64) -> u64 {
        id
    }
    #[memoize(at_once = 1, limit_wait = "none")]
    fn load(id: u64) -> Result<u64, Busy> {
        BEGUN.store(1, SeqCst);
        GATE.pass();
        Ok(id)
    }
    watched(|| {
        thread::scope(|scope| {
            let holds = scope.spawn(|| load(1));
            until(|| BEGUN.load(SeqCst) == 1);
            assert_eq!(load(2), Err(Busy));
            GATE.open();
            assert_eq!(holds.join().expect("no panic"), Ok(1));
        });
    });
    assert_eq!((load(2), waits(2)), (Ok(2), 2));
}
