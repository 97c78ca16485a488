//! A stale result answers at once, and is renewed once.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use memo::memoize;
use memo_tests::{calls, ran};

use crate::{MINUTE, advance, clock, until};

#[test]
fn a_stale_result_answers_while_it_is_renewed_behind_the_call() {
    static PRICE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale = "1h")]
    fn price(shop: &str, id: u64) -> u64 {
        shop.len() as u64 + id + 100 * PRICE.load(SeqCst)
    }
    let _clock = clock();
    assert_eq!(price("ab", 3), 105);
    advance(6 * MINUTE);
    PRICE.store(2, SeqCst);
    assert_eq!(price("ab", 3), 105);
    until(|| price::stats().renewed == 1);
    assert_eq!(price("ab", 3), 205);
    let stats = price::stats();
    assert_eq!((stats.hits, stats.misses, stats.computes, stats.stale), (2, 1, 2, 1));
    advance(2 * 60 * MINUTE);
    PRICE.store(3, SeqCst);
    assert_eq!(price("ab", 3), 305, "what is gone is not served");
}

#[test]
fn an_error_is_answered_by_the_last_good_result() {
    static DOWN: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    fn rate(id: u64) -> Result<u64, String> {
        ran();
        match DOWN.load(SeqCst) {
            0 => Ok(id),
            1 => Err("down".into()),
            _ => panic!("on purpose"),
        }
    }
    let _clock = clock();
    calls! { miss: rate(1) => Ok(1); }
    for down in [1, 2] {
        DOWN.store(down, SeqCst);
        advance(6 * MINUTE);
        calls! {
            miss: rate(1) => Ok(1);
            hit: rate(1) => Ok(1);
        }
    }
    assert_eq!(rate::stats().renewal_failed, 2);
    DOWN.store(1, SeqCst);
    advance(60 * MINUTE);
    calls! { miss: rate(1) => Err("down".into()); }
}

#[test]
fn what_is_expired_is_stale_and_what_is_invalidated_is_gone() {
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "5m", stale = "1h", receiver = self.0)]
        fn price(&self, id: u64) -> u64 {
            ran();
            self.0 + id
        }
    }
    let _clock = clock();
    let shop = Shop(1);
    calls! {
        miss: shop.price(2) => 3;
        hit: shop.price(2) => 3;
    }
    let control = Shop::price_memo();
    control.expire((&shop, 2)).expect("memory does it");
    assert_eq!(control.peek((&shop, 2)), None);
    let stored = control.peek_entry((&shop, 2)).expect("it is kept");
    assert!(stored.is_stale && stored.value == 3 && stored.cost.is_some() && stored.age.is_some());
    // its receiver cannot be owned, so the call computes itself
    calls! {
        miss: shop.price(2) => 3;
        hit: shop.price(2) => 3;
    }
    control.invalidate((&shop, 2)).expect("memory does it");
    assert_eq!(control.peek_entry((&shop, 2)), None);
    calls! { miss: shop.price(2) => 3; }
}
