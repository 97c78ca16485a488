//! What scopes ask of freshness: what calls accept, and what is stored under them.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use memo::{memoize, scope};
use memo_tests::{calls, ran};

use crate::{MINUTE, advance, clock, until};

#[test]
fn a_call_that_takes_no_stale_result_computes() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn price(id: u64) -> Result<u64, String> {
        ran();
        if id > 0 { Ok(id) } else { Err("no".into()) }
    }
    let _clock = clock();
    let fresh = |id| scope().stale("0s").with(|| price(id));
    calls! {
        miss: fresh(1) => Ok(1);
        hit: fresh(1) => Ok(1);
    }
    advance(6 * MINUTE);
    calls! {
        miss: fresh(1) => Ok(1);
    }
    let stats = price::stats();
    assert_eq!((stats.stale, stats.renewed, stats.misses), (0, 0, 2));
    advance(6 * MINUTE);
    // what is stored under it is kept for others as long as ever
    assert_eq!(price(1), Ok(1));
    until(|| price::stats().renewed == 1);
    assert_eq!((price::stats().stale, price::stats().misses), (1, 2));
}

#[test]
fn an_error_is_not_answered_for_a_call_that_takes_no_stale_result() {
    static DOWN: AtomicBool = AtomicBool::new(false);
    #[memoize(ttl = "5m", stale = "1h", stale_if_error = "2h")]
    fn rate(id: u64) -> Result<u64, String> {
        ran();
        if DOWN.load(SeqCst) { Err("down".into()) } else { Ok(id) }
    }
    let _clock = clock();
    assert_eq!(rate(1), Ok(1));
    DOWN.store(true, SeqCst);
    advance(6 * MINUTE);
    let strict = || scope().stale("0s").stale_if_error("0s").with(|| rate(1));
    let lenient = || scope().stale("0s").with(|| rate(1));
    calls! {
        miss: strict() => Err("down".into());
        miss: lenient() => Ok(1);
        hit: rate(1) => Ok(1);
    }
}

#[test]
fn a_renewal_stores_for_as_long_as_its_call_asked_for() {
    static PRICE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "1m", stale = "1m")]
    fn price(id: u64) -> u64 {
        id + 100 * PRICE.load(SeqCst)
    }
    let _clock = clock();
    let under = || scope().ttl("5m").stale("1h").with(|| price(1));
    assert_eq!(under(), 101);
    for round in 2..5 {
        PRICE.store(round, SeqCst);
        advance(30 * MINUTE);
        assert_eq!(under(), 1 + 100 * (round - 1));
        until(|| price::stats().renewed == round - 1);
        advance(4 * MINUTE);
        assert_eq!(under(), 1 + 100 * round);
    }
    assert_eq!((price::stats().stale, price::stats().misses), (3, 1));
    advance(5 * MINUTE);
    PRICE.store(9, SeqCst);
    assert_eq!(price(1), 901, "without the scope it is not served for so long");
    assert_eq!((price::stats().stale, price::stats().misses), (3, 2));
}

#[test]
fn a_function_without_the_option_has_it_under_a_scope() {
    use std::sync::Barrier;
    static COMPUTING: Barrier = Barrier::new(2);
    static SLOW: AtomicBool = AtomicBool::new(false);
    #[memoize]
    fn price(id: u64) -> u64 {
        if SLOW.load(SeqCst) {
            COMPUTING.wait();
            COMPUTING.wait();
            return 2 * id;
        }
        id
    }
    let _clock = clock();
    let under = || scope().ttl("5m").stale("1h").with(|| price(7));
    assert_eq!(under(), 7);
    advance(6 * MINUTE);
    SLOW.store(true, SeqCst);
    std::thread::scope(|threads| {
        // its attribute says nothing of `stale`, so the call that finds the result stale computes
        let renews = threads.spawn(under);
        COMPUTING.wait();
        assert_eq!(under(), 7, "all others get the old one");
        COMPUTING.wait();
        assert_eq!(renews.join().unwrap(), 14);
    });
    let stats = price::stats();
    assert_eq!((stats.stale, stats.renewed, stats.computes), (1, 1, 2));
    SLOW.store(false, SeqCst);
    advance(6 * MINUTE);
    assert_eq!(price(7), 7, "without the scope it is not served");
}

