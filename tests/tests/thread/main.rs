//! The engine `thread`: results stay on the thread that computed them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use memo::{Instance, memoize};

fn panics(call: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

/// Runs `work` on a thread of its own, to the thread's very end.
fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(work).join().expect("no panic"))
}

mod kept {
    use super::*;

    #[test]
    fn each_thread_computes_for_itself() {
        #[memoize(engine = "thread")]
        fn double(n: u64) -> u64 {
            n * 2
        }
        let work = || (0..10).for_each(|n| assert_eq!(double(n % 5), n % 5 * 2));
        work();
        elsewhere(work);
        let stats = double::stats();
        assert_eq!((stats.hits, stats.misses, stats.computes, stats.stored), (10, 10, 10, 10));
        assert_eq!(stats.entries, 5, "the other thread's are gone with it");
    }

    #[test]
    fn keys_and_results_need_be_neither_send_nor_sync() {
        #[memoize(engine = "thread")]
        fn spelled(word: &Rc<str>, times: u32) -> Rc<RefCell<String>> {
            Rc::new(RefCell::new(word.repeat(times as usize)))
        }
        let word: Rc<str> = "ab".into();
        let first = spelled(&word, 2);
        first.borrow_mut().push('!');
        assert_eq!(*spelled(&"ab".into(), 2).borrow(), "abab!", "it is the same one");
        assert!(Rc::ptr_eq(&first, &spelled(&word, 2)));
        assert_eq!(*elsewhere(|| spelled(&"ab".into(), 2).borrow().clone()), *"abab");
    }

    #[test]
    fn all_forms_of_keys() {
        #[memoize(engine = "thread")]
        fn all(
            text: &str,
            list: &[f64],
            pair: (u8, &str),
            option: Option<&Rc<u8>>,
            owned: Vec<Rc<str>>,
            cow: std::borrow::Cow<'_, str>,
        ) -> usize {
            text.len()
                + list.len()
                + usize::from(pair.0)
                + option.map_or(0, |n| usize::from(**n))
                + owned.len()
                + cow.len()
        }
        let (rc, word) = (Rc::new(7), Rc::<str>::from("x"));
        for _ in 0..2 {
            assert_eq!(all("a", &[-0.0, f64::NAN], (1, "b"), Some(&rc), vec![word.clone()], "cd".into()), 14);
            assert_eq!(all("a", &[0.0, f64::NAN], (1, "b"), Some(&rc), vec![word.clone()], "cd".into()), 14);
            assert_eq!(all("a", &[0.0], (1, "b"), None, vec![], "cd".into()), 5);
        }
        assert_eq!(all::stats().computes, 2);
    }

    #[test]
    fn a_recursion_of_any_shape() {
        #[memoize(engine = "thread", capacity = "unbounded")]
        fn paths(right: u64, down: u64) -> u64 {
            match (right, down) {
                (0, _) | (_, 0) => 1,
                _ => paths(right - 1, down).wrapping_add(paths(right, down - 1)),
            }
        }
        assert_eq!(paths(30, 30), 118_264_581_564_861_424);
        let stats = paths::stats();
        assert_eq!((stats.computes, stats.entries), (31 * 31 - 1, 31 * 31 - 1));
    }

    #[test]
    fn a_cycle_computes() {
        thread_local!(static DEPTH: Cell<u32> = const { Cell::new(0) });
        #[memoize(engine = "thread")]
        fn cycle(n: u64) -> u64 {
            let depth = DEPTH.replace(DEPTH.get() + 1);
            if depth < 3 { cycle(n) + 1 } else { n }
        }
        assert_eq!(cycle(1), 4);
        assert_eq!((cycle(1), cycle::stats().computes), (4, 4));
    }

