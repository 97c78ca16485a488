//! Scopes: what each field does, and that it does so only where it should. Promise 7.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use memo::{Answer, Scope, memoize, scope};
use memo_tests::{AsyncGate, Task, calls, caught, ran, runs_in, size, throw, watched};
use proptest::prelude::*;
use rayon::prelude::*;

mod fields {
    use super::*;

    #[test]
    fn bypass_neither_reads_nor_writes() {
        #[memoize]
        fn square(n: u64) -> u64 {
            ran();
            n * n
        }
        calls! { miss: square(1); }
        let guard = scope().bypass().enter();
        calls! { miss: square(1) => 1; miss: square(2) => 4; miss: square(2); }
        drop(guard);
        assert_eq!(square::peek(2), None);
        calls! { hit: square(1); miss: square(2); }
    }

    #[test]
    fn refresh_computes_and_replaces() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        fn now(_id: u8) -> usize {
            ran();
            NOW.load(Ordering::SeqCst)
        }
        calls! { miss: now(1) => 0; }
        NOW.store(1, Ordering::SeqCst);
        calls! { hit: now(1) => 0; }
        scope().refresh().with(|| {
            calls! { miss: now(1) => 1; miss: now(2); }
        });
        calls! { hit: now(1) => 1; hit: now(2); }
    }

    #[test]
    fn read_only_reads_and_never_writes() {
        #[memoize]
        fn square(n: u64) -> u64 {
            ran();
            n * n
        }
        calls! { miss: square(1); }
        scope().read_only().with(|| {
            calls! { hit: square(1); miss: square(2); miss: square(2); }
        });
        assert_eq!(square::peek(2), None);
        scope().read_only().with(|| square::insert(3, 9)).unwrap();
        assert_eq!(square::peek(3), Some(9), "what the companion is told, it does");
    }

    #[test]
    fn ttl_is_the_lifetime_of_what_is_stored_under_it() {
        #[memoize]
        fn square(n: u64) -> u64 {
            ran();
            n * n
        }
        scope().ttl(Duration::ZERO).with(|| {
            calls! { miss: square(1); miss: square(1); }
        });
        assert_eq!(square::peek(1), None, "zero is not stored");
        scope().ttl("1h30m").with(|| {
            calls! { miss: square(1); hit: square(1); }
        });
        calls! { hit: square(1); }
    }

    #[test]
    fn a_bad_literal_is_a_clear_and_early_error() {
        let message = caught(|| drop(scope().ttl("10 parsecs"))).unwrap_err();
        assert_eq!(
            message,
            "memo: bad duration \"10 parsecs\": write it without white space, such as \"5m\" or \"1h30m\""
        );
        let message = caught(|| drop(scope().ttl("5min"))).unwrap_err();
        assert!(message.ends_with("unknown unit `min`: write `m`"), "{message}");
    }

    #[test]
    fn only_is_about_the_functions_whose_name_matches() {
        #[memoize(name = "rates::dollar")]
        fn dollar(n: u64) -> u64 {
            ran();
            n
        }
        #[memoize(name = "other::euro")]
        fn euro(n: u64) -> u64 {
            ran();
            n
        }
        let guard = scope().only("rates::*").bypass().enter();
        calls! { miss: dollar(1); miss: dollar(1); miss: euro(1); hit: euro(1); }
        // the pattern is about its own scope's fields alone
        let inner = scope().only("*::euro").read_only().enter();
        calls! { miss: euro(2); miss: euro(2); miss: dollar(1); }
        drop(guard);
        calls! { miss: euro(2); miss: dollar(1); hit: dollar(1); }
        drop(inner);
    }

    #[test]
    fn a_namespace_is_a_cache_of_its_own() {
        #[memoize]
        fn tenant(_key: u64) -> String {
            ran();
            "computed".into()
        }
        let within = |name: &str| scope().namespace(name);
        within("a").with(|| tenant::insert(1, "of a".into())).unwrap();
        within("b").with(|| tenant::insert(1, "of b".into())).unwrap();
        calls! { miss: tenant(1) => "computed"; }
        within("a").with(|| {
            calls! { hit: tenant(1) => "of a"; }
        });
        within("b").with(|| {
            calls! { hit: tenant(1) => "of b"; }
        });
        within("c").with(|| {
            calls! { miss: tenant(1) => "computed"; }
        });
        // what the companion does, it does in the namespace in force
        within("a").with(|| tenant::invalidate(1)).unwrap();
        assert_eq!(within("a").with(|| tenant::peek(1)), None);
        assert_eq!(within("b").with(|| tenant::peek(1)).as_deref(), Some("of b"));
        assert_eq!(tenant::peek(1).as_deref(), Some("computed"));
        within("b").with(tenant::clear).unwrap();
        assert_eq!(within("b").with(|| tenant::peek(1)), None);
        assert!(tenant::peek(1).is_some());
        assert!(within("c").with(|| tenant::peek(1)).is_some());
        tenant::clear().unwrap();
        assert_eq!((tenant::peek(1), within("c").with(|| tenant::peek(1))), (None, None));
    }

    #[test]
    fn an_isolated_scope_is_fresh_and_leaves_nothing() {
        #[memoize]
        fn shared(_key: u64) -> Arc<str> {
            ran();
            "computed".into()
        }
        calls! { miss: shared(1); }
        let mine: Arc<str> = "mine".into();
        let guard = scope().isolated().enter();
        calls! { miss: shared(1); hit: shared(1); }
        shared::insert(2, mine.clone()).unwrap();
        assert_eq!(Arc::strong_count(&mine), 2);
        // a clear from outside is not about what nobody sees
        thread::spawn(shared::clear).join().unwrap().unwrap();
        calls! { hit: shared(1); }
        assert_eq!(shared(2), mine);
        // a namespace in it does not leave it
        scope().namespace("a").with(|| {
            calls! { miss: shared(1); };
            shared::insert(3, mine.clone()).unwrap();
        });
        assert_eq!(scope().namespace("a").with(|| Arc::strong_count(&mine)), 3);
        drop(guard);
        assert_eq!(Arc::strong_count(&mine), 1, "dropped with the guard");
        assert_eq!((shared::peek(1), shared::peek(2)), (None, None));
        assert_eq!(scope().namespace("a").with(|| shared::peek(3)), None);
        let _guard = scope().isolated().enter();
        calls! { miss: shared(1); }
    }

    #[test]
    fn what_is_isolated_stays_with_whoever_has_a_handle() {
        #[memoize]
        fn shared(_key: u64) -> u64 {
            ran();
            7
        }
        let guard = scope().isolated().enter();
        calls! { miss: shared(1); }
        let handle = Scope::current();
        drop(guard);
        handle.clone().with(|| {
            calls! { hit: shared(1); }
        });
        thread::spawn(move || {
            handle.with(|| {
                calls! { hit: shared(1); }
            })
        })
        .join()
        .unwrap();
        assert_eq!(shared::peek(1), None);
    }

    #[test]
    fn an_engine_is_where_results_are_looked_for() {
        #[memoize]
        fn square(n: u64) -> u64 {
            ran();
            n * n
        }
        calls! { miss: square(1); }
        let elsewhere = || scope().engine("memory");
        elsewhere().with(|| {
            calls! { miss: square(1); hit: square(1); }
        });
        // an invalidation is of the result, wherever it is
        square::invalidate(1).unwrap();
        elsewhere().with(|| {
            calls! { miss: square(1); hit: square(1); }
        });
        calls! { miss: square(1); }
        elsewhere().with(|| square::invalidate(1)).unwrap();
        assert_eq!((square::peek(1), elsewhere().with(|| square::peek(1))), (None, None));
        // a result that is put in replaces all
        elsewhere().with(|| square(2));
        square::insert(2, 5).unwrap();
        assert_eq!(elsewhere().with(|| square::peek(2)), None);
        calls! { hit: square(2) => 5; }
        elsewhere().with(|| square(2));
        square::clear().unwrap();
        assert_eq!((square::peek(2), elsewhere().with(|| square::peek(2))), (None, None));
        // what is not there is left out
        scope().engine(["no such engine"]).with(|| {
            calls! { miss: square(3); hit: square(3); }
        });
    }

    #[test]
    fn a_recording_tells_what_was_called() {
        #[memoize(name = "recorded::outer")]
        fn outer(n: u64) -> u64 {
            inner(n) + inner(n)
        }
        #[memoize(name = "recorded::inner")]
        fn inner(n: u64) -> u64 {
            if n == 13 { throw("unlucky") } else { n }
        }
        let guard = scope().isolated().record().enter();
        let recording = guard.recording();
        assert_eq!(outer(1), 2);
        assert!(caught(|| inner(13)).is_err());
        inner::uncached(2);
        let nested = scope().only("*inner").record().enter();
        assert_eq!(outer(1), 2);
        inner(1);
        assert_eq!(nested.recording().calls().len(), 1);
        drop(nested);
        drop(guard);
        inner(5);
        let calls: Vec<_> = recording.calls();
        let told: Vec<_> = calls.iter().map(|call| (call.function, call.answer, call.engine)).collect();
        assert_eq!(
            told,
            [
                ("recorded::inner", Answer::Computed, None),
                ("recorded::inner", Answer::Hit, Some("memory")),
                ("recorded::outer", Answer::Computed, None),
                ("recorded::inner", Answer::Unfinished, None),
                ("recorded::inner", Answer::Computed, None),
                ("recorded::outer", Answer::Hit, Some("memory")),
                ("recorded::inner", Answer::Hit, Some("memory")),
            ]
        );
        assert!(calls[2].time >= calls[0].time + calls[1].time);
        assert_eq!((recording.hits("*"), recording.hits("*inner")), (3, 2));
        assert_eq!((recording.computes("recorded::*"), recording.waits("*")), (3, 0));
        assert_eq!(recording.count("*", Answer::Unfinished), 1);
        assert!(scope().recording().calls().is_empty());
    }

    #[test]
    fn a_recording_is_bounded_and_its_counts_are_exact() {
        #[memoize(name = "recorded::bounded")]
        fn square(n: u64) -> u64 {
            n * n
        }
        let scope = scope().isolated().record();
        let recording = scope.recording();
        scope.with(|| (0..12_000).for_each(|n| assert_eq!(square(n % 100), (n % 100).pow(2))));
        assert_eq!((recording.calls().len(), recording.left_off()), (10_000, 2_000));
        assert_eq!((recording.hits("*::bounded"), recording.computes("*::bounded")), (11_900, 100));
    }

    #[test]
    fn the_companion_counts_for_more_than_a_scope() {
        #[memoize]
        fn square(n: u64) -> u64 {
            ran();
            n * n
        }
        scope().bypass().with(|| {
            calls! { miss: square::refresh(1); miss: square(1); }
        });
        calls! { hit: square(1); }
        scope().refresh().with(|| {
            calls! { miss: square::uncached(2); }
        });
        assert_eq!(square::peek(2), None);
        // and the rest of the scope holds
        scope().namespace("a").with(|| square::refresh(3));
        assert_eq!(square::peek(3), None);
        assert_eq!(scope().namespace("a").with(|| square::peek(3)), Some(9));
    }

    #[test]
    fn statistics_are_of_all_namespaces() {
        #[memoize]
        fn square(n: u64) -> u64 {
            n * n
        }
        square(1);
        scope().namespace("a").with(|| square(1) + square(1));
        let stats = square::stats();
        assert_eq!((stats.hits, stats.computes, stats.entries), (1, 2, 2));
    }
}

