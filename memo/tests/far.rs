//! Functions whose results live in engines that outlive the process: through an engine of the test's own.
#![cfg(feature = "engines")]

mod shelf;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memo::engine::utc_now;
use memo::{Error, memoize};

use shelf::Shelf;

static COMPUTES: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_result_is_found_again_by_a_function_that_begins_anew() {
    // two functions of one name are one function to an engine, as one that is called in the next process is
    mod first {
        #[memo::memoize(engine = "anew", name = "anew::length", code = "manual")]
        pub(super) fn length(text: &str) -> usize {
            super::COMPUTES.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            text.len()
        }
    }
    mod second {
        #[memo::memoize(engine = "anew", name = "anew::length", code = "manual")]
        pub(super) fn length(_text: &str) -> usize {
            unreachable!("it is stored")
        }
    }
    Shelf::named("anew");
    assert_eq!(first::length("four"), 4);
    assert_eq!(second::length("four"), 4, "hit: what another process stored");
    assert_eq!(COMPUTES.load(Ordering::SeqCst), 1);
    assert_eq!(second::length::peek("four"), Some(4));
    assert_eq!(second::length::stats().tiers[0].hits, 1);
}

fn sum_up_to(n: u64) -> u64 {
    (0..n).map(std::hint::black_box).sum()
}

#[test]
fn time_saved_is_known_to_who_has_computed_nothing() {
    mod first {
        #[memo::memoize(engine = ["memory", "costs"], name = "costs::f", code = "manual")]
        pub(super) fn f(n: u64) -> u64 {
            super::sum_up_to(n)
        }
    }
    mod second {
        #[memo::memoize(engine = ["memory", "costs"], name = "costs::f", code = "manual")]
        pub(super) fn f(n: u64) -> u64 {
            super::sum_up_to(n)
        }
    }
    Shelf::named("costs");
    first::f(1_000);
    let cost = first::f::stats().compute_time;
    assert!(!cost.is_zero());
    assert_eq!(first::f::stats().saved_time, Duration::ZERO);

    second::f(1_000);
    let stats = second::f::stats();
    assert_eq!((stats.saved_time, stats.compute_time), (cost, Duration::ZERO), "what its entry says");
    second::f(1_000);
    let stats = second::f::stats();
    assert_eq!((stats.hits, stats.tiers[0].hits), (2, 1));
    assert_eq!(stats.saved_time, cost * 2, "hit: in memory, of what came from the engine");

    // what is put in has no cost, and so the mean
    second::f::insert(2_000, 7).unwrap();
    assert_eq!(first::f(2_000), 7);
    assert_eq!((first::f::stats().hits, first::f::stats().saved_time), (1, cost));

    // its own computations are in the mean, and what it reads is no computation
    second::f(3_000);
    let own = second::f::stats().compute_time;
    assert!(!own.is_zero());
    let mean = |count: u32| (cost + own) * count / 2;
    assert_eq!(second::f::stats().saved_time, cost + mean(1));

    // in a namespace as outside
    memo::scope().namespace("tenant").with(|| first::f(4_000));
    let there = first::f::stats().compute_time - cost;
    memo::scope().namespace("tenant").with(|| second::f(4_000));
    let all = cost + there;
    assert_eq!(second::f::stats().saved_time, all + (all + own) / 3);
}

#[test]
fn promise_17_an_edit_of_the_body_makes_what_was_stored_unreachable() {
    mod before {
        #[memo::memoize(engine = "edit", name = "edit::f")]
        pub(super) fn f(n: u64) -> u64 {
            n + 1
        }
    }
    mod after {
        #[memo::memoize(engine = "edit", name = "edit::f")]
        pub(super) fn f(n: u64) -> u64 {
            n + 2
        }
    }
    mod laid_out_otherwise {
        #[memo::memoize(engine = "edit", name = "edit::f")]
        pub(super) fn f(n: u64) -> u64 {
            /* the same */
            n + 2
        }
    }
    let shelf = Shelf::named("edit");
    assert_eq!(before::f(1), 2);
    assert_eq!(after::f(1), 3, "miss: another body");
    assert_eq!(shelf.len(), 2);
    assert_eq!(laid_out_otherwise::f(1), 3);
    assert_eq!(shelf.len(), 2, "hit: layout and comments do not count");
}