    #[test]
    fn type_parameters_and_methods() {
        struct Shop<T> {
            id: u32,
            _of: T,
        }
        impl<T> Instance for Shop<T> {
            type Id = u32;
            fn instance(&self) -> &u32 {
                &self.id
            }
        }
        impl<T: 'static> Shop<T> {
            #[memoize(engine = "thread")]
            fn size(&self, plus: usize) -> Rc<usize> {
                Rc::new(size_of::<T>() + plus)
            }
        }
        let (small, large) = (Shop { id: 1, _of: 1_u8 }, Shop { id: 1, _of: 1_u64 });
        for _ in 0..2 {
            assert_eq!((*small.size(1), *large.size(1)), (2, 9));
        }
        assert_eq!(Shop::<u8>::size_memo().peek((&small, 1)).map(|size| *size), Some(2));
        Shop::<u8>::size_memo().invalidate((&small, 1)).unwrap();
        assert_eq!(Shop::<u8>::size_memo().peek((&small, 1)), None);
        assert!(Shop::<u64>::size_memo().peek((&large, 1)).is_some());
    }

    #[test]
    fn counts_are_exact_whatever_becomes_of_a_miss() {
        #[memoize(engine = "thread")]
        fn ends(n: u64) -> Result<u64, String> {
            match n {
                0 => Err("not stored".into()),
                1 => panic!("on purpose"),
                2 => ends(3).map(|found| found + 1),
                3 => Ok(3),
                n => {
                    ends::invalidate(n).unwrap();
                    Ok(n)
                }
            }
        }
        for _ in 0..2 {
            assert!(ends(0).is_err());
            assert!(panics(|| drop(ends(1))));
            assert_eq!((ends(2), ends(4)), (Ok(4), Ok(4)));
        }
        let stats = ends::stats();
        assert_eq!((stats.hits, stats.misses, stats.computes, stats.stored), (1, 8, 6, 2));
        assert_eq!((stats.entries, stats.weight), (2, 2));
    }

    #[test]
    fn errors_and_none_as_elsewhere() {
        #[memoize(engine = "thread")]
        fn fallible(n: u32) -> Result<Rc<u32>, Box<dyn std::error::Error>> {
            if n == 0 { Err("zero".into()) } else { Ok(Rc::new(n)) }
        }
        #[memoize(engine = "thread", cache_err = true, cache_none = false)]
        fn kept(n: u32) -> Result<Option<u32>, Rc<str>> {
            match n {
                0 => Err("zero".into()),
                1 => Ok(None),
                n => Ok(Some(n)),
            }
        }
        for _ in 0..2 {
            assert!(fallible(0).is_err());
            assert_eq!(*fallible(1).unwrap(), 1);
            assert_eq!((kept(0), kept(1), kept(2)), (Err("zero".into()), Ok(None), Ok(Some(2))));
        }
        assert_eq!((fallible::stats().computes, kept::stats().computes), (3, 4));
    }
}

mod bounds {
    use super::*;

    #[test]
    fn a_capacity_holds_by_thread_and_what_is_used_stays() {
        #[memoize(engine = "thread", capacity = 100)]
        fn bounded(n: u64) -> u64 {
            n
        }
        (0..50).for_each(|n| _ = bounded(n));
        for n in 1_000..3_000 {
            bounded(n);
            bounded(n % 50);
        }
        let stats = bounded::stats();
        assert_eq!((stats.entries, stats.stored - stats.evicted), (100, 100));
        let computes = stats.computes;
        (0..50).for_each(|n| _ = bounded(n));
        assert_eq!(bounded::stats().computes, computes, "what is used has outlasted the scan");
    }

