//! Control and what it shows: the companion, `<method>_memo()`, directives, statistics, the registry. API §2 and §8.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use memo::{ErrorKind, Instance, memoize};
use memo_tests::{AsyncGate, Followed, Task, calls, caught, ran, throw, watched};

mod companions {
    use super::*;

    #[test]
    fn of_a_function() {
        #[memoize]
        fn double(n: u32) -> u32 {
            ran();
            2 * n
        }
        assert_eq!(double::peek(1), None);
        calls! {
            miss: double(1) => 2;
            hit: double::peek(1) => Some(2);
            hit: double(1) => 2;
            miss: double::uncached(1) => 2;
            miss: double::refresh(1) => 2;
            hit: double::insert(1, 50).unwrap();
            hit: double(1) => 50;
            miss: double::uncached(1) => 2;
            hit: double(1) => 50;
            miss: double::refresh(1) => 2;
            hit: double(1) => 2;
            hit: double::invalidate(1).unwrap();
            hit: double::peek(1) => None;
            miss: double(1) => 2;
            miss: double(2) => 4;
            hit: double::clear().unwrap();
            hit: (double::peek(1), double::peek(2)) => (None, None);
        }
        double::warm(1..50);
        assert_eq!(double::stats().entries, 49);
        for n in 1..50 {
            calls! { hit: double(n) => 2 * n; }
        }
    }

    /// A companion that is written once for all functions takes what this one takes, by whatever names.
    #[test]
    fn of_a_function_of_plain_arguments() {
        #[memoize(engine = "memory")]
        fn joined(joined: &str, parts: &[u8], mut times: Option<u32>, arg: (u8, char)) -> Vec<String> {
            ran();
            let times = times.take().unwrap_or(1) as usize;
            vec![joined.repeat(times), format!("{parts:?}{}{}", arg.0, arg.1)]
        }
        let text = String::from("ab");
        let value = || vec!["abab".to_owned(), "[1]2c".to_owned()];
        calls! {
            miss: joined(&text, &[1], Some(2), (2, 'c')) => value();
            hit: joined::peek(&text, &[1], Some(2), (2, 'c')) => Some(value());
            hit: joined::peek("ab", &[1], None, (2, 'c')) => None;
            miss: joined::uncached(&text, &[1], Some(2), (2, 'c')) => value();
            miss: joined::refresh(&text, &[1], Some(2), (2, 'c')) => value();
            hit: joined::insert("x", &[], None, (0, 'x'), Vec::new()).unwrap();
            hit: joined("x", &[], None, (0, 'x')) => Vec::<String>::new();
            hit: joined::invalidate("x", &[], None, (0, 'x')).unwrap();
            hit: joined::peek("x", &[], None, (0, 'x')) => None;
        }
        joined::warm([(&*text, &[1][..], Some(2), (2, 'c')), ("y", &[], None, (0, 'y'))]);
        assert_eq!(joined::stats().entries, 2);
        assert_eq!(joined::plan().engines(), ["memory"]);
        joined::clear().unwrap();
        assert_eq!(joined::stats().entries, 0);
    }

    #[test]
    fn of_a_function_without_arguments() {
        #[memoize(engine = "memory")]
        fn answer() -> u64 {
            ran();
            42
        }
        calls! {
            miss: answer() => 42;
            hit: answer::peek() => Some(42);
            hit: answer::insert(1).unwrap();
            hit: answer() => 1;
            miss: answer::refresh() => 42;
            hit: answer::invalidate().unwrap();
            miss: answer::uncached() => 42;
            hit: answer::peek() => None;
        }
    }

