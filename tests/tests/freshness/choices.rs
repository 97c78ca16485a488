//! `valid_if`, `refresh_if` and `cache_none`: results that do not answer every call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use memo::memoize;
use memo_tests::{calls, ran};

use crate::{MINUTE, advance, clock};

#[test]
fn a_result_that_is_not_valid_any_more_is_a_miss() {
    static REVOKED: AtomicU64 = AtomicU64::new(0);
    #[memoize(valid_if = |token| *token != REVOKED.load(SeqCst))]
    fn token(user: u64) -> u64 {
        ran();
        user + REVOKED.load(SeqCst) * 100
    }
    calls! {
        miss: token(7) => 7;
        hit: token(7) => 7;
        miss: token(8) => 8;
    }
    REVOKED.store(7, SeqCst);
    calls! {
        miss: token(7) => 707;
        hit: token(7) => 707;
        hit: token(8) => 8;
    }
    assert_eq!(token::stats().entries, 2);
}

#[test]
fn validity_is_asked_with_a_lifetime_and_in_async_functions_too() {
    static VALID: AtomicBool = AtomicBool::new(true);
    #[memoize(ttl = "5m", stale = "1h", valid_if = |_| VALID.load(SeqCst))]
    async fn page(id: u64) -> Result<u64, String> {
        ran();
        Ok(id)
    }
    let _clock = clock();
    let call = || smol::block_on(page(1));
    calls! {
        miss: call() => Ok(1);
        hit: call() => Ok(1);
    }
    VALID.store(false, SeqCst);
    calls! {
        miss: call() => Ok(1);
        miss: call() => Ok(1);
    }
    VALID.store(true, SeqCst);
    calls! { hit: call() => Ok(1); }
}

#[test]
fn a_call_computes_anew_where_its_arguments_say_so() {
    #[memoize(skip(force), refresh_if = force || name.is_empty())]
    fn load(name: &str, force: bool) -> usize {
        ran();
        name.len()
    }
    calls! {
        miss: load("a", false) => 1;
        hit: load("a", false) => 1;
        miss: load("a", true) => 1;
        hit: load("a", false) => 1;
        miss: load("", false) => 0;
        miss: load("", false) => 0;
    }
    let stored = load::stats().stored;
    calls! { miss: load::uncached("", true) => 0; }
    assert_eq!(load::stats().stored, stored, "what the companion is asked counts for more");
}

#[test]
fn recursion_that_computes_anew_at_its_first_level_only() {
    #[memoize(skip(anew), refresh_if = anew)]
    fn fib(n: u64, anew: bool) -> u64 {
        ran();
        if n < 2 { n } else { fib(n - 1, false) + fib(n - 2, false) }
    }
    assert_eq!(fib(20, false), 6765);
    calls! {
        miss: fib(20, true) => 6765;
        hit: fib(20, false) => 6765;
    }
}

#[test]
fn methods_and_functions_of_a_thread_compute_anew_as_well() {
    struct Shop(u64);
    impl Shop {
        #[memoize(receiver = self.0, skip(anew), refresh_if = anew)]
        fn price(&self, id: u64, anew: bool) -> u64 {
            ran();
            self.0 + id
        }
    }
    #[memoize(engine = "thread", skip(anew), refresh_if = anew)]
    fn here(id: u64, anew: bool) -> u64 {
        ran();
        id
    }
    let shop = Shop(1);
    calls! {
        miss: shop.price(2, false) => 3;
        hit: shop.price(2, false) => 3;
        miss: shop.price(2, true) => 3;
        miss: here(2, false) => 2;
        hit: here(2, false) => 2;
        miss: here(2, true) => 2;
    }
}

#[test]
fn nones_have_a_lifetime_of_their_own() {
    #[memoize(ttl = "1h", cache_none = "5m")]
    fn find(id: u64) -> Option<u64> {
        ran();
        (id > 0).then_some(id)
    }
    let _clock = clock();
    calls! {
        miss: find(0) => None;
        hit: find(0) => None;
        miss: find(1) => Some(1);
    }
    advance(6 * MINUTE);
    calls! {
        miss: find(0) => None;
        hit: find(1) => Some(1);
    }
}

#[test]
fn errors_and_nones_each_have_theirs() {
    #[memoize(ttl = "1h", cache_err = "1m", cache_none = "10m")]
    fn find(id: u64) -> Result<Option<u64>, String> {
        ran();
        match id {
            0 => Err("no".into()),
            1 => Ok(None),
            id => Ok(Some(id)),
        }
    }
    let _clock = clock();
    let all = || (0..3).for_each(|id| drop(find(id)));
    all();
    advance(2 * MINUTE);
    calls! {
        miss: find(0).is_err() => true;
        hit: find(1) => Ok(None);
    }
    advance(10 * MINUTE);
    calls! {
        miss: find(1) => Ok(None);
        hit: find(2) => Ok(Some(2));
    }
}