    #[test]
    fn weights_lifetimes_and_idle_times() {
        #[memoize(engine = "thread", max_weight = 10, weigh = |_, text| text.len() as u32)]
        fn weighed(n: usize) -> Rc<str> {
            "x".repeat(n).into()
        }
        (1..=5).for_each(|n| drop(weighed(n)));
        assert!(weighed::stats().weight <= 10);
        assert_eq!(weighed(11).len(), 11, "the oversized is returned");
        assert!(weighed::peek(11).is_none());

        #[memoize(engine = "thread", ttl = "1h")]
        fn lives(n: u64) -> u64 {
            n
        }
        #[memoize(engine = "thread", tti = "1h")]
        fn idles(n: u64) -> u64 {
            n
        }
        #[memoize(engine = "thread", ttl_of = |n| (*n > 0).then(|| Duration::from_secs(60 * *n)))]
        fn says(n: u64) -> u64 {
            n
        }
        let all = || (lives(1), idles(1), says(1), says(0));
        (0..2).for_each(|_| _ = all());
        memo::__private::testing::advance(Duration::from_secs(2_000));
        all();
        memo::__private::testing::advance(Duration::from_secs(2_000));
        all();
        let computes = [lives::stats(), idles::stats(), says::stats()].map(|stats| stats.computes);
        assert_eq!(computes, [2, 1, 4]);
        assert_eq!(lives::stats().expired, 1);
    }

    #[test]
    fn a_scope_gives_lifetimes_to_what_has_none() {
        #[memoize(engine = "thread", capacity = "unbounded")]
        fn plain(n: u64) -> u64 {
            n
        }
        plain(1);
        memo::scope().ttl("1h").with(|| plain(2));
        memo::__private::testing::advance(Duration::from_secs(4_000));
        plain(1);
        plain(2);
        assert_eq!(plain::stats().computes, 3);
    }
}

mod controlled {
    use super::*;

    #[test]
    fn the_companion_is_about_this_threads_table() {
        #[memoize(engine = "thread")]
        fn double(n: u64) -> Rc<u64> {
            Rc::new(n * 2)
        }
        assert_eq!(double::peek(1), None);
        double::insert(1, Rc::new(7)).unwrap();
        assert_eq!((*double(1), double::peek(1)), (7, Some(Rc::new(7))));
        elsewhere(|| {
            assert_eq!(double::peek(1), None);
            assert_eq!(*double(1), 2);
        });
        assert_eq!((*double::uncached(1), *double(1)), (2, 7));
        assert_eq!((*double::refresh(1), *double(1)), (2, 2));
        double::warm([3, 4]);
        assert_eq!((double::peek(3).as_deref(), double::peek(5)), (Some(&6), None));
        double::invalidate(3).unwrap();
        assert_eq!(double::peek(3), None);
        assert_eq!(double::plan().engines(), ["thread"]);
        assert_eq!(
            double::plan().to_string(),
            "Results live in a table of each thread's own: `engine = \"thread\"` is asked for; each table holds at \
             most 10000 entries"
        );
    }

