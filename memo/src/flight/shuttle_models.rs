//! Models of whole calls under the shuttle model checker: run with `RUSTFLAGS="--cfg memo_shuttle"`.
//!
//! A model that hangs is a deadlock to shuttle, which then prints the schedule that leads to it. Each runs in many
//! random schedules, and in as many of the kind that finds bugs of few preemptions (PCT).

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::sync::atomic::{AtomicU64, Ordering::SeqCst};
use shuttle::{future, thread};

use super::graph::Graph;
use crate::call::Missed;
use crate::memo::Memo;
use crate::near::Lookup;
use crate::outcome::{OkAndSharedErr, OnlyOk, Outcome, Value, Whole};
use crate::settings::Settings;

type Model<V = u64, F = Infallible> = Memo<u8, V, F>;

struct Key(u8);

impl Lookup<u8> for Key {
    fn matches(&self, key: &u8) -> bool {
        self.0 == *key
    }
}

/// All keys have one hash, so that every comparison is made.
const HASH: u64 = 7;

fn call<R, V: Value, F: Value, O: Outcome<R, Stored = V, Failure = F>>(
    memo: &'static Model<V, F>,
    outcome: O,
    key: u8,
    body: impl FnOnce() -> R,
) -> R {
    match Missed::model(memo, HASH, key) {
        Ok(stored) => outcome.hit(stored),
        Err(missed) => match missed.begin(outcome) {
            Ok(result) => result,
            Err(running) => {
                let mut result = body();
                running.finish(outcome, &mut result);
                result
            }
        },
    }
}

async fn call_async(memo: &'static Model, key: u8, body: impl Future<Output = u64>) -> u64 {
    let missed = match Missed::model(memo, HASH, key) {
        Ok(stored) => return stored,
        Err(missed) => missed,
    };
    let computation = match missed.acquire(Whole).await {
        Ok(result) => return result,
        Err(computation) => computation,
    };
    let mut result = computation.compute(body).await;
    computation.finish(Whole, &mut result);
    result
}

fn invalidate(memo: &'static Model, key: u8) {
    memo.flights.supersede(HASH, &Key(key));
    memo.near.remove(HASH, &Key(key));
}

fn peek(memo: &'static Model, key: u8) -> Option<u64> {
    memo.near.peek(HASH, &Key(key))
}

fn graph() -> &'static Graph {
    Box::leak(Box::default())
}

/// Suspends a future once, after asking to be polled again.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn check(model: fn()) {
    let schedules = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 100_000 } else { 3_000 };
    // deep enough for what `shuttle` runs on, its own stacks
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 18;
    shuttle::Runner::new(shuttle::scheduler::RandomScheduler::new(schedules), config.clone()).run(model);
    shuttle::Runner::new(shuttle::scheduler::PctScheduler::new(3, schedules), config).run(model);
}

fn join_all<T>(threads: Vec<thread::JoinHandle<T>>) -> Vec<T> {
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn threads_that_miss_one_key_compute_once() {
    check(|| {
        let memo = Model::model(graph());
        let computes = Arc::new(AtomicU64::new(0));
        let threads = (0..3).map(|_| {
            let computes = computes.clone();
            thread::spawn(move || {
                call(memo, Whole, 1, || {
                    thread::yield_now();
                    computes.fetch_add(1, SeqCst) + 40
                })
            })
        });
        assert_eq!(join_all(threads.collect()), [40; 3]);
        assert_eq!(computes.load(SeqCst), 1);
    });
}

#[test]
fn keys_with_one_hash_are_two_computations() {
    check(|| {
        let memo = Model::model(graph());
        let threads = (0..4).map(|n| thread::spawn(move || call(memo, Whole, n % 2, || u64::from(n % 2))));
        assert_eq!(join_all(threads.collect()), [0, 1, 0, 1]);
    });
}

#[test]
fn promise_1_a_waiter_takes_over_from_each_leader_that_panics() {
    check(|| {
        let memo = Model::model(graph());
        let computes = Arc::new(AtomicU64::new(0));
        let threads = (0..4).map(|_| {
            let computes = computes.clone();
            thread::spawn(move || {
                catch_unwind(AssertUnwindSafe(|| {
                    call(memo, Whole, 1, || {
                        thread::yield_now();
                        if computes.fetch_add(1, SeqCst) < 2 {
                            // without the hook, which would print each
                            std::panic::resume_unwind(Box::new("the leader's own"));
                        }
                        5
                    })
                }))
            })
        });
        let results = join_all(threads.collect());
        assert_eq!(results.iter().filter(|result| result.is_err()).count(), 2);
        assert!(results.into_iter().flatten().all(|value| value == 5));
        assert_eq!(computes.load(SeqCst), 3);
        assert_eq!(peek(memo, 1), Some(5));
    });
}

#[test]
fn promise_2_a_waiter_takes_over_from_each_future_that_is_dropped() {
    check(|| {
        let memo = Model::model(graph());
        let computes = Arc::new(AtomicU64::new(0));
        let body = move |computes: Arc<AtomicU64>| async move {
            yield_now().await;
            computes.fetch_add(1, SeqCst);
            9
        };
        // these two are polled and dropped, as leaders or as waiters, perhaps just after they were woken
        let dropped = (1..3).map(|polls| {
            let computes = computes.clone();
            thread::spawn(move || {
                let mut call = pin!(call_async(memo, 1, body(computes)));
                for _ in 0..polls {
                    if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                        break;
                    }
                    thread::yield_now();
                }
            })
        });
        let dropped: Vec<_> = dropped.collect();
        let tasks: Vec<_> =
            (0..2).map(|_| future::spawn(call_async(memo, 1, body(computes.clone())))).collect();
        for task in tasks {
            assert_eq!(future::block_on(task).unwrap(), 9);
        }
        join_all(dropped);
        // a dropped one may have computed as well, if it was polled to its end
        assert!((1..=3).contains(&computes.load(SeqCst)));
    });
}

