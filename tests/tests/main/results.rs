//! What of a result is stored, and what those who waited get: API §4. Promise 23.

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use memo::memoize;
use memo_tests::{AsyncGate, Followed, Task, calls, caught, ran, throw, watched};

mod stored {
    use super::*;

    #[test]
    fn ok_is_stored_and_err_is_not() {
        #[memoize]
        fn halved(n: u32) -> Result<u32, String> {
            ran();
            if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) }
        }
        calls! {
            miss: halved(4) => Ok(2);
            hit: halved(4) => Ok(2);
            miss: halved(3) => Err("3 is odd".to_owned());
            miss: halved(3) => Err("3 is odd".to_owned());
        }
        assert_eq!(halved::stats().entries, 1);
    }

    #[test]
    fn promise_23_an_origin_that_fails_k_times() {
        #[memoize(skip(failures))]
        fn fetch(k: usize, failures: &AtomicUsize) -> Result<usize, &'static str> {
            ran();
            match failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                Ok(_) => Err("not yet"),
                Err(_) => Ok(k),
            }
        }
        for k in 0..20 {
            let failures = AtomicUsize::new(k);
            for _ in 0..k {
                calls! { miss: fetch(k, &failures) => Err("not yet"); }
            }
            calls! {
                miss: fetch(k, &failures) => Ok(k);
                hit: fetch(k, &failures) => Ok(k);
            }
        }
    }

    #[test]
    fn promise_23_also_of_async_functions() {
        #[memoize(skip(fails))]
        async fn fetch(n: u32, fails: bool) -> Result<u32, &'static str> {
            ran();
            smol::future::yield_now().await;
            if fails { Err("not yet") } else { Ok(n) }
        }
        let fetch = |fails| smol::block_on(fetch(1, fails));
        calls! {
            miss: fetch(true) => Err("not yet");
            miss: fetch(true) => Err("not yet");
            miss: fetch(false) => Ok(1);
            hit: fetch(true) => Ok(1);
        }
    }

    #[test]
    fn a_result_behind_an_alias_is_a_result() {
        type Answer<T> = Result<T, io::ErrorKind>;
        type Number = Answer<u32>;
        #[memoize]
        fn by_io(fail: bool) -> io::Result<u32> {
            ran();
            if fail { Err(io::ErrorKind::NotFound.into()) } else { Ok(1) }
        }
        #[memoize]
        fn by_alias(fail: bool) -> Number {
            ran();
            if fail { Err(io::ErrorKind::NotFound) } else { Ok(1) }
        }
        calls! {
            miss: by_io(true).unwrap_err().kind() => io::ErrorKind::NotFound;
            miss: by_io(true).unwrap_err().kind() => io::ErrorKind::NotFound;
            miss: by_io(false).unwrap() => 1;
            hit: by_io(false).unwrap() => 1;
            miss: by_alias(true) => Err(io::ErrorKind::NotFound);
            miss: by_alias(true) => Err(io::ErrorKind::NotFound);
            miss: by_alias(false) => Ok(1);
            hit: by_alias(false) => Ok(1);
        }
    }

    #[test]
    fn an_error_needs_no_trait_at_all() {
        struct Bare(#[allow(dead_code)] Rc<u8>);
        #[memoize]
        fn fails(n: u32) -> Result<u32, Bare> {
            ran();
            if n == 0 { Err(Bare(Rc::new(1))) } else { Ok(n) }
        }
        #[memoize]
        async fn fails_later(n: u32) -> Result<u32, Bare> {
            ran();
            smol::future::yield_now().await;
            if n == 0 { Err(Bare(Rc::new(1))) } else { Ok(n) }
        }
        calls! {
            miss: fails(0).is_err() => true;
            miss: fails(0).is_err() => true;
            miss: fails(1).is_ok() => true;
            hit: fails(1).is_ok() => true;
            miss: smol::block_on(fails_later(0)).is_err() => true;
            miss: smol::block_on(fails_later(1)).is_ok() => true;
            hit: smol::block_on(fails_later(1)).is_ok() => true;
        }
    }

    #[test]
    fn the_body_may_leave_by_the_question_mark_and_by_return() {
        #[memoize]
        fn sum(a: &str, b: &str) -> Result<u32, std::num::ParseIntError> {
            ran();
            let a: u32 = a.parse()?;
            if b.is_empty() {
                return Ok(a);
            }
            Ok(a + b.parse::<u32>()?)
        }
        #[memoize]
        async fn first(words: &[&str]) -> Option<String> {
            ran();
            smol::future::yield_now().await;
            Some((*words.first()?).to_owned())
        }
        calls! {
            miss: sum("1", "2") => Ok(3);
            hit: sum("1", "2") => Ok(3);
            miss: sum("1", "") => Ok(1);
            hit: sum("1", "") => Ok(1);
            miss: sum("x", "2").is_err() => true;
            miss: sum("x", "2").is_err() => true;
            miss: smol::block_on(first(&[])) => None;
            hit: smol::block_on(first(&[])) => None;
            miss: smol::block_on(first(&["a"])) => Some("a".to_owned());
        }
    }

    #[test]
    fn none_is_a_result_like_any_other() {
        #[memoize]
        fn root(n: u32) -> Option<u32> {
            ran();
            (0..=n).find(|root| root * root == n)
        }
        calls! {
            miss: root(9) => Some(3);
            miss: root(8) => None;
            hit: root(8) => None;
            hit: root(9) => Some(3);
        }
    }

    #[test]
    fn cache_none_false_does_not_store_none() {
        #[memoize(cache_none = false)]
        fn root(n: u32) -> Option<u32> {
            ran();
            (0..=n).find(|root| root * root == n)
        }
        #[memoize(cache_none = false)]
        fn found(n: u32) -> Result<Option<u32>, String> {
            ran();
            if n == 0 { Err("zero".into()) } else { Ok(root(n)) }
        }
        type Maybe = Option<u8>;
        #[memoize(cache_none = false)]
        fn aliased(n: u8) -> Maybe {
            ran();
            n.checked_sub(1)
        }
        calls! {
            miss: root(8) => None;
            miss: root(8) => None;
            miss: root(9) => Some(3);
            hit: root(9) => Some(3);
            miss: found(0).is_err() => true;
            miss: found(0).is_err() => true;
            miss: found(9) => Ok(Some(3));
            hit: found(9) => Ok(Some(3));
            miss: aliased(0) => None;
            miss: aliased(0) => None;
            miss: aliased(1) => Some(0);
            hit: aliased(1) => Some(0);
        }
        let (runs, _) = memo_tests::runs_in(|| found(8));
        assert_eq!(runs, 2, "`found` and `root`, since neither is stored");
    }

    #[test]
    fn cache_if_decides_over_what_would_be_stored() {
        #[memoize(cache_if = |page| !page.is_empty())]
        fn page(n: u32) -> Vec<u32> {
            ran();
            (0..n).collect()
        }
        // of a `Result`, the value in `Ok`
        #[memoize(cache_if = |n| *n > 1)]
        fn checked(n: u32) -> Result<u32, String> {
            ran();
            Ok(n)
        }
        calls! {
            miss: page(0).len() => 0;
            miss: page(0).len() => 0;
            miss: page(1) => [0];
            hit: page(1) => [0];
            miss: checked(1) => Ok(1);
            miss: checked(1) => Ok(1);
            miss: checked(2) => Ok(2);
            hit: checked(2) => Ok(2);
        }
    }

    #[test]
    fn cache_err_stores_errors_too() {
        #[memoize(cache_err = true)]
        fn always(n: u32) -> Result<u32, String> {
            ran();
            if n == 0 { Err("zero".into()) } else { Ok(n) }
        }
        #[memoize(cache_err = "1h")]
        fn a_while(n: u32) -> Result<u32, String> {
            ran();
            if n == 0 { Err("zero".into()) } else { Ok(n) }
        }
        #[memoize(cache_err = true, cache_if = |result| !matches!(result, Err(error) if error == "busy"))]
        fn sometimes(error: &str) -> Result<u32, String> {
            ran();
            Err(error.to_owned())
        }
        calls! {
            miss: always(0) => Err("zero".into());
            hit: always(0) => Err("zero".into());
            miss: always(1) => Ok(1);
            hit: always(1) => Ok(1);
            miss: a_while(0) => Err("zero".into());
            hit: a_while(0) => Err("zero".into());
            miss: sometimes("busy") => Err("busy".into());
            miss: sometimes("busy") => Err("busy".into());
            miss: sometimes("gone") => Err("gone".into());
            hit: sometimes("gone") => Err("gone".into());
        }
    }

    #[test]
    fn a_lifetime_of_zero_by_ttl_of_is_not_stored() {
        #[memoize(ttl_of = |n| Some(Duration::from_secs(u64::from(*n) * 3600)))]
        fn lives(n: u32) -> u32 {
            ran();
            n
        }
        calls! {
            miss: lives(0) => 0;
            miss: lives(0) => 0;
            miss: lives(1) => 1;
            hit: lives(1) => 1;
        }
    }

    #[test]
    fn hits_clone_so_an_arc_is_shared() {
        #[memoize]
        fn table(n: usize) -> Arc<Vec<usize>> {
            Arc::new((0..n).collect())
        }
        assert!(Arc::ptr_eq(&table(10), &table(10)));
    }
}

