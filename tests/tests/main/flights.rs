//! One computation per key, however many ask, whatever becomes of who computes. Promises 1, 2 and 28.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;

use memo::memoize;
use memo_tests::{AsyncGate, Followed, Gate, Task, caught, size, throw, thrown, watched};
use tokio::runtime;

fn multi_thread() -> runtime::Runtime {
    runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap()
}

mod one_computation {
    use super::*;

    #[test]
    fn of_256_threads_on_a_cold_key() {
        const THREADS: usize = 256;
        const ROUNDS: usize = 200;
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize(capacity = "unbounded")]
        fn cold(round: usize) -> usize {
            RUNS.fetch_add(1, Ordering::Relaxed);
            thread::yield_now();
            2 * round
        }
        watched(|| {
            let start = Barrier::new(THREADS);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        for round in 0..ROUNDS {
                            start.wait();
                            assert_eq!(cold(round), 2 * round);
                        }
                    });
                }
            });
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), ROUNDS);
        let stats = cold::stats();
        assert_eq!(stats.hits + stats.misses, (THREADS * ROUNDS) as u64);
        assert_eq!(stats.misses, stats.computes + stats.waits);
    }

    #[test]
    fn of_10_000_tasks_on_a_cold_key() {
        const TASKS: usize = 10_000;
        let rounds = 200;
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize(capacity = "unbounded")]
        async fn cold(round: usize) -> usize {
            RUNS.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            2 * round
        }
        watched(|| {
            multi_thread().block_on(async {
                for round in 0..rounds {
                    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(cold(round))).collect();
                    for task in tasks {
                        assert_eq!(task.await.unwrap(), 2 * round);
                    }
                }
            });
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), rounds);
        let stats = cold::stats();
        assert_eq!(stats.hits + stats.misses, (TASKS * rounds) as u64);
        assert_eq!(stats.misses, stats.computes + stats.waits);
    }

    #[test]
    fn of_threads_and_tasks_mixed_on_one_synchronous_function() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize(capacity = "unbounded")]
        fn cold(round: usize) -> usize {
            RUNS.fetch_add(1, Ordering::Relaxed);
            thread::yield_now();
            2 * round
        }
        let rounds = size(50, 500);
        watched(|| {
            let runtime = multi_thread();
            for round in 0..rounds {
                thread::scope(|scope| {
                    (0..8).for_each(|_| drop(scope.spawn(move || assert_eq!(cold(round), 2 * round))));
                    runtime.block_on(async {
                        let blocking = (0..8).map(|_| tokio::task::spawn_blocking(move || cold(round)));
                        let blocking: Vec<_> = blocking.collect();
                        let tasks = (0..32).map(|_| tokio::spawn(async move { cold(round) }));
                        let tasks: Vec<_> = tasks.collect();
                        for task in blocking.into_iter().chain(tasks) {
                            assert_eq!(task.await.unwrap(), 2 * round);
                        }
                    });
                });
            }
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), rounds);
    }

    #[test]
    fn of_callers_on_every_executor_at_once() {
        static GATE: AsyncGate = AsyncGate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        async fn cold(key: Followed) -> u64 {
            RUNS.fetch_add(1, Ordering::Relaxed);
            GATE.pass().await;
            key.id()
        }
        watched(|| {
            let key = Followed::new(7);
            let runtime = multi_thread();
            let mut by_hand = Task::started(cold(key.clone()));
            let on_tokio = runtime.spawn(cold(key.clone()));
            let on_smol = smol::spawn(cold(key.clone()));
            let blocked = {
                let key = key.clone();
                thread::spawn(move || smol::block_on(cold(key)))
            };
            key.wait_for(3);
            GATE.open();
            assert_eq!(by_hand.ready(), 7);
            assert_eq!(runtime.block_on(on_tokio).unwrap(), 7);
            assert_eq!(smol::block_on(on_smol), 7);
            assert_eq!(blocked.join().unwrap(), 7);
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn but_one_for_each_where_single_flight_is_off() {
        #[memoize(single_flight = false)]
        fn together(n: u32) -> u32 {
            // opens only if all four are computing at once
            static ALL: Barrier = Barrier::new(4);
            ALL.wait();
            n
        }
        watched(|| {
            thread::scope(|scope| {
                (0..4).for_each(|_| drop(scope.spawn(|| assert_eq!(together(1), 1))));
            });
        });
        assert_eq!(together::stats().computes, 4);
        assert_eq!(together(1), 1);
        assert_eq!(together::stats().hits, 1);
    }

    #[test]
    fn other_keys_do_not_wait() {
        #[memoize]
        fn pair(n: u32) -> u32 {
            static BOTH: Barrier = Barrier::new(2);
            BOTH.wait();
            n
        }
        watched(|| {
            thread::scope(|scope| {
                scope.spawn(|| assert_eq!(pair(1), 1));
                scope.spawn(|| assert_eq!(pair(2), 2));
            });
        });
    }
}

mod failures {
    //! An error that cannot be cloned: those who waited for it ask one after the other. Promise 28.

    use super::*;

    const CALLERS: usize = 100;

    /// Says which run of the body it is from; not `Clone`.
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Down(usize);

    /// An origin that counts who asks it, and how many at once.
    struct Origin {
        asked: AtomicUsize,
        asking: AtomicUsize,
        most: AtomicUsize,
    }

    impl Origin {
        const fn new() -> Self {
            Origin { asked: AtomicUsize::new(0), asking: AtomicUsize::new(0), most: AtomicUsize::new(0) }
        }

        /// Which run this is, from 1; and as the last of it is dropped, it is over.
        fn ask(&'static self) -> (usize, Asking) {
            self.most.fetch_max(self.asking.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            (self.asked.fetch_add(1, Ordering::SeqCst) + 1, Asking(self))
        }

        fn most(&self) -> usize {
            self.most.load(Ordering::SeqCst)
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    struct Asking(&'static Origin);

    impl Drop for Asking {
        fn drop(&mut self) {
            self.0.asking.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn by_threads<T: Send>(call: impl Fn() -> T + Sync) -> Vec<T> {
        watched(|| {
            thread::scope(|scope| {
                let calls: Vec<_> = (0..CALLERS).map(|_| scope.spawn(&call)).collect();
                calls.into_iter().map(|call| call.join().unwrap()).collect()
            })
        })
    }

    fn by_tasks<T: Send + 'static, F: Future<Output = T> + Send + 'static>(call: impl Fn() -> F) -> Vec<T> {
        watched(|| {
            multi_thread().block_on(async {
                let mut results = Vec::new();
                for task in (0..CALLERS).map(|_| tokio::spawn(call())).collect::<Vec<_>>() {
                    results.push(task.await.unwrap());
                }
                results
            })
        })
    }

    /// Each error once: from the first run of the body to the last.
    fn each_its_own(results: Vec<Result<u64, Down>>) {
        let mut errors: Vec<_> = results.into_iter().map(Result::unwrap_err).collect();
        errors.sort();
        assert_eq!(errors, (1..=CALLERS).map(Down).collect::<Vec<_>>());
    }

    /// The third run succeeded, and everybody but the first two has what it gave.
    fn after_two_errors(results: Vec<Result<u64, Down>>) {
        assert_eq!(results.len(), CALLERS);
        let (values, mut errors): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert!(values.iter().all(|value| *value == Ok(7)) && values.len() == CALLERS - 2, "{values:?}");
        errors.sort();
        assert_eq!(errors, [Err(Down(1)), Err(Down(2))]);
    }

    #[test]
    fn promise_28_of_100_threads_one_asks_at_a_time() {
        static ORIGIN: Origin = Origin::new();
        #[memoize]
        fn down(key: &Followed) -> Result<u64, Down> {
            let (run, _asking) = ORIGIN.ask();
            if run == 1 {
                key.wait_for(CALLERS - 1);
            }
            thread::yield_now();
            Err(Down(run))
        }
        let key = Followed::new(7);
        each_its_own(by_threads(|| down(&key)));
        assert_eq!((ORIGIN.most(), ORIGIN.asked()), (1, CALLERS));
        assert_eq!(down::stats().entries, 0);
    }

    #[test]
    fn promise_28_of_100_tasks_one_asks_at_a_time() {
        static ORIGIN: Origin = Origin::new();
        #[memoize]
        async fn down(key: Followed) -> Result<u64, Down> {
            let (run, _asking) = ORIGIN.ask();
            while run == 1 && key.followers() < CALLERS - 1 {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
            Err(Down(run))
        }
        let key = Followed::new(7);
        each_its_own(by_tasks(|| down(key.clone())));
        assert_eq!((ORIGIN.most(), ORIGIN.asked()), (1, CALLERS));
    }

    #[test]
    fn promise_28_what_one_of_100_threads_gets_is_for_all_who_still_wait() {
        static ORIGIN: Origin = Origin::new();
        #[memoize]
        fn up_again(key: &Followed) -> Result<u64, Down> {
            let (run, _asking) = ORIGIN.ask();
            if run == 1 {
                key.wait_for(CALLERS - 1);
            }
            if run < 3 { Err(Down(run)) } else { Ok(key.id()) }
        }
        let key = Followed::new(7);
        after_two_errors(by_threads(|| up_again(&key)));
        assert_eq!((ORIGIN.most(), ORIGIN.asked()), (1, 3));
        let stats = up_again::stats();
        assert_eq!((stats.stored, stats.computes), (1, 3));
    }

    #[test]
    fn promise_28_what_one_of_100_tasks_gets_is_for_all_who_still_wait() {
        static ORIGIN: Origin = Origin::new();
        #[memoize]
        async fn up_again(key: Followed) -> Result<u64, Down> {
            let (run, _asking) = ORIGIN.ask();
            while run == 1 && key.followers() < CALLERS - 1 {
                tokio::task::yield_now().await;
            }
            if run < 3 { Err(Down(run)) } else { Ok(key.id()) }
        }
        let key = Followed::new(7);
        after_two_errors(by_tasks(|| up_again(key.clone())));
        assert_eq!((ORIGIN.most(), ORIGIN.asked()), (1, 3));
    }

    #[test]
    fn promise_28_tasks_and_threads_take_turns() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn down(key: Followed) -> Result<u64, Down> {
            let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
            GATE.pass().await;
            if run < 3 { Err(Down(run)) } else { Ok(key.id()) }
        }
        watched(|| {
            let key = Followed::new(7);
            let mut first = Task::started(down(key.clone()));
            let mut second = Task::started(down(key.clone()));
            let thread = {
                let key = key.clone();
                thread::spawn(move || smol::block_on(down(key)))
            };
            key.wait_for(2);
            GATE.open();
            assert_eq!(first.ready(), Err(Down(1)));
            // Either of them may be the next.
            let second = loop {
                if let Poll::Ready(result) = second.poll() {
                    break result;
                }
                thread::yield_now();
            };
            let mut both = [second, thread.join().unwrap()];
            both.sort();
            assert_eq!(both, [Ok(7), Err(Down(2))]);
        });
    }
}

mod panics {
    use super::*;

    #[test]
    fn promise_1_a_panic_reaches_its_caller_and_nothing_is_stored() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        fn second_time_lucky(n: u32) -> u32 {
            match RUNS.fetch_add(1, Ordering::Relaxed) {
                0 => throw("the first"),
                _ => n,
            }
        }
        assert_eq!(caught(|| second_time_lucky(1)), Err("the first"));
        assert_eq!(second_time_lucky::peek(1), None);
        assert_eq!(caught(|| second_time_lucky(1)), Ok(1));
        assert_eq!(second_time_lucky::peek(1), Some(1));
        assert_eq!(second_time_lucky::stats().computes, 1);
    }

    #[test]
    fn promise_1_also_of_async_functions() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        async fn second_time_lucky(n: u32) -> u32 {
            smol::future::yield_now().await;
            match RUNS.fetch_add(1, Ordering::Relaxed) {
                0 => throw("the first"),
                _ => n,
            }
        }
        multi_thread().block_on(async {
            let failed = tokio::spawn(second_time_lucky(1)).await.unwrap_err();
            assert_eq!(thrown(&*failed.into_panic()), "the first");
            assert_eq!(second_time_lucky::peek(1).await, None);
            assert_eq!(second_time_lucky(1).await, 1);
        });
    }

    #[test]
    fn promise_1_one_of_those_who_wait_takes_over() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        fn fails_first(key: &Followed) -> u64 {
            if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
                key.wait_for(3);
                throw("the first")
            }
            key.id()
        }
        watched(|| {
            let key = Followed::new(1);
            let calls: Vec<_> = thread::scope(|scope| {
                let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| caught(|| fails_first(&key)))).collect();
                calls.into_iter().map(|call| call.join().unwrap()).collect()
            });
            assert_eq!(calls.iter().filter(|call| **call == Err("the first")).count(), 1);
            assert_eq!(calls.iter().filter(|call| **call == Ok(1)).count(), 3);
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn promise_1_ten_thousand_panicking_leaders_then_a_good_one() {
        const PANICS: usize = 10_000;
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        fn stubborn(n: u32) -> u32 {
            if RUNS.fetch_add(1, Ordering::Relaxed) < PANICS { throw("again") } else { n }
        }
        let panics = AtomicUsize::new(0);
        watched(|| {
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        while let Err(message) = caught(|| stubborn(1)) {
                            assert_eq!(message, "again");
                            panics.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
        });
        assert_eq!(panics.load(Ordering::Relaxed), PANICS);
        assert_eq!(RUNS.load(Ordering::Relaxed), PANICS + 1);
        assert_eq!(stubborn::peek(1), Some(1));
    }

    #[test]
    fn promise_1_ten_thousand_waiting_tasks_take_over_in_turn() {
        const PANICS: usize = 10_000;
        static GATE: AsyncGate = AsyncGate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        async fn stubborn(n: u32) -> u32 {
            GATE.pass().await;
            if RUNS.fetch_add(1, Ordering::Relaxed) < PANICS { throw("again") } else { n }
        }
        watched(|| {
            let mut leader = Task::started(stubborn(1));
            let mut waiting: std::collections::VecDeque<_> =
                (0..PANICS).map(|_| Task::started(stubborn(1))).collect();
            GATE.open();
            for _ in 0..PANICS {
                assert_eq!(caught(|| leader.ready()), Err("again"));
                drop(leader);
                leader = waiting.pop_front().unwrap();
                assert!(leader.is_woken(), "nobody was told to take over");
                assert!(!waiting.front().is_some_and(Task::is_woken), "two were");
            }
            assert_eq!(leader.ready(), 1);
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), PANICS + 1);
    }
}

mod cancellations {
    use super::*;

    #[test]
    fn promise_2_a_hundred_thousand_cancelled_leaders() {
        const CANCELLATIONS: usize = 100_000;
        static GATE: AsyncGate = AsyncGate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        async fn slow(n: u32) -> u32 {
            RUNS.fetch_add(1, Ordering::Relaxed);
            // those who wait at the gate are not collected there
            if RUNS.load(Ordering::Relaxed) <= CANCELLATIONS {
                std::future::pending::<()>().await;
            }
            GATE.pass().await;
            n
        }
        watched(|| {
            let mut leader = Task::started(slow(1));
            for _ in 0..CANCELLATIONS {
                let mut waiting = Task::started(slow(1));
                assert!(!waiting.is_woken());
                drop(leader);
                assert!(waiting.is_woken(), "nobody was told to take over");
                waiting.pending();
                leader = waiting;
            }
            GATE.open();
            assert_eq!(leader.ready(), 1);
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), CANCELLATIONS + 1);
        assert_eq!(slow::stats().computes, 1);
    }

    #[test]
    fn promise_2_whoever_should_take_over_may_be_dropped_too() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn slow(n: u32) -> u32 {
            GATE.pass().await;
            n
        }
        let leader = Task::started(slow(1));
        let heirs: Vec<_> = (0..10).map(|_| Task::started(slow(1))).collect();
        let mut last = Task::started(slow(1));
        drop(leader);
        for heir in heirs {
            assert!(heir.is_woken());
            assert!(!last.is_woken());
            drop(heir);
        }
        assert!(last.is_woken());
        GATE.open();
        assert_eq!(last.ready(), 1);
        assert_eq!(slow::stats().computes, 1);
    }

    #[test]
    fn promise_2_with_nobody_waiting_the_next_call_computes() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn slow(n: u32) -> u32 {
            GATE.pass().await;
            n
        }
        drop(slow(1));
        drop(Task::started(slow(1)));
        let leader = Task::started(slow(1));
        let waiting = Task::started(slow(1));
        drop(leader);
        drop(waiting);
        GATE.open();
        assert_eq!(Task::new(slow(1)).ready(), 1);
    }

    #[test]
    fn promise_2_waiters_may_leave() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn slow(n: u32) -> u32 {
            GATE.pass().await;
            n
        }
        let mut leader = Task::started(slow(1));
        let (first, mut second) = (Task::started(slow(1)), Task::started(slow(1)));
        drop(first);
        GATE.open();
        assert_eq!(leader.ready(), 1);
        assert!(second.is_woken());
        assert_eq!(second.ready(), 1);
        assert_eq!(slow::stats().computes, 1);
    }

    #[test]
    fn promise_2_aborted_tasks() {
        let rounds = size(100, 2_000);
        #[memoize(capacity = "unbounded")]
        async fn slow(round: usize) -> usize {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            round
        }
        watched(|| {
            multi_thread().block_on(async {
                for round in 0..rounds {
                    let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(slow(round))).collect();
                    let survivor = (round * 7) % tasks.len();
                    for (index, task) in tasks.iter().enumerate() {
                        if index != survivor {
                            task.abort();
                        }
                        if index % 16 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                    for (index, task) in tasks.into_iter().enumerate() {
                        match task.await {
                            Ok(value) => assert_eq!(value, round),
                            Err(aborted) => assert!(index != survivor && aborted.is_cancelled()),
                        }
                    }
                }
            });
        });
    }

    #[test]
    fn promise_2_select_drops_the_loser() {
        #[memoize]
        async fn slow(n: u32) -> u32 {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            n
        }
        watched(|| {
            multi_thread().block_on(async {
                for round in 0..1_000 {
                    let other = tokio::spawn(slow(round));
                    tokio::select! {
                        _ = tokio::task::yield_now() => {}
                        value = slow(round) => assert_eq!(value, round),
                    }
                    assert_eq!(other.await.unwrap(), round);
                }
            });
        });
    }

    #[test]
    fn promise_2_a_runtime_is_shut_down() {
        static GATE: AsyncGate = AsyncGate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        async fn slow(key: Followed) -> u64 {
            if RUNS.fetch_add(1, Ordering::Relaxed) < 3 {
                GATE.pass().await;
            }
            key.id()
        }
        watched(|| {
            let key = Followed::new(1);
            let run_on = |runtime: &runtime::Runtime, runs| {
                drop(runtime.spawn(slow(key.clone())));
                while RUNS.load(Ordering::Relaxed) < runs {
                    thread::yield_now();
                }
            };
            let (first, second) = (multi_thread(), multi_thread());
            let third = runtime::Builder::new_current_thread().build().unwrap();
            run_on(&first, 1);
            // the second runtime waits for the first, a thread for the second
            drop(second.spawn(slow(key.clone())));
            key.wait_for(1);
            first.shutdown_background();
            while RUNS.load(Ordering::Relaxed) < 2 {
                thread::yield_now();
            }
            let waiting = {
                let key = key.clone();
                thread::spawn(move || smol::block_on(slow(key)))
            };
            key.wait_for(2);
            // a task of a runtime that nobody drives any more leaves the way free when that is dropped
            third.block_on(async {
                drop(tokio::spawn(slow(key.clone())));
                key.wait_for(2);
                tokio::task::yield_now().await;
            });
            key.wait_for(3);
            second.shutdown_background();
            drop(third);
            while RUNS.load(Ordering::Relaxed) < 3 {
                thread::yield_now();
            }
            GATE.open();
            assert_eq!(waiting.join().unwrap(), 1);
        });
    }

    #[test]
    fn promise_2_a_thread_takes_over_from_a_task() {
        static GATE: AsyncGate = AsyncGate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        async fn slow(key: Followed) -> u64 {
            if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
                GATE.pass().await;
            }
            key.id()
        }
        watched(|| {
            let key = Followed::new(1);
            let leader = Task::started(slow(key.clone()));
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let key = key.clone();
                    thread::spawn(move || smol::block_on(slow(key)))
                })
                .collect();
            key.wait_for(4);
            drop(leader);
            threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), 1));
        });
        assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    }
}