    #[test]
    fn clear_reaches_the_tables_of_all_threads() {
        #[memoize(engine = "thread")]
        fn double(n: u64) -> u64 {
            n * 2
        }
        let (full, cleared) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..10).for_each(|n| _ = double(n));
                full.wait();
                cleared.wait();
                assert_eq!(double::peek(1), None);
                double(1);
            });
            full.wait();
            assert_eq!(double::stats().entries, 10);
            double::clear().unwrap();
            assert_eq!(double::stats().entries, 0);
            cleared.wait();
        });
        assert_eq!(double::stats().computes, 11);
    }

    #[test]
    fn promise_6_what_is_invalidated_while_it_is_computed_is_not_stored() {
        #[memoize(engine = "thread")]
        fn during(n: u64) -> u64 {
            match n {
                0 => during::invalidate(0).unwrap(),
                1 => during::clear().unwrap(),
                2 => elsewhere(|| during::clear().unwrap()),
                3 => during::insert(3, 30).unwrap(),
                // of another key, and of one further out
                4 => during::invalidate(99).unwrap(),
                5 => drop(during(6)),
                6 => during::invalidate(5).unwrap(),
                _ => {}
            }
            n
        }
        (0..=5).for_each(|n| assert_eq!(during(n), n));
        assert_eq!([0, 1, 2, 5].map(during::peek), [None; 4]);
        assert_eq!([3, 4, 6].map(during::peek), [Some(30), Some(4), Some(6)]);
    }

    #[test]
    fn scopes() {
        #[memoize(engine = "thread")]
        fn scoped(n: u64) -> Rc<u64> {
            Rc::new(n)
        }
        let computes = || scoped::stats().computes;
        scoped(1);
        memo::scope().bypass().with(|| scoped(1));
        assert_eq!(computes(), 2);
        memo::scope().refresh().with(|| scoped(1));
        assert_eq!(computes(), 3);
        memo::scope().read_only().with(|| (scoped(1), scoped(2)));
        assert_eq!((computes(), scoped::peek(2)), (4, None));
        memo::scope().namespace("tenant").with(|| (scoped(1), scoped(1)));
        assert_eq!(computes(), 5);
        memo::scope().isolated().with(|| (scoped(1), scoped(1)));
        assert_eq!(computes(), 6);
        // whatever they ask for: a result may be such that no other engine can have it
        memo::scope().engine("memory").with(|| (scoped(1), scoped(1)));
        assert_eq!(computes(), 7);
        let plan = memo::scope().engine("memory").with(scoped::plan);
        assert_eq!(plan.engines(), ["thread"]);
        assert!(plan.to_string().contains("results stay on their thread, so memory is left out"), "{plan}");
        let recording = memo::scope().record();
        let recorded = recording.with(|| (scoped(1), scoped(8)));
        assert_eq!((*recorded.0, *recorded.1), (1, 8));
    }

    #[test]
    fn other_functions_cannot_be_sent_there() {
        #[memoize]
        fn shared(n: u64) -> u64 {
            n
        }
        shared(1);
        let plan = memo::scope().engine("thread").with(shared::plan);
        assert_eq!(plan.engines(), ["memory"], "{plan}");
        assert!(plan.to_string().contains("thread is for functions whose attribute says"), "{plan}");
    }
}

mod user_code {
    use super::*;

    #[test]
    fn promise_1_a_panic_reaches_its_caller_and_nothing_is_stored() {
        thread_local!(static FAILS: Cell<bool> = const { Cell::new(true) });
        #[memoize(engine = "thread")]
        fn risky(n: u64) -> u64 {
            assert!(!FAILS.get(), "on purpose");
            n
        }
        (0..100).for_each(|_| assert!(panics(|| _ = risky(1))));
        FAILS.set(false);
        assert_eq!((risky(1), risky(1)), (1, 1));
        assert_eq!((risky::stats().computes, risky::stats().entries), (1, 1));
    }

    thread_local! {
        static PRYING: Cell<bool> = const { Cell::new(false) };
    }

    /// Calls the function that it is a key and a result of, in all that it does.
    #[derive(Debug)]
    struct Nosy(u64);