mod paths {
    use super::*;

    #[test]
    fn recursion_and_nested_calls_are_under_the_scope() {
        #[memoize]
        fn fib(n: u64) -> u64 {
            ran();
            if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
        }
        let (runs, _) = runs_in(|| scope().isolated().with(|| fib(20)));
        assert_eq!(runs, 21, "each once");
        assert_eq!(fib::peek(7), None);
        let (runs, _) = runs_in(|| scope().bypass().with(|| fib(10)));
        assert_eq!(runs, 177, "none is found");
        // a scope that is entered in a body is about what it calls
        #[memoize]
        fn outer(n: u64) -> u64 {
            let _guard = scope().only("*fib").bypass().enter();
            fib(n)
        }
        assert_eq!(outer(3), 2);
        assert_eq!((outer::peek(3), fib::peek(3)), (Some(2), None));
    }

    #[test]
    fn a_waiter_is_served_by_flights_of_its_own_namespace_only() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize(skip(waits))]
        async fn slow(_key: u64, waits: bool) -> bool {
            if waits {
                GATE.pass().await;
            }
            waits
        }
        let mut leader = Task::started(slow(1, true));
        assert!(!Task::new(scope().bypass().run(slow(1, false))).ready());
        assert!(!Task::new(scope().namespace("a").run(slow(1, false))).ready());
        assert!(!Task::new(scope().isolated().run(slow(1, false))).ready());
        let reading = scope().read_only().record();
        let recording = reading.recording();
        let mut follower = Task::started(slow(1, false));
        let mut reader = Task::started(reading.run(slow(1, false)));
        // nobody waits for who bypasses, or is elsewhere
        let mut bypassing = Task::started(scope().bypass().run(slow(2, true)));
        let mut elsewhere = Task::started(scope().namespace("a").run(slow(2, true)));
        assert!(!Task::new(slow(2, false)).ready());
        GATE.open();
        assert!(leader.ready() && follower.ready() && reader.ready());
        assert!(bypassing.ready() && elsewhere.ready());
        assert_eq!(recording.waits("*"), 1);
        assert!(!Task::new(slow(2, true)).ready(), "what was computed outside is stored outside");
        assert!(Task::new(scope().namespace("a").run(slow(2, false))).ready());
    }

    #[test]
    fn a_computation_uses_the_scope_of_its_own_caller() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn slow(_key: u64) -> u64 {
            GATE.pass().await;
            7
        }
        let mut reader = Task::started(scope().read_only().run(slow(1)));
        let mut follower = Task::started(slow(1));
        let mut writer = Task::started(slow(2));
        let mut reading = Task::started(scope().read_only().run(slow(2)));
        GATE.open();
        assert_eq!((reader.ready(), follower.ready(), writer.ready(), reading.ready()), (7, 7, 7, 7));
        GATE.shut();
        // computed by one who never writes; by one who does
        Task::started(slow(1));
        assert_eq!(Task::new(slow(2)).ready(), 7);
        GATE.open();
    }

    #[test]
    fn what_was_begun_in_an_isolation_does_not_outlive_it() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn slow(_key: u64) -> Arc<()> {
            GATE.pass().await;
            Arc::new(())
        }
        let mut task = Task::started(scope().isolated().run(slow(1)));
        let mut second = {
            let guard = scope().isolated().enter();
            let task = Task::started(slow(1));
            drop(guard);
            task
        };
        GATE.open();
        let (first, second) = (task.ready(), second.ready());
        drop(task);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));
        // its record is used again, and is empty
        GATE.shut();
        for _ in 0..3 {
            Task::started(scope().isolated().run(slow(1)));
        }
    }

    #[test]
    fn namespaces_are_bounded() {
        const NAMESPACES: usize = 1_000;
        #[memoize]
        fn square(n: usize) -> usize {
            ran();
            n * n
        }
        for n in 0..NAMESPACES {
            scope().namespace(format!("tenant-{n}")).with(|| {
                calls! { miss: square(1); }
            });
            scope().namespace("tenant-0").with(|| {
                calls! { hit: square(1); }
            });
        }
        assert_eq!(square::stats().entries, 256);
        for n in NAMESPACES - 200..NAMESPACES {
            scope().namespace(format!("tenant-{n}")).with(|| {
                calls! { hit: square(1); }
            });
        }
        scope().namespace("tenant-5").with(|| {
            calls! { miss: square(1); }
        });
    }

    #[test]
    fn user_code_that_runs_as_an_isolation_ends_may_call_and_enter() {
        #[memoize]
        fn inner(n: u64) -> u64 {
            n
        }
        #[memoize]
        fn outer(_n: u64) -> Arc<Calls> {
            Arc::new(Calls)
        }
        struct Calls;
        impl Drop for Calls {
            fn drop(&mut self) {
                inner(1);
                let _guard = scope().isolated().enter();
                inner(1);
            }
        }
        watched(|| {
            for _ in 0..3 {
                let guard = scope().isolated().enter();
                drop((outer(1), outer(2)));
                drop(guard);
            }
        });
        assert_eq!(inner::peek(1), Some(1));
    }
}