#[test]
fn tiers_are_asked_nearest_first_and_what_is_far_comes_near() {
    #[memoize(engine = ["memory", "tiers"])]
    fn twice(n: u64) -> u64 {
        n * 2
    }
    let shelf = Shelf::named("tiers");
    assert_eq!(
        twice::plan().to_string(),
        "Results live in memory, then in \"tiers\": `engine = [\"memory\", \"tiers\"]` is asked for; memory holds at most \
         10000 entries; a result over 1MiB is kept outside of memory only; while \"tiers\" is unavailable, memory serves \
         alone"
    );
    assert_eq!(twice(4), 8);
    assert_eq!((shelf.gets(), shelf.len()), (1, 1), "miss in both, stored in both");
    assert_eq!(twice(4), 8);
    assert_eq!(shelf.gets(), 1, "hit: in memory");
    twice::clear().unwrap();
    assert_eq!(shelf.len(), 0, "cleared in both");
    twice(4);
    assert_eq!(twice::peek(4), Some(8));
    twice::invalidate(4).unwrap();
    assert_eq!((twice::peek(4), shelf.len()), (None, 0), "invalidated in both");
    twice::insert(5, 11).unwrap();
    assert_eq!((twice(5), shelf.len()), (11, 1), "inserted in both");
    assert_eq!(twice::refresh(5), 10);
    assert_eq!((twice(5), shelf.len()), (10, 1), "refreshed in both");
}

#[test]
fn an_engine_that_fails_never_fails_the_call() {
    #[memoize(engine = "failing")]
    fn half(n: u64) -> u64 {
        n / 2
    }
    let shelf = Shelf::named("failing");
    shelf.fail(true);
    assert_eq!(half(4), 2);
    assert_eq!(half::stats().tiers[0].errors, 1);
    assert_eq!(half(4), 2);
    assert_eq!(half::stats().computes, 1, "kept in memory while the engine is away");
    let error: Error = half::invalidate(4).unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().contains("half: failed to "), "{error}");
    shelf.fail(false);
    // its circuit closes when it comes to that
    let stored = (6..).step_by(2).find(|&n| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        assert_eq!(half(n), n / 2);
        shelf.len() == 1
    });
    assert!(stored.is_some(), "what is computed is stored once the engine is back");
    assert_eq!(half::stats().entries, 0, "and memory has done its service");
}

#[test]
fn promise_16_what_is_damaged_is_a_miss_by_reason() {
    #[memoize(engine = "damaged")]
    fn text(n: u64) -> String {
        "x".repeat(n as usize)
    }
    let shelf = Shelf::named("damaged");
    text(3);
    for entry in shelf.entries().values_mut() {
        let mut bytes = entry.bytes.to_vec();
        bytes[0] ^= 1;
        entry.bytes = bytes.into();
    }
    assert_eq!(text(3), "xxx");
    assert_eq!(text::stats().tiers[0].misfits, [("checksum", 1)]);
    assert_eq!(text(3), "xxx");
    assert_eq!(text::stats().tiers[0].hits, 1);
}

/// An engine to which all keys are one: it gives out the entry of another.
#[test]
fn promise_12_two_keys_with_one_digest_are_never_mistaken() {
    #[memoize(engine = "one for all")]
    fn square(n: u64) -> u64 {
        n * n
    }
    let double = memo::engine::testing::Double::new("one for all");
    memo::engines().register("one for all", double.clone());
    (0..10).for_each(|n| assert_eq!(square(n), n * n));
    double.set(memo::engine::testing::Mood::MixingUp);
    (0..10).for_each(|n| assert_eq!(square(n), n * n));
    let tier = &square::stats().tiers[0];
    assert_eq!((tier.hits, tier.misfits.as_slice()), (0, [("key", 10)].as_slice()));
}

#[test]
fn promise_17_a_changed_type_is_a_miss() {
    mod old {
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub(super) struct Size {
            pub(super) wide: u32,
            pub(super) high: u32,
        }
        #[memo::memoize(engine = "shape", name = "shape::size", code = "manual")]
        pub(super) fn size(n: u32) -> Size {
            Size { wide: n, high: 0 }
        }
    }
    mod new {
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub(super) struct Size {
            pub(super) high: u32,
            pub(super) wide: u32,
        }
        #[memo::memoize(engine = "shape", name = "shape::size", code = "manual")]
        pub(super) fn size(n: u32) -> Size {
            Size { wide: n, high: 0 }
        }
    }
    Shelf::named("shape");
    let one = old::size(7);
    let two = new::size(7);
    assert_eq!((one.wide, one.high), (two.wide, two.high), "never misread");
    assert_eq!(new::size::stats().tiers[0].misfits, [("fingerprint", 1)]);
}