    #[test]
    fn of_an_async_function() {
        #[memoize]
        async fn joined(words: &[&str], times: usize) -> String {
            ran();
            smol::future::yield_now().await;
            words.join("").repeat(times)
        }
        smol::block_on(async {
            assert_eq!(joined::peek(&["a"], 2).await, None);
            assert_eq!(joined(&["a"], 2).await, "aa");
            assert_eq!(joined::peek(&["a"], 2).await.as_deref(), Some("aa"));
            joined::insert(&["a"], 2, "xx".to_owned()).await.unwrap();
            assert_eq!(joined(&["a"], 2).await, "xx");
            assert_eq!(joined::uncached(&["a"], 2).await, "aa");
            assert_eq!(joined(&["a"], 2).await, "xx");
            assert_eq!(joined::refresh(&["a"], 2).await, "aa");
            assert_eq!(joined(&["a"], 2).await, "aa");
            joined::invalidate(&["a"], 2).await.unwrap();
            assert_eq!(joined::peek(&["a"], 2).await, None);
            joined::warm([(&["a", "b"][..], 1), (&["c"][..], 3)]).await;
            assert_eq!(joined::peek(&["c"], 3).await.as_deref(), Some("ccc"));
            assert_eq!(joined::stats().entries, 2);
            joined::clear().await.unwrap();
            assert_eq!(joined::stats().entries, 0);
        });
    }

    #[test]
    fn of_a_generic_function() {
        #[memoize]
        fn sized<T, const N: usize>(n: usize) -> usize {
            ran();
            n * N * size_of::<T>()
        }
        calls! {
            miss: sized::<u8, 2>(3) => 6;
            miss: sized::<u16, 2>(3) => 12;
            hit: sized::peek::<u8, 2>(3) => Some(6);
            hit: sized::peek::<u8, 3>(3) => None;
            hit: sized::insert::<u8, 3>(3, 1).unwrap();
            hit: sized::<u8, 3>(3) => 1;
            hit: sized::invalidate::<u8, 2>(3).unwrap();
            miss: sized::<u8, 2>(3) => 6;
            hit: sized::<u16, 2>(3) => 12;
            miss: sized::uncached::<u16, 2>(3) => 12;
            miss: sized::refresh::<u16, 2>(3) => 12;
        }
        sized::warm::<u32, 1>([1, 2]);
        // all instantiations have one control
        assert_eq!(sized::stats().entries, 5);
        sized::clear().unwrap();
        assert_eq!(sized::stats().entries, 0);
    }

    #[test]
    fn what_is_skipped_is_left_out() {
        struct Connection;
        #[memoize(skip(connection))]
        fn load(connection: &Connection, id: u32) -> u32 {
            let Connection = connection;
            ran();
            id
        }
        calls! {
            miss: load(&Connection, 1) => 1;
            hit: load::peek(1) => Some(1);
            hit: load::invalidate(1).unwrap();
            hit: load::insert(1, 7).unwrap();
            hit: load(&Connection, 1) => 7;
            miss: load::refresh(&Connection, 1) => 1;
            miss: load::uncached(&Connection, 1) => 1;
        }
    }

    /// Found by these tests: the companion's own arguments shadowed the author's.
    #[test]
    fn arguments_may_have_any_name() {
        #[memoize]
        #[allow(clippy::too_many_arguments)]
        fn all(
            value: u8,
            op: u8,
            this: u8,
            key: u8,
            outcome: u8,
            calls: u8,
            arg7: u8,
            (a, b): (u8, u8),
        ) -> u8 {
            ran();
            value + op + this + key + outcome + calls + arg7 + a + b
        }
        #[derive(Instance)]
        struct Thing {
            #[instance]
            id: u8,
        }
        impl Thing {
            #[memoize]
            pub fn sum(&self, this: u8, op: u8, arg3: u8, (a, b): (u8, u8)) -> u8 {
                ran();
                self.id + this + op + arg3 + a + b
            }
        }
        let thing = Thing { id: 1 };
        calls! {
            hit: all::insert(1, 2, 3, 4, 5, 6, 7, (8, 9), 100).unwrap();
            hit: all(1, 2, 3, 4, 5, 6, 7, (8, 9)) => 100;
            miss: all::refresh(1, 2, 3, 4, 5, 6, 7, (8, 9)) => 45;
            hit: all::peek(1, 2, 3, 4, 5, 6, 7, (8, 9)) => Some(45);
            miss: thing.sum(2, 3, 4, (5, 6)) => 21;
            hit: Thing::sum_memo().peek((&thing, 2, 3, 4, (5, 6))) => Some(21);
            miss: Thing::sum_memo().uncached((&thing, 2, 3, 4, (5, 6))) => 21;
        }
        all::warm([(1, 2, 3, 4, 5, 6, 7, (8, 10))]);
        assert_eq!(all::peek(1, 2, 3, 4, 5, 6, 7, (8, 10)), Some(46));
    }

