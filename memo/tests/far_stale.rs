//! Results of engines that outlive the process, when they are not fresh any more.
//!
//! A binary of its own, since these tests move the clock of the process; one at a time.
#![cfg(all(feature = "engines", feature = "testing"))]

mod shelf;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use memo::memoize;

use shelf::Shelf;

const MINUTE: Duration = Duration::from_secs(60);

#[track_caller]
fn until(what: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to it");
        std::thread::yield_now();
    }
}

/// Two functions of one name, which are one to an engine, as one that is called in the next process is.
macro_rules! in_two_processes {
    ($name:literal, $engine:tt, $compute:expr, $($option:tt)*) => {
        mod first {
            #[memo::memoize(engine = $engine, name = $name, code = "manual", $($option)*)]
            pub(super) fn f(n: u64) -> Result<u64, String> {
                ($compute)(n)
            }
        }
        mod second {
            #[memo::memoize(engine = $engine, name = $name, code = "manual", $($option)*)]
            pub(super) fn f(n: u64) -> Result<u64, String> {
                ($compute)(n)
            }
        }
    };
}

#[test]
fn the_next_process_serves_a_stale_result_and_renews_it() {
    in_two_processes!(
        "stale::renewed",
        ["memory", "renewed"],
        |n| Ok::<u64, String>(n + 100 * super::NOW_RENEWED.load(super::SeqCst)),
        ttl = "5m",
        stale = "1h"
    );
    let clock = memo::testing::clock();
    let shelf = Shelf::named("renewed");
    assert_eq!(first::f(1), Ok(101));
    until(|| shelf.len() == 1);
    clock.advance(6 * MINUTE);
    NOW_RENEWED.store(2, SeqCst);
    assert_eq!(second::f(1), Ok(101), "it is served at once");
    until(|| second::f::stats().renewed == 1);
    assert_eq!(second::f(1), Ok(201));
    let stats = second::f::stats();
    assert_eq!((stats.stale, stats.computes, stats.renewal_failed), (1, 1, 0));
    // what was renewed is there for others
    until(|| matches!(first::f(1), Ok(201)));
    clock.advance(2 * 60 * MINUTE);
    NOW_RENEWED.store(3, SeqCst);
    assert_eq!(second::f(1), Ok(301), "what is gone is not served");
}
static NOW_RENEWED: AtomicU64 = AtomicU64::new(1);

#[test]
fn without_memory_the_call_that_finds_it_stale_computes() {
    in_two_processes!(
        "stale::alone",
        "alone",
        |n| Ok::<u64, String>(n + 100 * super::NOW_ALONE.load(super::SeqCst)),
        ttl = "5m",
        stale = "1h"
    );
    let clock = memo::testing::clock();
    let shelf = Shelf::named("alone");
    assert_eq!(first::f(1), Ok(101));
    until(|| shelf.len() == 1);
    clock.advance(6 * MINUTE);
    NOW_ALONE.store(2, SeqCst);
    assert_eq!(second::f(1), Ok(201));
}
static NOW_ALONE: AtomicU64 = AtomicU64::new(1);

#[test]
fn a_failure_is_answered_by_what_an_engine_has() {
    in_two_processes!(
        "stale::failing",
        ["memory", "failing"],
        |n| match super::DOWN.load(super::SeqCst) {
            0 => Ok(n),
            _ => Err("down".to_owned()),
        },
        ttl = "5m",
        stale_if_error = "1h"
    );
    let clock = memo::testing::clock();
    let shelf = Shelf::named("failing");
    assert_eq!(first::f(1), Ok(1));
    until(|| shelf.len() == 1);
    clock.advance(6 * MINUTE);
    DOWN.store(1, SeqCst);
    assert_eq!(second::f(1), Ok(1));
    assert_eq!(second::f::stats().stale, 1);
    assert_eq!(second::f(2), Err("down".to_owned()));
    clock.advance(60 * MINUTE);
    assert_eq!(second::f(1), Err("down".to_owned()));
}
static DOWN: AtomicU64 = AtomicU64::new(0);

#[test]
fn a_function_without_the_option_does_not_take_a_stale_result() {
    #[memoize(engine = ["memory", "strict"], name = "stale::strict", code = "manual", ttl = "5m", stale = "1h")]
    fn lenient(n: u64) -> u64 {
        n
    }
    mod strict {
        #[memo::memoize(engine = ["memory", "strict"], name = "stale::strict", code = "manual", ttl = "5m")]
        pub(super) fn f(n: u64) -> u64 {
            n + 1
        }
    }
    let clock = memo::testing::clock();
    let shelf = Shelf::named("strict");
    assert_eq!(lenient(1), 1);
    until(|| shelf.len() == 1);
    assert_eq!(strict::f(1), 1);
    clock.advance(6 * MINUTE);
    assert_eq!(strict::f(1), 2);
}

#[test]
fn an_error_is_not_stale_in_an_engine_either() {
    in_two_processes!(
        "stale::errors",
        ["memory", "errors"],
        |_| Err::<u64, _>(format!("no {}", super::ERRORS.fetch_add(1, super::SeqCst))),
        ttl = "5m",
        stale = "1h",
        cache_err = "5m"
    );
    let clock = memo::testing::clock();
    let shelf = Shelf::named("errors");
    assert_eq!(first::f(1), Err("no 0".to_owned()));
    until(|| shelf.len() == 1);
    assert_eq!(second::f(1), Err("no 0".to_owned()));
    clock.advance(6 * MINUTE);
    assert_eq!(first::f(1), Err("no 1".to_owned()));
    assert_eq!(second::f(1), Err("no 1".to_owned()));
}
static ERRORS: AtomicU64 = AtomicU64::new(0);

#[test]
fn the_age_of_what_an_engine_has_is_known() {
    #[memoize(engine = "aged", ttl = "5m", stale = "1h")]
    fn aged(n: u64) -> u64 {
        n
    }
    let clock = memo::testing::clock();
    let shelf = Shelf::named("aged");
    assert_eq!(aged(1), 1);
    until(|| shelf.len() == 1);
    clock.advance(2 * MINUTE);
    let stored = aged::peek_entry(1).expect("it is there");
    assert_eq!((stored.value, stored.engine.as_str(), stored.is_stale), (1, "aged", false));
    assert!(stored.age.is_some_and(|age| age >= 2 * MINUTE));
    clock.advance(4 * MINUTE);
    assert!(aged::peek_entry(1).expect("it is kept").is_stale);
}