#[test]
fn promise_13_type_parameters_tell_results_apart() {
    #[memoize(engine = "generic", code = "manual")]
    fn name<T: Default + std::fmt::Debug, const N: usize>(n: u8) -> String {
        format!("{:?} {N} {n}", T::default())
    }
    Shelf::named("generic");
    assert_eq!(name::<u8, 1>(1), "0 1 1");
    assert_eq!(name::<String, 1>(1), "\"\" 1 1");
    assert_eq!(name::<u8, 2>(1), "0 2 1");
}

#[test]
fn promise_13_type_parameters_of_the_impl_tell_results_apart_too() {
    struct Kind<T>(std::marker::PhantomData<T>);
    impl<T: Default + std::fmt::Debug + 'static> Kind<T> {
        #[memoize(engine = "generic impl", code = "manual")]
        fn shown(n: u8) -> String {
            format!("{:?} {n}", T::default())
        }
    }
    Shelf::named("generic impl");
    assert_eq!(Kind::<u8>::shown(1), "0 1");
    assert_eq!(Kind::<String>::shown(1), "\"\" 1");
}

#[test]
fn promise_13_trait_parameters_that_are_not_in_the_type_tell_results_apart() {
    trait Shown<T> {
        fn shown(&self) -> String;
    }
    trait Named<T> {
        fn named(&self) -> String;
    }
    trait AlsoShown {
        const WORD: &'static str;
        fn shown(&self) -> String;
    }
    struct Kind;
    impl<T: Default + std::fmt::Debug + 'static> Shown<T> for Kind {
        #[memoize(engine = "trait", code = "manual", receiver = "skip")]
        fn shown(&self) -> String {
            format!("{:?}", T::default())
        }
    }
    impl<T: Default + std::fmt::Debug + 'static> Named<fn(T) -> T> for Kind {
        #[memoize(engine = "trait", code = "manual", receiver = "skip", name = "named")]
        fn named(&self) -> String {
            format!("{:?}", T::default())
        }
    }
    impl AlsoShown for Kind {
        const WORD: &'static str = "word";
        #[memoize(engine = "trait", code = "manual", receiver = "skip")]
        fn shown(&self) -> String {
            Self::WORD.to_owned()
        }
    }
    Shelf::named("trait");
    assert_eq!(Shown::<u8>::shown(&Kind), "0");
    assert_eq!(Shown::<String>::shown(&Kind), "\"\"");
    assert_eq!(Shown::<(u8, [char; 1])>::shown(&Kind), "(0, ['\\0'])");
    assert_eq!(AlsoShown::shown(&Kind), "word", "another trait's method of the same name");
    assert_eq!(Named::<fn(u8) -> u8>::named(&Kind), "0");
    assert_eq!(Named::<fn(String) -> String>::named(&Kind), "\"\"");
}

#[test]
fn reading_a_result_back_may_ask_for_that_very_result() {
    // not before there is something to read
    static ASKS: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    #[derive(Clone, serde::Serialize)]
    struct Loops(u64);
    impl<'de> serde::Deserialize<'de> for Loops {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let n = u64::deserialize(from)?;
            if ASKS.swap(false, Ordering::SeqCst) {
                assert_eq!(loops(n).0, n);
            }
            Ok(Loops(n))
        }
    }
    #[memoize(engine = "loops")]
    fn loops(n: u64) -> Loops {
        Loops(n)
    }
    Shelf::named("loops");
    let (done, wait) = std::sync::mpsc::channel();
    assert_eq!(loops(1).0, 1);
    ASKS.store(true, Ordering::SeqCst);
    std::thread::spawn(move || done.send(loops(1).0));
    let result = wait.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(result.expect("it does not wait for itself"), 1);
    assert!(!ASKS.load(Ordering::SeqCst), "it was asked for");
}