    #[test]
    fn under_another_name_or_not_at_all() {
        #[memoize(companion = cache)]
        fn double(n: u32) -> u32 {
            2 * n
        }
        #[memoize(companion = false)]
        fn triple(n: u32) -> u32 {
            3 * n
        }
        #[allow(non_camel_case_types, dead_code)]
        enum triple {}
        assert_eq!((double(1), triple(1)), (2, 3));
        assert_eq!(cache::peek(1), Some(2));
    }

    #[test]
    fn a_value_that_is_not_stored_is_an_error_of_insert() {
        #[memoize(cache_none = false)]
        fn some(n: u32) -> Option<u32> {
            Some(n)
        }
        #[memoize]
        fn ok(n: u32) -> Result<u32, String> {
            Ok(n)
        }
        for error in [some::insert(1, None), ok::insert(1, Err("no".into()))] {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotStorable);
            assert!(!error.is_temporary());
            assert!(error.to_string().contains("control::companions::"), "{error}");
        }
        assert_eq!((some::peek(1), ok::peek(1)), (None, None));
        ok::insert(1, Ok(5)).unwrap();
        assert_eq!(ok(1), Ok(5));
    }

    #[test]
    fn peek_counts_as_no_use() {
        #[memoize]
        fn double(n: u32) -> u32 {
            2 * n
        }
        double(1);
        let before = double::stats();
        assert_eq!((double::peek(1), double::peek(2)), (Some(2), None));
        let after = double::stats();
        assert_eq!((before.hits, before.misses), (after.hits, after.misses));
    }
}

mod methods {
    use super::*;

    #[derive(Instance)]
    struct Catalogue {
        #[instance]
        id: u32,
        factor: u32,
    }

    impl Catalogue {
        #[memoize]
        pub fn price(&self, sku: &str) -> u32 {
            ran();
            self.factor * sku.len() as u32
        }

        #[memoize]
        pub async fn stock(&self, sku: &str) -> u32 {
            ran();
            smol::future::yield_now().await;
            self.factor + sku.len() as u32
        }

        #[memoize(skip(log))]
        pub fn parsed(text: &str, log: &str) -> Result<u32, String> {
            ran();
            text.parse().map_err(|_| format!("{log}: {text}"))
        }

        #[memoize(receiver = "skip")]
        pub fn alone(&self) -> u32 {
            ran();
            7
        }
    }

    #[test]
    fn a_method_has_its_control_beside_it() {
        let (one, two) = (Catalogue { id: 1, factor: 10 }, Catalogue { id: 2, factor: 20 });
        let control = Catalogue::price_memo;
        calls! {
            miss: one.price("ab") => 20;
            miss: two.price("ab") => 40;
            hit: control().peek((&one, "ab")) => Some(20);
            hit: control().peek((&two, "ab")) => Some(40);
            hit: control().invalidate((&one, "ab")).unwrap();
            hit: control().peek((&one, "ab")) => None;
            hit: control().insert((&one, "ab"), 5).unwrap();
            hit: one.price("ab") => 5;
            miss: control().uncached((&one, "ab")) => 20;
            hit: one.price("ab") => 5;
            miss: control().refresh((&one, "ab")) => 20;
            hit: one.price("ab") => 20;
            hit: two.price("ab") => 40;
        }
        control().warm([(&one, "x"), (&two, "y")]);
        assert_eq!(control().stats().entries, 4);
        assert_eq!(control().plan().engines(), ["memory"]);
        control().clear().unwrap();
        assert_eq!(control().stats().entries, 0);
    }