mod promise_7_guards {
    use super::*;

    #[memoize(name = "promise_7::probe")]
    fn probe(n: u64) -> u64 {
        ran();
        n
    }

    fn bypassed() -> bool {
        runs_in(|| probe(0)).0 == 1
    }

    #[test]
    fn promise_7_guards_may_be_dropped_in_any_order() {
        probe(0);
        let outer = scope().bypass().enter();
        let middle = scope().read_only().enter();
        let inner = scope().refresh().enter();
        assert!(bypassed());
        drop(middle);
        assert!(bypassed());
        drop(inner);
        assert!(bypassed());
        drop(outer);
        assert!(!bypassed());
    }

    #[test]
    fn promise_7_a_leaked_guard_stays_with_its_thread() {
        probe(0);
        thread::spawn(|| {
            let outer = scope().bypass().enter();
            std::mem::forget(scope().read_only().enter());
            assert!(!bypassed());
            let inner = scope().bypass().enter();
            assert!(bypassed());
            drop(inner);
            drop(outer);
            // it is still in force here ...
            probe(1);
            assert_eq!(probe::peek(1), None);
            // ... and nowhere else
            thread::spawn(|| probe(1)).join().unwrap();
            assert_eq!(probe::peek(1), Some(1));
        })
        .join()
        .unwrap();
        assert!(!bypassed());
        // one that is leaked in a closure or a future ends with it
        scope().with(|| std::mem::forget(scope().bypass().enter()));
        assert!(!bypassed());
        Task::new(scope().run(async { std::mem::forget(scope().bypass().enter()) })).ready();
        assert!(!bypassed());
    }