#[test]
fn clearing_all_instantiations_clears_an_engine_once() {
    #[memoize(engine = ["memory", "cleared"])]
    fn sized<const N: usize>(n: u64) -> u64 {
        n + N as u64
    }
    let shelf = Shelf::named("cleared");
    assert_eq!((sized::<1>(1), sized::<2>(1), sized::<3>(1)), (2, 3, 4));
    assert_eq!(shelf.len(), 3);
    sized::clear().unwrap();
    assert_eq!((shelf.len(), shelf.clears()), (0, 1));
    assert_eq!(sized::stats().entries, 0);
}

#[test]
fn what_happened_to_an_engine_is_told() {
    #[memoize(engine = "told")]
    fn f(n: u64) -> u64 {
        n
    }
    #[memoize(engine = "told")]
    fn g(n: u64) -> u64 {
        n
    }
    let shelf = Shelf::named("told");
    let told = || memo::engines().stats().into_iter().find(|engine| engine.name == "told").unwrap();
    (0..3).for_each(|n| assert_eq!((f(n), g(n), f(n)), (n, n, n)));
    let stats = told();
    assert_eq!(stats.circuit, memo::engine::CircuitState::Closed);
    assert_eq!((stats.functions.hits, stats.functions.misses, stats.functions.errors), (3, 6, 0));
    assert_eq!((stats.calls.calls, stats.calls.failures), (15, 0), "a look for each, and six puts");
    shelf.fail(true);
    f(10);
    let stats = told();
    // soon it is half open
    assert_ne!(stats.circuit, memo::engine::CircuitState::Closed);
    assert_eq!((stats.functions.errors, stats.calls.opened), (1, 1));
    let report = memo::report().to_string();
    let line = report.lines().find(|line| line.starts_with("told ")).unwrap();
    let cells: Vec<_> = line.trim_start_matches(|c: char| !c.is_ascii_digit()).split_whitespace().collect();
    assert_eq!(cells[..4], ["3", "7", "0", "1"], "{report}");
}

#[test]
fn only_ok_is_stored() {
    #[memoize(engine = "results")]
    fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }
    let shelf = Shelf::named("results");
    assert!(parse("x").is_err());
    assert_eq!(shelf.len(), 0);
    assert_eq!(parse("7"), Ok(7));
    assert_eq!(parse("7"), Ok(7));
    assert_eq!((shelf.len(), parse::stats().tiers[0].hits), (1, 1));
}

#[test]
fn what_is_behind_an_arc_is_stored_and_read_back() {
    #[memoize(engine = "arcs")]
    fn words(text: &str) -> Arc<[String]> {
        text.split(' ').map(str::to_owned).collect()
    }
    #[memoize(engine = "arcs")]
    fn text(n: usize) -> Arc<str> {
        "x".repeat(n).into()
    }
    let shelf = Shelf::named("arcs");
    assert_eq!((words("a b").len(), words("a b").len()), (2, 2));
    assert_eq!((&*text(2), &*text(2)), ("xx", "xx"));
    assert_eq!((shelf.len(), words::stats().tiers[0].hits, text::stats().tiers[0].hits), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_serves_all_who_wait() {
    #[memoize(engine = ["memory", "flight"])]
    async fn slow(n: u64) -> u64 {
        tokio::task::yield_now().await;
        n
    }
    let shelf = Shelf::named("flight");
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(slow(1))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 1);
    }
    assert_eq!((shelf.gets(), slow::stats().computes), (1, 1));
    slow::invalidate(1).await.unwrap();
    assert_eq!((slow::peek(1).await, shelf.len()), (None, 0));
}

#[test]
fn an_engine_that_is_not_registered_is_said_and_done_without() {
    #[memoize(engine = "nowhere", ttl = "1m")]
    fn next(n: u64) -> u64 {
        n + 1
    }
    assert_eq!(
        next::plan().to_string(),
        "Results live in memory: `engine = \"nowhere\"` is asked for; \"nowhere\" is not registered, so it is left out; \
         at most 10000 entries; each lives 1m"
    );
    assert_eq!((next(1), next(1)), (2, 2));
    assert_eq!(next::stats().hits, 1);
}

#[test]
fn a_lifetime_goes_on_where_it_was_read_back_to() {
    #[memoize(engine = ["memory", "lives"], ttl = "1h", name = "lives::f", code = "manual")]
    fn f(n: u64) -> u64 {
        n
    }
    #[memoize(engine = ["memory", "lives"], ttl = "1h", name = "lives::f", code = "manual")]
    fn g(n: u64) -> u64 {
        n + 100
    }
    let shelf = Shelf::named("lives");
    f(1);
    for entry in shelf.entries().values() {
        let end = entry.expires.unwrap();
        let hour = 3_600_000;
        assert!((hour - 60_000..=hour).contains(&(end - utc_now())), "{end}");
    }
    assert_eq!(g(1), 1, "what the other stored");
}