    #[test]
    fn an_async_method_too() {
        let one = Catalogue { id: 3, factor: 10 };
        let control = Catalogue::stock_memo;
        smol::block_on(async {
            assert_eq!(one.stock("ab").await, 12);
            assert_eq!(control().peek((&one, "ab")).await, Some(12));
            control().insert((&one, "ab"), 5).await.unwrap();
            assert_eq!(one.stock("ab").await, 5);
            assert_eq!(control().uncached((&one, "ab")).await, 12);
            assert_eq!(one.stock("ab").await, 5);
            assert_eq!(control().refresh((&one, "ab")).await, 12);
            assert_eq!(one.stock("ab").await, 12);
            control().invalidate((&one, "ab")).await.unwrap();
            assert_eq!(control().peek((&one, "ab")).await, None);
            control().warm([(&one, "x")]).await;
            assert_eq!(control().stats().entries, 1);
            control().clear().await.unwrap();
            assert_eq!(control().stats().entries, 0);
        });
    }

    #[test]
    fn an_associated_function_with_a_skipped_argument() {
        calls! {
            miss: Catalogue::parsed("1", "here") => Ok(1);
            hit: Catalogue::parsed_memo().peek("1") => Some(Ok(1));
            hit: Catalogue::parsed_memo().invalidate("1").unwrap();
            hit: Catalogue::parsed_memo().insert("1", Ok(9)).unwrap();
            hit: Catalogue::parsed("1", "there") => Ok(9);
            miss: Catalogue::parsed_memo().refresh(("1", "there")) => Ok(1);
        }
    }

    #[test]
    fn a_method_whose_receiver_is_skipped_is_controlled_without_it() {
        let one = Catalogue { id: 1, factor: 1 };
        calls! {
            miss: one.alone() => 7;
            hit: Catalogue::alone_memo().peek(()) => Some(7);
            hit: Catalogue::alone_memo().invalidate(()).unwrap();
            miss: Catalogue::alone_memo().refresh(&one) => 7;
        }
    }
}

mod directives {
    use super::*;

    #[test]
    fn uncached_neither_reads_nor_writes() {
        #[memoize]
        fn double(n: u32) -> u32 {
            2 * n
        }
        assert_eq!(double::uncached(1), 2);
        let stats = double::stats();
        assert_eq!((stats.hits, stats.misses, stats.stored, stats.entries), (0, 0, 0, 0));
        assert_eq!(double::peek(1), None);
    }

    #[test]
    fn they_hold_for_one_call_and_not_for_those_within() {
        #[memoize]
        fn inner(n: u32) -> u32 {
            n
        }
        #[memoize]
        fn outer(n: u32) -> u32 {
            if n == 0 { inner(n) } else { outer(n - 1) + 1 }
        }
        assert_eq!(outer::uncached(3), 3);
        // of the recursion, only the outermost call was meant
        assert_eq!([0, 1, 2, 3].map(outer::peek), [Some(0), Some(1), Some(2), None]);
        assert_eq!(inner::peek(0), Some(0));
        outer::insert(2, 20).unwrap();
        assert_eq!(outer::refresh(3), 21);
        assert_eq!(outer::peek(3), Some(21));
        assert_eq!(inner::stats().computes, 1);
    }

    #[test]
    fn they_hold_for_one_future_and_not_for_those_within() {
        #[memoize]
        async fn outer(n: u32) -> u32 {
            smol::future::yield_now().await;
            if n == 0 { 0 } else { Box::pin(outer(n - 1)).await + 1 }
        }
        smol::block_on(async {
            assert_eq!(outer::uncached(3).await, 3);
            assert_eq!(outer::peek(3).await, None);
            assert_eq!(outer::peek(2).await, Some(2));
            outer::insert(2, 20).await.unwrap();
            assert_eq!(outer::refresh(3).await, 21);
            assert_eq!(outer::peek(3).await, Some(21));
        });
    }