    #[test]
    fn promise_7_a_panic_ends_the_scopes_that_it_passes() {
        probe(0);
        let outer = scope().read_only().enter();
        let _ = caught(|| {
            let _guard = scope().bypass().enter();
            scope().refresh().with(|| throw("on purpose"))
        });
        assert!(!bypassed());
        let mut task = Task::new(scope().bypass().run(async { throw("on purpose") }));
        let _ = caught(|| task.poll());
        assert!(!bypassed());
        drop(outer);
    }

    #[test]
    fn promise_7_a_guard_across_an_await_stays_with_its_future() {
        probe(0);
        let gate = AsyncGate::new();
        let mut task = Task::new(scope().run(async {
            let guard = scope().bypass().enter();
            gate.pass().await;
            assert!(bypassed());
            drop(guard);
            assert!(!bypassed());
        }));
        task.pending();
        assert!(!bypassed(), "the thread is as it was");
        // another task of this thread
        Task::new(scope().run(async { assert!(!bypassed()) })).ready();
        gate.open();
        task.ready();
        // a guard that is dropped elsewhere than where it is in force
        gate.shut();
        let place = std::cell::RefCell::new(None);
        let mut task = Task::new(scope().run(async {
            *place.borrow_mut() = Some(scope().bypass().enter());
            assert!(bypassed());
            gate.pass().await;
            assert!(!bypassed());
        }));
        task.pending();
        drop(place.borrow_mut().take());
        gate.open();
        task.ready();
        assert!(!bypassed());
    }