    impl Nosy {
        fn pry(&self) {
            if !PRYING.replace(true) {
                nosy(Nosy(self.0 + 100));
                nosy::peek(Nosy(1));
                nosy::invalidate(Nosy(50)).unwrap();
                PRYING.set(false);
            }
        }
    }
    impl Clone for Nosy {
        fn clone(&self) -> Self {
            self.pry();
            Nosy(self.0)
        }
    }
    impl PartialEq for Nosy {
        fn eq(&self, other: &Self) -> bool {
            self.pry();
            self.0 == other.0
        }
    }
    impl Eq for Nosy {}
    impl std::hash::Hash for Nosy {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.pry();
            self.0.hash(state);
        }
    }
    impl Drop for Nosy {
        fn drop(&mut self) {
            self.pry();
        }
    }

    #[memoize(engine = "thread", capacity = 3)]
    fn nosy(n: Nosy) -> Nosy {
        Nosy(n.0 * 2)
    }

    #[test]
    fn promise_5_whatever_it_calls_works() {
        for n in 0..200 {
            assert_eq!(nosy(Nosy(n % 7)).0, n % 7 * 2);
        }
        assert!(nosy::stats().entries <= 3);
    }

    #[test]
    fn promise_4_a_panic_in_it_leaves_the_table_as_it_was() {
        thread_local!(static LEFT: Cell<u32> = const { Cell::new(u32::MAX) });
        fn tick() {
            match LEFT.get() {
                0 => {
                    LEFT.set(u32::MAX);
                    panic!("on purpose");
                }
                left => LEFT.set(left.saturating_sub(1)),
            }
        }
        #[derive(Debug)]
        struct Loud(u64);
        impl Clone for Loud {
            fn clone(&self) -> Self {
                tick();
                Loud(self.0)
            }
        }
        impl PartialEq for Loud {
            fn eq(&self, other: &Self) -> bool {
                tick();
                self.0 == other.0
            }
        }
        impl Eq for Loud {}
        impl std::hash::Hash for Loud {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                tick();
                self.0.hash(state);
            }
        }
        #[memoize(engine = "thread", capacity = 5)]
        fn loud(key: &Loud) -> Loud {
            Loud(key.0 + 1)
        }
        let mut quiet = 0;
        for after in 0..400 {
            LEFT.set(after);
            let done = !panics(|| (0..8).for_each(|n| assert_eq!(loud(&Loud(n % 6)).0, n % 6 + 1)));
            LEFT.set(u32::MAX);
            quiet += u32::from(done);
            (0..8).for_each(|n| assert_eq!(loud(&Loud(n)).0, n + 1));
            assert!(loud::stats().entries <= 5);
        }
        assert!(quiet > 0, "the last ones run to the end");
    }

    #[test]
    fn destructors_at_the_end_of_a_thread_call_memoized_functions() {
        #[memoize(engine = "thread")]
        fn late(n: u64) -> u64 {
            n + 1
        }
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                assert_eq!(late(1), 2);
                assert_eq!(late(1), 2);
                late::invalidate(1).unwrap();
                late::insert(1, 5).unwrap();
                late::clear().unwrap();
            }
        }
        #[derive(Clone)]
        struct Late(#[allow(dead_code)] Rc<Last>);
        #[memoize(engine = "thread")]
        fn holds(_n: u64) -> Late {
            Late(Rc::new(Last))
        }
        thread_local!(static LAST: Last = const { Last });
        elsewhere(|| {
            // both orders of their ends
            LAST.with(|_| late(1));
            holds(1);
        });
        elsewhere(|| {
            late(1);
            holds(1);
            LAST.with(|_| ());
        });
        assert!(late::stats().computes >= 2);
        assert_eq!(late::stats().entries, 0);
    }

    #[test]
    fn results_are_dropped_with_their_thread_and_as_they_are_evicted() {
        use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
        static ALIVE: AtomicU64 = AtomicU64::new(0);
        struct Counted;
        impl Drop for Counted {
            fn drop(&mut self) {
                ALIVE.fetch_sub(1, Relaxed);
            }
        }
        #[memoize(engine = "thread", capacity = 8)]
        fn counted(_n: u64) -> Rc<Counted> {
            ALIVE.fetch_add(1, Relaxed);
            Rc::new(Counted)
        }
        elsewhere(|| {
            (0..100).for_each(|n| drop(counted(n)));
            assert_eq!(ALIVE.load(Relaxed), 8);
        });
        assert_eq!(ALIVE.load(Relaxed), 0);
    }
}

#[test]
fn tables_say_the_same_as_a_map_would() {
    #[memoize(engine = "thread", capacity = 64)]
    fn function(n: u64) -> Rc<u64> {
        Rc::new(n)
    }
    let mut inserted = HashMap::new();
    let mut random = 1_u64;
    for round in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let key = random % 200;
        match random >> 60 {
            0 => {
                function::insert(key, Rc::new(round)).unwrap();
                inserted.insert(key, round);
            }
            1 => {
                function::invalidate(key).unwrap();
                inserted.remove(&key);
            }
            2 if round % 50 == 0 => {
                function::clear().unwrap();
                inserted.clear();
            }
            _ => {
                let found = *function(key);
                // evicted, it is computed anew
                assert!(found == key || Some(&found) == inserted.get(&key), "{key}: {found}");
                if found == key {
                    inserted.remove(&key);
                }
            }
        }
        assert!(function::stats().entries <= 64);
    }
}