mod environments {
    //! {none, current_thread, multi_thread, spawn_blocking, smol} × {sync, async}: promise 8.

    use super::*;

    /// A set of functions of its own for each environment: a synchronous one, an async one, and each kind within the
    /// other. Where tasks that are suspended and calls that block share their threads, a wait may be taken for a part
    /// of a cycle, and a key be computed twice.
    macro_rules! environment {
        ($name:ident, $exactly:expr, $run:expr) => {
            mod $name {
                use super::*;

                #[memoize]
                fn plain(n: u64) -> u64 {
                    thread::yield_now();
                    n + 1
                }

                #[memoize]
                async fn waiting(n: u64) -> u64 {
                    smol::future::yield_now().await;
                    n + 2
                }

                #[memoize]
                async fn sync_within(n: u64) -> u64 {
                    plain(n) + waiting(n).await
                }

                /// Waits on an executor of its own.
                #[memoize]
                fn async_within(n: u64) -> u64 {
                    smol::block_on(sync_within(n)) + plain(n)
                }

                pub(super) fn synchronous() {
                    let calls = || {
                        (0..20).for_each(|n| assert_eq!(plain(n), n + 1));
                        (0..20).for_each(|n| assert_eq!(async_within(n), 3 * n + 4));
                    };
                    thread::scope(|scope| {
                        (0..4).for_each(|_| drop(scope.spawn(calls)));
                        calls();
                    });
                }

                pub(super) async fn asynchronous() {
                    for n in 0..40 {
                        assert_eq!(waiting(n).await, n + 2);
                        assert_eq!(sync_within(n).await, 2 * n + 3);
                        assert_eq!(plain(n), n + 1);
                    }
                }

                #[test]
                fn promise_8() {
                    watched(|| $run(synchronous, asynchronous));
                    let stats =
                        [plain::stats(), waiting::stats(), sync_within::stats(), async_within::stats()];
                    for (stats, keys) in stats.into_iter().zip([40, 40, 40, 20]) {
                        let exactly = stats.computes == keys;
                        assert!(exactly || (!$exactly && stats.computes > keys), "{stats}");
                    }
                }
            }
        };
    }