#[test]
fn promise_13_floats_and_maps_are_keys_there_too() {
    use std::collections::BTreeMap;
    #[memoize(engine = "floats")]
    fn sum(a: f64, b: Option<f32>, c: &BTreeMap<String, u8>) -> f64 {
        a + f64::from(b.unwrap_or(0.0)) + c.len() as f64
    }
    let shelf = Shelf::named("floats");
    let map = BTreeMap::from([("a".to_owned(), 1)]);
    assert_eq!(sum(0.0, Some(1.0), &map), 2.0);
    assert_eq!(sum(-0.0, Some(1.0), &map), 2.0);
    assert_eq!((shelf.len(), sum::stats().tiers[0].hits), (1, 1));
}

#[cfg(feature = "disk")]
mod disk {
    use super::*;
    use memo::engine::{Disk, DiskOptions};

    /// In another order in each process.
    #[derive(Clone, PartialEq, Eq, serde::Serialize)]
    struct Unordered(std::collections::HashMap<String, u8>);

    impl std::hash::Hash for Unordered {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.len().hash(state);
        }
    }

    /// What functions in a process of their own store and find: this test binary, called again by the test below.
    #[test]
    fn in_another_process() {
        if std::env::var_os("MEMO_FAR_TEST_CHILD").is_none() {
            return;
        }
        #[memoize(engine = "disk", ttl = "1h", name = "disk::across")]
        fn across(text: &str) -> Result<String, std::convert::Infallible> {
            eprintln!("computed");
            Ok(text.repeat(2))
        }
        assert_eq!(across::plan().engines(), ["disk"]);
        let Ok(result) = across("ab");
        assert_eq!(result, "abab");
        let Ok(large) = across(&"x".repeat(100_000));
        assert_eq!(large.len(), 200_000);

        #[memoize(engine = "disk", name = "disk::unordered")]
        fn unordered(of: &Unordered, at: (f64, Option<char>)) -> usize {
            eprintln!("computed");
            of.0.len()
        }
        let of = Unordered((0..100).map(|n| (n.to_string(), n)).collect());
        assert_eq!(unordered(&of, (-0.0, Some('ä'))), 100);
        memo::engines().flush().unwrap();
    }

    #[test]
    fn promise_13_three_processes_agree_on_keys() {
        let place = tempfile::tempdir().unwrap();
        let run = || {
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "disk::in_another_process", "--nocapture"])
                .env("MEMO_FAR_TEST_CHILD", "1")
                .env("MEMO_ENGINES__DISK__PATH", place.path().join("store"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
            said.matches("computed").count()
        };
        assert_eq!(run(), 3, "the first computes them");
        assert_eq!([run(), run()], [0, 0], "the others find them on disk, whatever the order of their maps");
    }

    #[test]
    fn tiers_of_memory_and_disk() {
        #[memoize(engine = ["memory", "own disk"])]
        fn square(n: u64) -> u64 {
            n * n
        }
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::open(DiskOptions::at(place.path().join("store"))).unwrap();
        memo::engines().register("own disk", disk);
        assert_eq!((square(3), square(3)), (9, 9));
        let stats = square::stats();
        assert_eq!((stats.computes, stats.hits, stats.tiers[0].hits), (1, 1, 0), "hit: in memory");
        square::invalidate(3).unwrap();
        assert_eq!(square::peek(3), None);
        assert_eq!(square(3), 9);
        assert_eq!(square::stats().computes, 2);
        square::clear().unwrap();
        assert_eq!(square::peek(3), None);
    }

    #[test]
    fn a_disk_that_cannot_be_opened_is_done_without() {
        #[memoize(engine = "no disk")]
        fn cube(n: u64) -> u64 {
            n * n * n
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let Err(error) = Disk::open(DiskOptions::at(file.path())) else { panic!("a file is no directory") };
        assert!(!error.to_string().is_empty());
        assert_eq!((cube(2), cube(2)), (8, 8));
        assert_eq!(cube::stats().computes, 1);
    }
}