    #[test]
    fn promise_7_threads_tasks_and_jobs_start_without_and_may_be_handed_it() {
        #[memoize]
        fn number(n: u64) -> u64 {
            ran();
            n
        }
        let guard = scope().namespace("handed").enter();
        thread::spawn(|| number(1)).join().unwrap();
        assert_eq!(number::peek(1), None);
        let handle = Scope::current();
        thread::scope(|threads| {
            threads.spawn(|| handle.clone().bypass().with(|| number(2)));
            threads.spawn(|| {
                let _guard = handle.clone().enter();
                number(1)
            });
        });
        assert_eq!((number::peek(1), number::peek(2)), (Some(1), None));
        let sum: u64 = (10..200_u64).into_par_iter().map(|n| handle.clone().with(|| number(n))).sum();
        assert_eq!(sum, (10..200).sum::<u64>());
        for n in 10..200 {
            calls! { hit: number(n); }
        }
        drop(guard);
        assert_eq!(number::peek(10), None);
    }

    #[test]
    fn promise_7_tasks_on_four_workers_keep_their_scopes() {
        #[memoize]
        async fn whose(_key: u64) -> usize {
            tokio::task::yield_now().await;
            usize::MAX
        }
        #[memoize]
        fn whose_blocking(_key: u64) -> usize {
            usize::MAX
        }
        let rounds = size(40, 1_000);
        let tasks = 64;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
        watched(|| {
            runtime.block_on(async {
                let tasks: Vec<_> = (0..tasks)
                    .map(|task| {
                        let own = async move {
                            whose::insert(1, task).await.unwrap();
                            whose_blocking::insert(1, task).unwrap();
                            for round in 0..rounds {
                                assert_eq!(whose(1).await, task);
                                tokio::task::yield_now().await;
                                assert_eq!(whose_blocking(1), task);
                                let key = 10 + round as u64;
                                let other = scope().bypass().run(whose(1));
                                assert_eq!(other.await, usize::MAX);
                                scope().read_only().run(whose(key)).await;
                                assert_eq!(whose::peek(key).await, None);
                            }
                        };
                        match task % 4 {
                            // without a scope, and with a handle of one
                            0 => tokio::spawn(async move {
                                for _ in 0..rounds {
                                    assert_eq!(whose(1).await, usize::MAX);
                                    tokio::task::yield_now().await;
                                    assert_eq!(whose_blocking(1), usize::MAX);
                                }
                            }),
                            1 => {
                                let _guard = scope().isolated().enter();
                                tokio::spawn(Scope::current().run(own))
                            }
                            _ => tokio::spawn(scope().namespace(format!("task {task}")).run(own)),
                        }
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    }

    /// What a layer of the model sets.
    #[derive(Debug, Clone, Copy)]
    struct Fields {
        only: Option<usize>,
        mode: Option<Mode>,
        namespace: Option<&'static str>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Mode {
        Bypass,
        Refresh,
        ReadOnly,
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        /// Enters a scope.
        Enter(Fields),
        /// Drops one of the guards.
        Drop(usize),
        /// Leaks one of the guards.
        Leak(usize),
        /// So many of the next steps happen in a closure under a scope.
        With(Fields, usize),
        /// So many of the next steps happen in a poll of this task, unless it is being polled.
        Poll(usize, usize),
    }

    fn fields() -> impl Strategy<Value = Fields> {
        let mode = prop_oneof![Just(Mode::Bypass), Just(Mode::Refresh), Just(Mode::ReadOnly)];
        let namespace = prop_oneof![Just("a"), Just("b")];
        (prop::option::of(0..2_usize), prop::option::of(mode), prop::option::of(namespace))
            .prop_map(|(only, mode, namespace)| Fields { only, mode, namespace })
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => fields().prop_map(Step::Enter),
            4 => any::<usize>().prop_map(Step::Drop),
            1 => any::<usize>().prop_map(Step::Leak),
            1 => (fields(), 0..8_usize).prop_map(|(fields, steps)| Step::With(fields, steps)),
            2 => (0..TASKS, 0..8_usize).prop_map(|(task, steps)| Step::Poll(task, steps)),
        ]
    }

    const TASKS: usize = 2;

    impl Fields {
        fn scope(self) -> Scope {
            let scope = match self.mode {
                Some(Mode::Bypass) => scope().bypass(),
                Some(Mode::Refresh) => scope().refresh(),
                Some(Mode::ReadOnly) => scope().read_only(),
                None => scope(),
            };
            let scope = match self.namespace {
                Some(namespace) => scope.namespace(namespace),
                None => scope,
            };
            match self.only {
                Some(function) => scope.only(["model::0*", "*::1"][function]),
                None => scope,
            }
        }
    }

    /// The scopes as they should be: frames, of the thread, of closures and of polls, each with its own.
    struct Model {
        frames: Vec<Vec<(u64, Fields)>>,
        /// What tasks take with them between two polls.
        suspended: [Vec<(u64, Fields)>; TASKS],
        next: u64,
    }

    impl Model {
        fn enter(&mut self, fields: Fields) -> u64 {
            self.next += 1;
            self.frames.last_mut().unwrap().push((self.next, fields));
            self.next
        }

        fn leave(&mut self, id: u64) {
            self.frames
                .iter_mut()
                .chain(&mut self.suspended)
                .for_each(|open| open.retain(|(own, _)| *own != id));
        }

        /// Mode and namespace of calls of the function of this number.
        fn expected(&self, function: usize) -> (Option<Mode>, Option<&'static str>) {
            let fields = || {
                let all = self.frames.iter().rev().flat_map(|frame| frame.iter().rev());
                all.map(|(_, fields)| fields)
                    .filter(move |fields| fields.only.is_none_or(|only| only == function))
            };
            (fields().find_map(|fields| fields.mode), fields().find_map(|fields| fields.namespace))
        }
    }

    const BODY: &str = "the body";
    const FREE: &str = "no namespace";

    #[memoize(name = "model::0")]
    fn model_0(_key: u8) -> &'static str {
        BODY
    }

    #[memoize(name = "model::1")]
    fn model_1(_key: u8) -> &'static str {
        BODY
    }

    /// Finds out what is in force by what calls do.
    macro_rules! observed {
        ($function:ident) => {{
            const KNOWN: u8 = 0;
            const UNKNOWN: u8 = 1;
            let namespace = $function::peek(KNOWN).expect("it has been put there");
            let called = $function(KNOWN);
            let stored = $function::peek(KNOWN);
            let mode = match (called == BODY, stored == Some(BODY)) {
                (true, true) => Some(Mode::Refresh),
                (true, false) => Some(Mode::Bypass),
                (false, _) => {
                    $function(UNKNOWN);
                    let wrote = $function::peek(UNKNOWN).is_some();
                    $function::invalidate(UNKNOWN).unwrap();
                    (!wrote).then_some(Mode::ReadOnly)
                }
            };
            $function::insert(KNOWN, namespace).unwrap();
            (mode, (namespace != FREE).then_some(namespace))
        }};
    }

    type Guards = Vec<(u64, memo::ScopeGuard)>;

    struct World {
        model: std::cell::RefCell<Model>,
        guards: std::cell::RefCell<Guards>,
        /// What a task does in the poll that comes.
        orders: std::cell::RefCell<[Vec<Step>; TASKS]>,
    }

    impl World {
        fn check(&self) {
            let model = self.model.borrow();
            assert_eq!(observed!(model_0), model.expected(0));
            assert_eq!(observed!(model_1), model.expected(1));
        }

        fn run(&self, tasks: &mut [Option<Task<memo::InScope<Later<'_>>>>; TASKS], mut steps: &[Step]) {
            while let Some((step, rest)) = steps.split_first() {
                steps = rest;
                match *step {
                    Step::Enter(fields) => {
                        let id = self.model.borrow_mut().enter(fields);
                        self.guards.borrow_mut().push((id, fields.scope().enter()));
                    }
                    Step::Drop(which) | Step::Leak(which) => {
                        let mut guards = self.guards.borrow_mut();
                        if guards.is_empty() {
                            continue;
                        }
                        let place = which % guards.len();
                        let (id, guard) = guards.swap_remove(place);
                        match step {
                            Step::Leak(_) => std::mem::forget(guard),
                            _ => {
                                drop(guard);
                                self.model.borrow_mut().leave(id);
                            }
                        }
                    }
                    Step::With(fields, within) => {
                        let (inner, rest) = steps.split_at(within.min(steps.len()));
                        steps = rest;
                        self.model.borrow_mut().frames.push(Vec::new());
                        self.model.borrow_mut().enter(fields);
                        fields.scope().with(|| self.run(tasks, inner));
                        self.model.borrow_mut().frames.pop();
                    }
                    Step::Poll(which, within) => {
                        let Some(mut task) = tasks[which].take() else { continue };
                        let (inner, rest) = steps.split_at(within.min(steps.len()));
                        steps = rest;
                        self.orders.borrow_mut()[which] = inner.to_vec();
                        let taken = std::mem::take(&mut self.model.borrow_mut().suspended[which]);
                        self.model.borrow_mut().frames.push(taken);
                        task.pending();
                        let left = self.model.borrow_mut().frames.pop().unwrap();
                        self.model.borrow_mut().suspended[which] = left;
                        tasks[which] = Some(task);
                    }
                }
                self.check();
            }
        }
    }

    /// Does what it is told to in each poll. It cannot poll other tasks.
    struct Later<'w>(&'w World, usize);

    impl Future for Later<'_> {
        type Output = ();

        fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
            let steps = std::mem::take(&mut self.0.orders.borrow_mut()[self.1]);
            self.0.check();
            self.0.run(&mut [None, None], &steps);
            std::task::Poll::Pending
        }
    }

    fn play(steps: &[Step]) {
        for (name, namespace) in [(FREE, None), ("a", Some("a")), ("b", Some("b"))] {
            let scope = namespace.map_or_else(scope, |namespace| scope().namespace(namespace));
            scope.with(|| model_0::insert(0, name).and(model_1::insert(0, name))).unwrap();
        }
        let own: [Fields; TASKS] = [
            Fields { only: None, mode: None, namespace: Some("a") },
            Fields { only: Some(1), mode: Some(Mode::Bypass), namespace: None },
        ];
        let mut model = Model { frames: vec![Vec::new()], suspended: Default::default(), next: 0 };
        for (task, fields) in own.iter().enumerate() {
            model.suspended[task].push((model.next, *fields));
            model.next += 1;
        }
        let world = World { model: model.into(), guards: Default::default(), orders: Default::default() };
        let mut tasks = [0, 1].map(|task| Some(Task::new(own[task].scope().run(Later(&world, task)))));
        world.check();
        world.run(&mut tasks, steps);
        drop(tasks);
        // guards that are left over are dropped in some order
        world.guards.take().into_iter().for_each(drop);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(size(150, 20_000) as u32))]