    environment!(none, true, |synchronous: fn(), _| {
        synchronous();
        let mut task = Task::new(asynchronous());
        while task.poll().is_pending() {
            assert!(task.is_woken(), "a lone task waits for nobody");
        }
    });

    environment!(current_thread, true, |synchronous: fn(), _| {
        runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            synchronous();
            let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(asynchronous())).collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });

    environment!(on_multi_thread, false, |synchronous: fn(), _| {
        multi_thread().block_on(async {
            let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(asynchronous())).collect();
            let blocking = tokio::spawn(async move { synchronous() });
            for task in tasks {
                task.await.unwrap();
            }
            blocking.await.unwrap();
        });
    });

    environment!(spawn_blocking, true, |synchronous: fn(), _| {
        multi_thread().block_on(async {
            let tasks = (0..4).map(|_| {
                tokio::task::spawn_blocking(move || {
                    synchronous();
                    runtime::Handle::current().block_on(asynchronous());
                })
            });
            let tasks: Vec<_> = tasks.collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });

    environment!(on_smol, false, |synchronous: fn(), _| {
        smol::block_on(async {
            let tasks: Vec<_> = (0..4).map(|_| smol::spawn(asynchronous())).collect();
            let blocking: Vec<_> = (0..4).map(|_| smol::unblock(synchronous)).collect();
            synchronous();
            asynchronous().await;
            for task in tasks.into_iter().chain(blocking) {
                task.await;
            }
        });
    });
}

#[test]
fn the_future_of_a_memoized_function_is_send_where_the_plain_one_is() {
    #[memoize]
    async fn plain(n: u32, text: &str) -> usize {
        smol::future::yield_now().await;
        n as usize + text.len()
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    assert_eq!(smol::block_on(is_send(plain(1, "ab"))), 3);
    // and one that is not Send is memoized all the same
    #[memoize(skip(local))]
    async fn local(local: std::rc::Rc<u32>, n: u32) -> u32 {
        smol::future::yield_now().await;
        *local + n
    }
    assert_eq!(smol::block_on(local(std::rc::Rc::new(1), 2)), 3);
}

#[test]
fn a_synchronous_leader_may_block_as_long_as_it_likes() {
    static GATE: Gate = Gate::new();
    #[memoize]
    fn slow(key: &Followed) -> Arc<str> {
        GATE.pass();
        key.id().to_string().into()
    }
    watched(|| {
        let key = Followed::new(5);
        thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| slow(&key))).collect();
            key.wait_for(7);
            GATE.open();
            let values: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
            // one value, and not eight equal ones
            assert!(values.iter().all(|value| Arc::ptr_eq(value, &values[0])));
        });
    });
    assert_eq!(slow::stats().waits, 7);
}

#[test]
fn a_call_from_a_thread_that_is_ending() {
    #[memoize]
    fn late(n: u32) -> u32 {
        if n == 0 { 0 } else { late(n - 1) + 1 }
    }
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            DONE.fetch_add(late(5) as usize, Ordering::Relaxed);
        }
    }
    static DONE: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LAST: AtTheEnd = const { AtTheEnd };
    }
    // made before our own thread locals, and so dropped after them; and the other way round
    thread::spawn(|| LAST.with(|_| late(1))).join().unwrap();
    thread::spawn(|| (late(2), LAST.with(|_| ()))).join().unwrap();
    assert_eq!(DONE.load(Ordering::Relaxed), 10);
}