/// Calls wait for no leader that is suspended.
fn impatient() -> &'static Model {
    Model::model_by(Settings::new().patience(Duration::ZERO), graph())
}

#[test]
fn promise_2_a_future_that_is_kept_and_not_polled_keeps_nobody() {
    check(|| {
        let (memo, done) = (impatient(), Arc::new(AtomicU64::new(0)));
        // one is polled once, as a leader or as a waiter, and kept; then its thread plays the sweeper
        let finished = done.clone();
        let keeping = thread::spawn(move || {
            let mut kept = pin!(call_async(memo, 1, std::future::pending()));
            let _ = kept.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            while finished.load(SeqCst) < 2 {
                crate::alarm::wake_due();
                thread::yield_now();
            }
        });
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let done = done.clone();
                future::spawn(async move {
                    let value = call_async(memo, 1, async {
                        yield_now().await;
                        8
                    })
                    .await;
                    done.fetch_add(1, SeqCst);
                    value
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(future::block_on(task).unwrap(), 8);
        }
        keeping.join().unwrap();
    });
}

#[test]
fn promise_2_what_was_left_alone_does_not_replace_what_is_newer() {
    check(|| {
        let memo = impatient();
        let left = future::spawn(call_async(memo, 1, async {
            yield_now().await;
            1
        }));
        let newer = future::spawn(call_async(memo, 1, async { 2 }));
        let (left, newer) = (future::block_on(left).unwrap(), future::block_on(newer).unwrap());
        assert!(matches!((left, newer), (1, 1) | (1, 2) | (2, 2)), "{left} {newer}");
        assert_eq!(peek(memo, 1), Some(newer));
    });
}

#[test]
fn threads_and_tasks_wait_for_one_computation() {
    check(|| {
        let memo = Model::model(graph());
        let computes = Arc::new(AtomicU64::new(0));
        let (a, b) = (computes.clone(), computes.clone());
        let task = future::spawn(call_async(memo, 1, async move {
            yield_now().await;
            a.fetch_add(1, SeqCst)
        }));
        let thread = thread::spawn(move || call(memo, Whole, 1, || b.fetch_add(1, SeqCst)));
        assert_eq!(future::block_on(task).unwrap(), 0);
        assert_eq!(thread.join().unwrap(), 0);
        assert_eq!(computes.load(SeqCst), 1);
    });
}

#[test]
fn waiters_share_a_failure_that_can_be_cloned() {
    check(|| {
        let memo = Model::<u64, u8>::model(graph());
        let computes = Arc::new(AtomicU64::new(0));
        let threads = (0..3).map(|_| {
            let computes = computes.clone();
            thread::spawn(move || {
                call(memo, OkAndSharedErr, 1, || {
                    thread::yield_now();
                    computes.fetch_add(1, SeqCst);
                    Err::<u64, u8>(3)
                })
            })
        });
        assert_eq!(join_all(threads.collect()), [Err(3); 3]);
        assert!((1..=3).contains(&computes.load(SeqCst)));
    });
}

#[test]
fn promise_28_waiters_compute_one_after_the_other_after_failures_that_cannot() {
    struct Opaque;
    check(|| {
        let memo = Model::<u64>::model(graph());
        let (computes, computing) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let threads = (0..4).map(|_| {
            let (computes, computing) = (computes.clone(), computing.clone());
            thread::spawn(move || {
                call(memo, OnlyOk, 1, || {
                    assert_eq!(computing.fetch_add(1, SeqCst), 0, "one at a time");
                    thread::yield_now();
                    computing.fetch_sub(1, SeqCst);
                    if computes.fetch_add(1, SeqCst) < 2 { Err(Opaque) } else { Ok(4) }
                })
                .ok()
            })
        });
        let results = join_all(threads.collect());
        assert_eq!(results.iter().filter(|result| result.is_none()).count(), 2);
        assert!(results.into_iter().flatten().all(|value| value == 4));
        assert_eq!(computes.load(SeqCst), 3);
    });
}

/// A function of `at` that calls the one of the next key, round and round, `depth` times.
fn around(memos: [&'static Model; 3], keys: u8, at: u8, depth: u8) -> u64 {
    call(memos[usize::from(at)], Whole, at, || {
        thread::yield_now();
        if depth == 0 { 1 } else { around(memos, keys, (at + 1) % keys, depth - 1) }
    })
}

async fn around_async(memos: [&'static Model; 3], keys: u8, at: u8, depth: u8) -> u64 {
    call_async(memos[usize::from(at)], at, async move {
        yield_now().await;
        if depth == 0 { 1 } else { Box::pin(around_async(memos, keys, (at + 1) % keys, depth - 1)).await }
    })
    .await
}

fn three(graph: &'static Graph) -> [&'static Model; 3] {
    std::array::from_fn(|_| Model::model(graph))
}

#[test]
fn promise_3_a_function_that_calls_itself_with_its_own_key_computes() {
    check(|| {
        let memos = three(graph());
        let threads = (0..2).map(|_| thread::spawn(move || around(memos, 1, 0, 2)));
        assert_eq!(join_all(threads.collect()), [1; 2]);
    });
}

#[test]
fn promise_3_cycles_across_threads_end() {
    check(|| {
        let memos = three(graph());
        let threads = (0..3).map(|at| thread::spawn(move || around(memos, 3, at, 4)));
        assert_eq!(join_all(threads.collect()), [1; 3]);
    });
}

#[test]
fn promise_3_cycles_across_tasks_end() {
    check(|| {
        let memos = three(graph());
        let tasks: Vec<_> = (0..2).map(|at| future::spawn(around_async(memos, 2, at, 3))).collect();
        for task in tasks {
            assert_eq!(future::block_on(task).unwrap(), 1);
        }
    });
}

#[test]
fn promise_3_cycles_across_a_thread_and_a_task_end() {
    check(|| {
        let memos = three(graph());
        let task = future::spawn(around_async(memos, 2, 0, 3));
        let thread = thread::spawn(move || around(memos, 2, 1, 3));
        assert_eq!(future::block_on(task).unwrap(), 1);
        assert_eq!(thread.join().unwrap(), 1);
    });
}

#[test]
fn promise_3_a_stolen_job_may_wait_on_top_of_what_another_waits_for() {
    // Each thread leads one key, and then runs, further up its stack, a job that has nothing to do with it: a call of
    // the key that the other leads.
    check(|| {
        let memos = three(graph());
        let threads = (0..2_u8).map(|n| {
            thread::spawn(move || {
                call(memos[usize::from(n)], Whole, n, || {
                    thread::yield_now();
                    let stolen = call(memos[usize::from(1 - n)], Whole, 1 - n, || 10 + u64::from(1 - n));
                    assert_eq!(stolen, 10 + u64::from(1 - n));
                    10 + u64::from(n)
                })
            })
        });
        assert_eq!(join_all(threads.collect()), [10, 11]);
    });
}

#[test]
fn promise_6_an_invalidation_wins_over_a_computation_that_began_before() {
    check(|| {
        let memo = Model::model(graph());
        let source = Arc::new(AtomicU64::new(1));
        let read = |source: &Arc<AtomicU64>| {
            let source = source.clone();
            move || {
                let value = source.load(SeqCst);
                thread::yield_now();
                value
            }
        };
        let body = read(&source);
        let computing = thread::spawn(move || call(memo, Whole, 1, body));
        let body = read(&source);
        let writer = source.clone();
        let invalidating = thread::spawn(move || {
            writer.store(2, SeqCst);
            invalidate(memo, 1);
            // whoever calls from here on gets what is there now
            assert_ne!(peek(memo, 1), Some(1));
            assert_eq!(call(memo, Whole, 1, body), 2);
        });
        assert!((1..=2).contains(&computing.join().unwrap()));
        invalidating.join().unwrap();
        assert_eq!(peek(memo, 1), Some(2));
    });
}

#[test]
fn promise_6_a_clear_wins_too() {
    check(|| {
        let memo = Model::model(graph());
        let source = Arc::new(AtomicU64::new(1));
        let reader = source.clone();
        let computing = thread::spawn(move || {
            call(memo, Whole, 1, || {
                let value = reader.load(SeqCst);
                thread::yield_now();
                value
            })
        });
        source.store(2, SeqCst);
        memo.flights.supersede_all();
        memo.near.clear();
        assert_ne!(peek(memo, 1), Some(1));
        computing.join().unwrap();
        assert_ne!(peek(memo, 1), Some(1));
    });
}

#[test]
fn promise_6_waiters_of_a_superseded_computation_are_served_or_begin_anew() {
    check(|| {
        let memo = Model::model(graph());
        let body = || {
            thread::yield_now();
            3
        };
        let threads: Vec<_> = (0..2).map(|_| thread::spawn(move || call(memo, Whole, 1, body))).collect();
        invalidate(memo, 1);
        assert_eq!(join_all(threads), [3, 3]);
    });
}