#[test]
fn a_failure_is_answered_where_a_scope_asks_for_it() {
    static DOWN: AtomicBool = AtomicBool::new(false);
    #[memoize(ttl = "5m")]
    fn rate(id: u64) -> Result<u64, String> {
        ran();
        if DOWN.load(SeqCst) { Err("down".into()) } else { Ok(id) }
    }
    let _clock = clock();
    let under = |id| scope().stale_if_error("1h").with(|| rate(id));
    calls! { miss: under(1) => Ok(1); }
    DOWN.store(true, SeqCst);
    advance(6 * MINUTE);
    calls! {
        miss: under(1) => Ok(1);
        hit: under(1) => Ok(1);
        miss: under(2) => Err("down".into());
    }
    advance(60 * MINUTE);
    calls! { miss: under(1) => Err("down".into()); }
}

#[test]
fn a_scope_says_when_a_result_is_renewed_ahead_of_its_end() {
    #[memoize(ttl = "100m", refresh_ahead = 0.8)]
    fn price(id: u64) -> u64 {
        id
    }
    let _clock = clock();
    price(1);
    advance(60 * MINUTE);
    assert_eq!(scope().refresh_ahead(0.7).with(|| price(1)), 1);
    assert_eq!(scope().refresh_ahead("0.5").with(|| price(1)), 1);
    until(|| price::stats().renewed == 1);
    advance(90 * MINUTE);
    assert_eq!(scope().refresh_ahead("none").with(|| price(1)), 1);
    assert_eq!(scope().refresh_ahead("none").refresh_ahead("auto").with(|| price(1)), 1);
    assert_eq!(price::stats().computes, 2, "it was computed in no time");
    assert_eq!(price(1), 1);
    until(|| price::stats().renewed == 2);
}

#[test]
fn lifetimes_differ_where_a_scope_asks_for_it() {
    #[memoize(ttl = "100m", jitter = "50%")]
    fn price(id: u64) -> u64 {
        ran();
        id
    }
    let _clock = clock();
    let all = |ids: std::ops::Range<u64>| ids.map(price).sum::<u64>();
    scope().jitter("none").with(|| all(0..100));
    scope().jitter("90%").with(|| all(100..200));
    advance(99 * MINUTE);
    all(0..100);
    assert_eq!(price::stats().computes, 200);
    all(100..200);
    let gone = price::stats().computes - 200;
    assert!(gone > 80, "{gone} of 100");
}

#[test]
fn of_nested_scopes_the_innermost_that_says_it_counts() {
    #[memoize(name = "nested::price", ttl = "5m", stale = "1h")]
    fn price(id: u64) -> u64 {
        ran();
        id
    }
    let _clock = clock();
    price(1);
    advance(6 * MINUTE);
    let _strict = scope().stale("0s").enter();
    let lenient = scope().stale("1h").read_only();
    calls! {
        hit: lenient.with(|| price(1)) => 1;
        miss: scope().only("other::*").stale("1h").with(|| price(1)) => 1;
    }
}

#[test]
fn a_renewal_stays_in_the_namespace_of_its_call() {
    static VALUE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale = "1h")]
    fn value(id: u64) -> u64 {
        id + VALUE.load(SeqCst)
    }
    let _clock = clock();
    let tenant = |name: &'static str| scope().namespace(name).with(|| value(10));
    assert_eq!((tenant("a"), tenant("b")), (11, 11));
    advance(6 * MINUTE);
    VALUE.store(2, SeqCst);
    assert_eq!(tenant("a"), 11);
    until(|| value::stats().renewed == 1);
    assert_eq!(tenant("a"), 12);
    VALUE.store(3, SeqCst);
    assert_eq!(tenant("b"), 11, "it is stale, and was not renewed with the other");
    until(|| value::stats().renewed == 2);
    assert_eq!((tenant("a"), tenant("b")), (12, 13));
}

#[test]
fn what_is_no_value_is_refused_with_what_to_write() {
    let says = |build: fn() -> memo::Scope| {
        let panic = catch_unwind(build).expect_err("it is refused");
        *panic.downcast::<String>().expect("it says why")
    };
    let part = "memo: bad part \"1.5\": it has to be more than 0 and less than 1, write it such as 0.8";
    assert_eq!(says(|| scope().refresh_ahead(1.5)), part);
    let percentage = "memo: bad percentage \"10\": it has no `%`, write it such as \"10%\"";
    assert_eq!(says(|| scope().jitter("10")), percentage);
    assert!(says(|| scope().stale("10")).contains("the number 10 needs a unit"));
}