    #[test]
    fn they_hold_for_their_own_instantiation() {
        #[memoize]
        fn level<const N: u32>(n: u32) -> u32 {
            // the first call of the other instantiation, while the directive for this one has been taken
            if N > 0 && n == 1 { level::<0>(n) + N } else { n }
        }
        assert_eq!(level::uncached::<1>(1), 2);
        assert_eq!((level::peek::<1>(1), level::peek::<0>(1)), (None, Some(1)));
    }

    #[test]
    fn they_hold_for_the_call_and_not_for_its_arguments() {
        #[memoize]
        fn double(n: u32) -> u32 {
            ran();
            2 * n
        }
        // the key expression calls the function itself
        #[memoize(key = double(n))]
        fn keyed(n: u32) -> u32 {
            n
        }
        assert_eq!(double::uncached(double(1)), 4);
        assert_eq!((double::peek(1), double::peek(2)), (Some(2), None));
        assert_eq!(keyed::uncached(5), 5);
        assert_eq!(double::peek(5), Some(10));
    }

    #[test]
    fn promise_1_a_panic_leaves_nothing_behind() {
        thread_local! {
            static FAILS: Cell<bool> = const { Cell::new(true) };
        }
        #[memoize]
        fn double(n: u32) -> u32 {
            ran();
            if FAILS.replace(false) { throw("once") } else { 2 * n }
        }
        assert_eq!(caught(|| double::uncached(1)), Err("once"));
        calls! {
            miss: double(1) => 2;
            hit: double(1) => 2;
        }
        FAILS.set(true);
        assert_eq!(caught(|| double::refresh(1)), Err("once"));
        // what was stored is still there, and the next call is an ordinary one
        calls! { hit: double(1) => 2; }
        FAILS.set(true);
        let key = || -> u32 { throw("no key") };
        assert_eq!(caught(|| double::uncached(key())), Err("no key"));
        calls! { hit: double(1) => 2; }
    }

    #[test]
    fn a_future_that_is_dropped_leaves_nothing_behind() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn slow(n: u32) -> u32 {
            GATE.pass().await;
            n
        }
        drop(slow::uncached(1));
        drop(Task::started(slow::uncached(1)));
        drop(Task::started(slow::refresh(1)));
        let mut call = Task::started(slow(1));
        let mut second = Task::started(slow(1));
        GATE.open();
        assert_eq!((call.ready(), second.ready()), (1, 1));
        assert_eq!(slow::stats().computes, 1);
    }

    #[test]
    fn a_directive_is_for_its_own_thread() {
        #[memoize(skip(key))]
        fn meets(n: u32, key: &Followed) -> u32 {
            ran();
            // another thread calls while this one is uncached
            thread::scope(|scope| {
                scope.spawn(|| assert_eq!(other(n), n)).join().unwrap();
                scope.spawn(|| assert_eq!(other(n), n)).join().unwrap();
            });
            key.id() as u32
        }
        #[memoize]
        fn other(n: u32) -> u32 {
            n
        }
        assert_eq!(watched(|| meets::uncached(1, &Followed::new(3))), 3);
        assert_eq!(other::stats().hits, 1);
    }
}

mod seeing {
    use super::*;

    #[test]
    fn each_counter_counts_what_it_says() {
        #[memoize(capacity = "unbounded")]
        fn odd(n: u32) -> Result<u32, String> {
            if n % 2 == 1 { Ok(n) } else { Err("even".into()) }
        }
        for n in [1, 1, 2, 2, 3, 1] {
            let _ = odd(n);
        }
        let stats = odd::stats();
        assert_eq!((stats.hits, stats.misses, stats.computes, stats.waits), (2, 4, 4, 0));
        assert_eq!((stats.stored, stats.entries, stats.weight), (2, 2, 2));
        assert_eq!((stats.evicted, stats.expired), (0, 0));
        assert!((stats.hit_ratio() - 2.0 / 6.0).abs() < 1e-9);
        assert!(stats.compute_time > std::time::Duration::ZERO);

        odd::insert(5, Ok(5)).unwrap();
        let _ = (odd::uncached(7), odd::refresh(1));
        let stats = odd::stats();
        assert_eq!((stats.hits, stats.misses), (2, 4), "control is no call");
        assert_eq!((stats.computes, stats.stored, stats.entries), (6, 4, 3));
    }