mod waiting {
    use super::*;

    #[test]
    fn waiters_on_a_failure_get_the_error_where_it_is_clone() {
        #[memoize]
        fn fails(key: &Followed) -> Result<u32, Arc<str>> {
            key.wait_for(7);
            Err("once".into())
        }
        watched(|| {
            let key = Followed::new(1);
            let errors: Vec<_> = thread::scope(|scope| {
                let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| fails(&key).unwrap_err())).collect();
                calls.into_iter().map(|call| call.join().unwrap()).collect()
            });
            assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])), "one error for all");
        });
        let stats = fails::stats();
        assert_eq!((stats.computes, stats.waits, stats.stored), (1, 7, 0));
    }

    #[test]
    fn waiting_tasks_on_a_failure_get_the_error_where_it_is_clone() {
        static GATE: AsyncGate = AsyncGate::new();
        #[memoize]
        async fn fails(n: u32) -> Result<u32, String> {
            GATE.pass().await;
            Err(format!("{n} failed"))
        }
        let mut leader = Task::started(fails(1));
        let mut waiting: Vec<_> = (0..100).map(|_| Task::started(fails(1))).collect();
        GATE.open();
        assert_eq!(leader.ready(), Err("1 failed".into()));
        for task in &mut waiting {
            assert!(task.is_woken());
            assert_eq!(task.ready(), Err("1 failed".into()));
        }
        assert_eq!(fails::stats().computes, 1);
    }

    #[test]
    fn waiters_compute_all_at_once_where_the_error_is_not_clone_and_that_is_asked_for() {
        const WAITERS: usize = 7;
        struct NotClone;
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize(on_error = "all")]
        fn fails(key: &Followed) -> Result<u32, NotClone> {
            // opens only if all who waited compute at the same time
            static ALL: Barrier = Barrier::new(WAITERS);
            if RUNS.fetch_add(1, Ordering::SeqCst) == 0 {
                key.wait_for(WAITERS);
            } else {
                ALL.wait();
            }
            Err(NotClone)
        }
        watched(|| {
            let key = Followed::new(1);
            thread::scope(|scope| {
                (0..=WAITERS).for_each(|_| drop(scope.spawn(|| assert!(fails(&key).is_err()))));
            });
        });
        assert_eq!(RUNS.load(Ordering::SeqCst), WAITERS + 1);
    }

    #[test]
    fn waiting_tasks_compute_all_at_once_where_the_error_is_not_clone_and_that_is_asked_for() {
        struct NotClone;
        static FIRST: AsyncGate = AsyncGate::new();
        static OTHERS: AsyncGate = AsyncGate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize(on_error = "all")]
        async fn fails(n: u32) -> Result<u32, NotClone> {
            let gate = if RUNS.fetch_add(1, Ordering::SeqCst) == 0 { &FIRST } else { &OTHERS };
            gate.pass().await;
            Err(NotClone)
        }
        let mut leader = Task::started(fails(1));
        let mut waiting: Vec<_> = (0..100).map(|_| Task::started(fails(1))).collect();
        FIRST.open();
        assert!(leader.ready().is_err());
        waiting.iter_mut().for_each(Task::pending);
        assert_eq!(RUNS.load(Ordering::SeqCst), 101, "all of them at once");
        OTHERS.open();
        waiting.iter_mut().for_each(|task| assert!(task.ready().is_err()));
    }

    #[test]
    fn of_those_who_compute_after_an_error_whoever_succeeds_stores() {
        struct NotClone;
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        fn fails_first(key: &Followed) -> Result<u64, NotClone> {
            if RUNS.fetch_add(1, Ordering::SeqCst) == 0 {
                key.wait_for(3);
                return Err(NotClone);
            }
            Ok(key.id())
        }
        watched(|| {
            let key = Followed::new(9);
            let good = thread::scope(|scope| {
                let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| fails_first(&key).ok())).collect();
                calls.into_iter().filter_map(|call| call.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(good, [9, 9, 9]);
            assert_eq!(fails_first::peek(&key).and_then(Result::ok), Some(9));
        });
    }

    #[test]
    fn waiters_get_a_value_that_is_not_stored() {
        #[memoize(cache_if = |_| false)]
        fn fleeting(key: &Followed) -> u64 {
            key.wait_for(3);
            key.id()
        }
        watched(|| {
            let key = Followed::new(4);
            thread::scope(|scope| {
                (0..4).for_each(|_| drop(scope.spawn(|| assert_eq!(fleeting(&key), 4))));
            });
        });
        let stats = fleeting::stats();
        assert_eq!((stats.computes, stats.waits, stats.stored), (1, 3, 0));
    }

    #[test]
    fn a_panic_is_not_shared() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        #[memoize]
        fn fails(key: &Followed) -> Result<u64, String> {
            match RUNS.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    key.wait_for(1);
                    throw("only for one")
                }
                _ => Err("for the other".into()),
            }
        }
        watched(|| {
            let key = Followed::new(1);
            let mut outcomes = thread::scope(|scope| {
                let calls = [0, 1].map(|_| scope.spawn(|| caught(|| fails(&key))));
                calls.map(|call| call.join().unwrap())
            });
            outcomes.sort();
            assert_eq!(outcomes, [Ok(Err("for the other".into())), Err("only for one")]);
        });
    }
}
