//! A future that computes and is not polled any more keeps nobody for good. Promise 2.
//!
//! The clock is the process's, so these run one at a time, and apart from others that wait.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use memo::__private::testing::advance;
use memo::memoize;
use memo_tests::{AsyncGate, Followed, Gate, Task, watched};

/// For one test at a time.
fn clock() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds));
}

/// Waits until somebody wakes it.
fn woken<F: Future>(task: &Task<F>) {
    watched(|| {
        while !task.is_woken() {
            thread::yield_now();
        }
    });
}

#[test]
fn promise_2_a_leaked_future_is_waited_for_no_longer_than_the_bound() {
    static GATE: AsyncGate = AsyncGate::new();
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    #[memoize]
    async fn slow(n: u32) -> u32 {
        RUNS.fetch_add(1, Ordering::Relaxed);
        GATE.pass().await;
        n
    }
    let _clock = clock();
    std::mem::forget(Task::started(slow(1)));
    let mut waiting: Vec<_> = (0..10).map(|_| Task::started(slow(1))).collect();
    seconds(9);
    waiting.iter_mut().for_each(Task::pending);
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    seconds(2);
    for task in &mut waiting {
        woken(task);
        task.pending();
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), 2, "one computes, and the others wait for that one");
    GATE.open();
    assert!(waiting.iter_mut().all(|task| task.ready() == 1));
    let stats = slow::stats();
    assert_eq!((stats.impatient, stats.computes, stats.stored), (1, 1, 1));
}

#[test]
fn promise_2_each_that_is_left_alone_is_left_by_one_at_a_time() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    #[memoize]
    async fn stuck(n: u32) -> u32 {
        RUNS.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
        n
    }
    let _clock = clock();
    let mut kept = vec![Task::started(stuck(1))];
    let mut waiting: Vec<_> = (0..5).map(|_| Task::started(stuck(1))).collect();
    while !waiting.is_empty() {
        seconds(11);
        waiting.iter_mut().for_each(Task::pending);
        // the first that was polled leads now
        kept.push(waiting.remove(0));
        assert_eq!(RUNS.load(Ordering::Relaxed), kept.len());
        assert_eq!(stuck::stats().impatient as usize, kept.len() - 1);
    }
}

#[test]
fn promise_2_the_loser_of_a_select_that_is_kept() {
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize]
    async fn slow(key: Followed) -> usize {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        if run == 0 {
            GATE.pass().await;
        }
        run
    }
    let _clock = clock();
    watched(|| {
        let key = Followed::new(1);
        let time = {
            let key = key.clone();
            thread::spawn(move || {
                key.wait_for(1);
                // whether the wait has begun yet or not: what passes after it counts
                while slow::stats().computes == 0 {
                    seconds(1);
                    thread::yield_now();
                }
            })
        };
        smol::block_on(async {
            let mut loser = pin!(slow(key.clone()));
            poll_fn(|context| {
                assert!(loser.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            assert_eq!(slow(key.clone()).await, 1, "the same task waits for what it does not poll");
            GATE.open();
            // it still gets its own, and what is newer stays
            assert_eq!(loser.await, 0);
            assert_eq!(slow(key.clone()).await, 1);
        });
        time.join().unwrap();
    });
    let stats = slow::stats();
    assert_eq!((stats.impatient, stats.computes, stats.stored), (1, 2, 1));
}

#[test]
fn a_leader_that_is_polled_now_and_then_is_waited_for() {
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize]
    async fn slow(n: u32) -> u32 {
        GATE.pass().await;
        n
    }
    let _clock = clock();
    let mut leader = Task::started(slow(1));
    let mut waiting = Task::started(slow(1));
    for _ in 0..10 {
        seconds(8);
        leader.pending();
        waiting.pending();
    }
    GATE.open();
    assert_eq!((leader.ready(), waiting.ready()), (1, 1));
    let stats = slow::stats();
    assert_eq!((stats.impatient, stats.computes, stats.waits), (0, 1, 1));
}

#[test]
fn how_long_is_said_by_the_attribute() {
    const SHORT: Duration = Duration::from_secs(1);
    #[memoize(patience = "1m")]
    async fn patient(n: u32) -> u32 {
        std::future::pending::<()>().await;
        n
    }
    #[memoize(patience = SHORT)]
    async fn hasty(n: u32) -> u32 {
        std::future::pending::<()>().await;
        n
    }
    #[memoize(patience = "never")]
    async fn endless(n: u32) -> u32 {
        std::future::pending::<()>().await;
        n
    }
    let _clock = clock();
    let _leaders = (Task::started(patient(1)), Task::started(hasty(1)), Task::started(endless(1)));
    let mut waiting = (Task::started(patient(1)), Task::started(hasty(1)), Task::started(endless(1)));
    let mut after = |time| {
        seconds(time);
        waiting.0.pending();
        waiting.1.pending();
        waiting.2.pending();
        [patient::stats(), hasty::stats(), endless::stats()].map(|stats| stats.impatient)
    };
    assert_eq!(after(2), [0, 1, 0]);
    assert_eq!(after(50), [0, 1, 0]);
    assert_eq!(after(10), [1, 1, 0]);
    assert_eq!(after(1_000_000), [1, 1, 0]);
}

#[test]
fn a_leader_on_a_thread_is_waited_for_as_long_as_it_takes() {
    static GATE: Gate = Gate::new();
    #[memoize]
    fn slow(key: &Followed) -> u64 {
        GATE.pass();
        key.id()
    }
    let _clock = clock();
    watched(|| {
        let key = Followed::new(1);
        thread::scope(|scope| {
            (0..2).for_each(|_| drop(scope.spawn(|| assert_eq!(slow(&key), 1))));
            key.wait_for(1);
            seconds(100_000);
            GATE.open();
        });
    });
    let stats = slow::stats();
    assert_eq!((stats.impatient, stats.computes), (0, 1));
}

#[test]
fn what_was_left_alone_is_not_stored_and_an_heir_that_is_not_polled_keeps_nobody() {
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize]
    async fn slow(n: u32) -> u32 {
        GATE.pass().await;
        n
    }
    let _clock = clock();
    let mut left = Task::started(slow(1));
    let leader = {
        let mut next = Task::started(slow(1));
        seconds(11);
        woken(&next);
        next.pending();
        next
    };
    // two wait for the second one, and the first of them is not polled when it should take over
    let heir = Task::started(slow(1));
    let mut last = Task::started(slow(1));
    drop(leader);
    assert!(heir.is_woken() && !last.is_woken());
    seconds(11);
    woken(&last);
    last.pending();
    GATE.open();
    assert_eq!(left.ready(), 1);
    assert_eq!(slow::stats().stored, 0, "an older one does not come before the newer");
    assert_eq!(last.ready(), 1);
    let stats = slow::stats();
    assert_eq!((stats.stored, stats.computes, stats.impatient), (1, 2, 1));
    drop(heir);
}