    #[test]
    fn results_computed_again_after_an_eviction_are_counted() {
        #[memoize(capacity = 100)]
        fn turned(n: u32) -> u32 {
            n + 1
        }
        for n in 0..130 {
            assert_eq!(turned(n), n + 1);
        }
        assert_eq!(turned::stats().recomputed, 0);
        for _ in 0..20 {
            for n in 0..130 {
                assert_eq!(turned(n), n + 1);
            }
        }
        let stats = turned::stats();
        assert!(stats.recomputed > 100 && stats.recomputed <= stats.computes - 130, "{stats}");
        assert!(memo::report().to_string().contains("recomputed"));
    }

    /// In a process of its own, whose standard error is looked at.
    #[test]
    fn a_function_that_computes_again_what_it_has_just_evicted_is_told_once() {
        #[memoize(capacity = 100)]
        fn too_small(n: u32) -> u32 {
            n + 1
        }
        const INSIDE: &str = "MEMO_TEST_TOO_SMALL";
        if std::env::var_os(INSIDE).is_some() {
            let mut random = 1_u32;
            for _ in 0..50_000 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                too_small((random >> 16) % 200);
            }
            return;
        }
        let name =
            concat!(module_path!(), "::a_function_that_computes_again_what_it_has_just_evicted_is_told_once");
        // without the name of the crate
        let name = name.split_once("::").unwrap().1;
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<_> = said.lines().filter(|line| line.contains("has just evicted")).collect();
        assert_eq!(lines.len(), 1, "{said}");
        assert!(lines[0].contains("too_small` keeps 100 results"), "{said}");
        assert!(lines[0].ends_with("write a larger `capacity = ..`"), "{said}");
    }

    #[test]
    fn weight_and_evictions_are_counted() {
        #[memoize(weigh = |_, text| text.len() as u32, max_weight = 10)]
        fn text(n: usize) -> String {
            "x".repeat(n)
        }
        let _ = (text(4), text(5));
        let stats = text::stats();
        assert_eq!((stats.entries, stats.weight, stats.evicted), (2, 9, 0));
        text(3);
        let stats = text::stats();
        assert!(stats.weight <= 10 && stats.evicted >= 1, "{stats}");
        // one that is too heavy is returned, and not stored
        assert_eq!(text(11).len(), 11);
        assert_eq!(text::peek(11), None);
        assert_eq!(text::insert(11, "x".repeat(11)).unwrap_err().kind(), ErrorKind::NotStorable);
    }

    #[test]
    fn waits_are_counted() {
        #[memoize]
        fn slow(key: &Followed) -> u64 {
            key.wait_for(3);
            key.id()
        }
        watched(|| {
            let key = Followed::new(1);
            thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| slow(&key)))));
        });
        let stats = slow::stats();
        assert_eq!((stats.hits, stats.misses, stats.computes, stats.waits), (0, 4, 1, 3));
    }

    #[test]
    fn counts_are_exact_under_four_threads() {
        #[memoize]
        fn double(n: u32) -> u32 {
            2 * n
        }
        const CALLS: u32 = 50_000;
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..CALLS).for_each(|n| assert_eq!(double(n % 100), 2 * (n % 100))));
            }
        });
        let stats = double::stats();
        assert_eq!(stats.hits + stats.misses, u64::from(4 * CALLS));
        assert_eq!((stats.computes, stats.stored, stats.entries), (100, 100, 100));
        assert_eq!(stats.misses, stats.computes + stats.waits);
    }

    #[test]
    fn functions_are_found_by_name_once_they_have_run() {
        #[memoize]
        fn runs_once(n: u32) -> u32 {
            n
        }
        #[memoize(name = "control-tests::named")]
        fn has_a_name(n: u32) -> u32 {
            n
        }
        let path = concat!(module_path!(), "::runs_once");
        assert!(memo::function(path).is_none());
        assert_eq!(runs_once::stats(), memo::Stats::default());
        let _ = (runs_once(1), runs_once(1), has_a_name(1));
        let found = memo::function(path).unwrap();
        assert_eq!((found.name(), found.instantiations()), (path, 1));
        assert_eq!((found.stats().hits, found.stats().computes), (1, 1));
        assert_eq!(found.plan(), runs_once::plan());
        found.clear().unwrap();
        assert_eq!(runs_once::peek(1), None);
        assert!(memo::function("control-tests::named").is_some());
        let names: Vec<_> = memo::functions().iter().map(|function| function.name().to_owned()).collect();
        assert!(names.is_sorted() && names.iter().any(|name| name == path));
    }

    #[test]
    fn methods_are_found_by_the_name_of_their_type() {
        trait Area {
            fn area(&self) -> u32;
        }
        struct Square(u32);
        struct Frame<T>(u32, std::marker::PhantomData<T>);
        impl Area for Square {
            #[memoize(receiver = self.0)]
            fn area(&self) -> u32 {
                ran();
                self.0 * self.0
            }
        }
        impl<T> Area for Frame<T> {
            #[memoize(receiver = self.0)]
            fn area(&self) -> u32 {
                4 * self.0
            }
        }
        calls! {
            miss: Square(3).area() => 9;
            hit: Square(3).area() => 9;
        }
        let named = |ends: &str| {
            let functions = memo::functions();
            let name = functions.iter().map(|function| function.name()).find(|name| name.ends_with(ends));
            memo::function(name.unwrap_or_else(|| panic!("no {ends}"))).unwrap()
        };
        let square = named("Square::area");
        assert_eq!((square.stats().hits, square.stats().computes), (1, 1));
        square.clear().unwrap();
        calls! { miss: Square(3).area() => 9; }
        // all instantiations of a generic type have one name
        let _ = (Frame::<u8>(1, Default::default()).area(), Frame::<u16>(1, Default::default()).area());
        assert_eq!(named("Frame::area").instantiations(), 2);
    }

    #[test]
    fn the_report_is_a_table_of_all() {
        #[memoize(name = "control-tests::reported")]
        fn reported(n: u32) -> u32 {
            n
        }
        let _ = (reported(1), reported(1));
        let report = memo::report();
        let (_, stats) = report.rows().find(|(name, _)| *name == "control-tests::reported").unwrap();
        assert_eq!((stats.hits, stats.misses), (1, 1));
        let table = report.to_string();
        let line = table.lines().find(|line| line.starts_with("control-tests::reported")).unwrap();
        assert!(line.contains("50.0"), "{line}");
        assert!(table.starts_with("function"), "{table}");
    }

    #[test]
    fn the_plan_is_there_before_the_first_call_and_the_same_after() {
        static EVALUATED: AtomicU32 = AtomicU32::new(0);
        fn capacity() -> u64 {
            EVALUATED.fetch_add(1, Ordering::Relaxed);
            5
        }
        #[memoize(engine = "memory", capacity = capacity(), ttl = "5m", tti = "1m")]
        fn planned(n: u32) -> u32 {
            n
        }
        let before = planned::plan();
        assert_eq!(before.engines(), ["memory"]);
        let text = before.to_string();
        for part in ["`engine = \"memory\"` is asked for", "at most 5 entries", "5m", "1m"] {
            assert!(text.contains(part), "{text}");
        }
        let evaluated = EVALUATED.load(Ordering::Relaxed);
        let _ = (planned(1), planned(2));
        assert_eq!(EVALUATED.load(Ordering::Relaxed), evaluated + 1, "once, at the first call");
        assert_eq!(planned::plan(), before);
        assert_eq!(EVALUATED.load(Ordering::Relaxed), evaluated + 1);
    }
}