        /// Opens and drops in any order, leaks, closures and futures against a model.
        #[test]
        fn promise_7_scopes_are_as_a_stack_would_have_them(steps in prop::collection::vec(step(), 0..40)) {
            static ONE: Barrier1 = Barrier1::new();
            let _one = ONE.alone();
            // a thread of its own, with which leaked guards end
            let played = thread::spawn({
                let steps = steps.clone();
                move || play(&steps)
            });
            prop_assert!(played.join().is_ok());
            prop_assert_eq!(observed!(model_0), (None, None));
        }
    }

    /// Lets one case at a time use the functions of the model.
    struct Barrier1(std::sync::Mutex<()>);

    impl Barrier1 {
        const fn new() -> Self {
            Barrier1(std::sync::Mutex::new(()))
        }

        fn alone(&self) -> std::sync::MutexGuard<'_, ()> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    #[test]
    fn promise_7_threads_that_enter_and_leave_at_once_do_not_see_each_other() {
        #[memoize]
        fn whose(_key: u64) -> usize {
            usize::MAX
        }
        const THREADS: usize = 8;
        let rounds = size(300, 20_000);
        let start = Barrier::new(THREADS);
        watched(|| {
            thread::scope(|threads| {
                for thread in 0..THREADS {
                    let start = &start;
                    threads.spawn(move || {
                        start.wait();
                        for round in 0..rounds {
                            let isolated = scope().isolated().enter();
                            assert_eq!(whose::peek(1), None);
                            whose::insert(1, thread).unwrap();
                            assert_eq!(whose(1), thread);
                            drop(isolated);
                            // more namespaces than are kept
                            let namespace = scope().namespace(format!("{thread} {}", round % 64)).enter();
                            let found = whose::peek(1);
                            assert!(found.is_none_or(|found| found == thread), "{found:?}");
                            whose::insert(1, thread).unwrap();
                            drop(namespace);
                        }
                    });
                }
            });
        });
    }
}
