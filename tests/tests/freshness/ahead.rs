//! Results that are renewed before they end, that end at different times, and that are said to have ended.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use memo::memoize;
use memo_tests::{AsyncGate, Gate, Task, calls, ran};

use crate::{MINUTE, advance, clock, until};

#[test]
fn a_hit_late_in_the_lifetime_renews_behind_the_call() {
    static PRICE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "100m", refresh_ahead = 0.8)]
    fn price(id: u64) -> u64 {
        id + PRICE.load(SeqCst)
    }
    let _clock = clock();
    assert_eq!(price(10), 11);
    PRICE.store(2, SeqCst);
    advance(79 * MINUTE);
    assert_eq!((price(10), price(10)), (11, 11));
    assert_eq!(price::stats().computes, 1);
    advance(2 * MINUTE);
    assert_eq!(price(10), 11);
    until(|| price::stats().renewed == 1);
    assert_eq!(price(10), 12);
    // it has a whole lifetime now
    advance(79 * MINUTE);
    assert_eq!(price(10), 12);
    let stats = price::stats();
    assert_eq!((stats.computes, stats.misses, stats.hits, stats.stale), (2, 1, 5, 0));
    // nobody asked late, so it is gone
    advance(22 * MINUTE);
    PRICE.store(3, SeqCst);
    assert_eq!(price(10), 13);
    assert_eq!(price::stats().misses, 2);
}

#[test]
fn one_call_of_a_method_renews_late_in_the_lifetime() {
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "100m", refresh_ahead = 0.5, receiver = self.0)]
        fn price(&self, id: u64) -> u64 {
            ran();
            self.0 + id
        }
    }
    let _clock = clock();
    let shop = Shop(1);
    calls! { miss: shop.price(2) => 3; }
    advance(49 * MINUTE);
    calls! { hit: shop.price(2) => 3; }
    advance(2 * MINUTE);
    calls! {
        miss: shop.price(2) => 3;
        hit: shop.price(2) => 3;
    }
}

#[test]
fn by_chance_nothing_is_renewed_whose_end_is_far() {
    #[memoize(ttl = "100m", stale = "1h", refresh_ahead = "auto")]
    fn price(id: u64) -> u64 {
        ran();
        id
    }
    let _clock = clock();
    calls! { miss: price(1) => 1; }
    advance(98 * MINUTE);
    for _ in 0..1000 {
        calls! { hit: price(1) => 1; }
    }
    assert_eq!((price::stats().renewed, price::stats().stale), (0, 0));
    advance(3 * MINUTE);
    calls! { hit: price(1) => 1; }
    until(|| price::stats().renewed == 1);
    assert_eq!(price::stats().stale, 1);
}

#[test]
fn what_came_together_ends_at_different_times() {
    #[memoize(ttl = "100m", jitter = "50%")]
    fn price(id: u64) -> u64 {
        ran();
        id
    }
    let _clock = clock();
    let missed = || (0..1000).filter(|id| memo_tests::runs_in(|| price(*id)).0 == 1).count();
    assert_eq!(missed(), 1000);
    advance(49 * MINUTE);
    assert_eq!(missed(), 0);
    advance(26 * MINUTE);
    let half = missed();
    assert!((350..650).contains(&half), "{half}");
    advance(26 * MINUTE);
    assert!(missed() >= 1000 - half, "none is longer than was said");
}

#[test]
fn what_is_expired_serves_while_it_is_renewed() {
    static PRICE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale = "1h")]
    fn price(id: u64) -> u64 {
        id + PRICE.load(SeqCst)
    }
    let _clock = clock();
    assert_eq!(price(10), 11);
    PRICE.store(2, SeqCst);
    price::expire(10).expect("memory does it");
    price::expire(11).expect("there is nothing to do");
    assert_eq!(price(10), 11);
    until(|| price::stats().renewed == 1);
    assert_eq!(price(10), 12);
    price::expire(10).expect("memory does it");
    advance(61 * MINUTE);
    PRICE.store(3, SeqCst);
    assert_eq!(price(10), 13, "it is kept no longer than stale results are");
}

#[test]
fn what_is_invalidated_is_not_served_and_its_renewal_stores_nothing() {
    static GATE: Gate = Gate::new();
    static PRICE: AtomicU64 = AtomicU64::new(1);
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale = "1h")]
    fn price(id: u64) -> u64 {
        let price = id + PRICE.load(SeqCst);
        // the renewal alone waits
        if BEGUN.fetch_add(1, SeqCst) == 1 {
            GATE.pass();
        }
        price
    }
    let _clock = clock();
    assert_eq!(price(10), 11);
    advance(6 * MINUTE);
    PRICE.store(2, SeqCst);
    assert_eq!(price(10), 11);
    until(|| BEGUN.load(SeqCst) == 2);
    assert_eq!(price(10), 11, "while it is renewed");
    PRICE.store(3, SeqCst);
    price::invalidate(10).expect("memory does it");
    assert_eq!(price::peek_entry(10), None);
    assert_eq!(price(10), 13);
    GATE.open();
    until(|| price::stats().computes == 3);
    until(|| price::stats().renewed + price::stats().renewal_failed == 1);
    assert_eq!(price(10), 13, "what began before the invalidation is not stored");
}

#[test]
fn one_renewal_of_a_key_at_a_time() {
    static GATE: AsyncGate = AsyncGate::new();
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "5m", stale = "1h", receiver = self.0)]
        async fn price(&self, id: u64) -> u64 {
            ran();
            GATE.pass().await;
            self.0 + id
        }
    }
    let _clock = clock();
    let shop = Shop(1);
    GATE.open();
    calls! { miss: smol::block_on(shop.price(2)) => 3; }
    GATE.shut();
    advance(6 * MINUTE);
    let mut renewing = Task::started(shop.price(2));
    for _ in 0..10 {
        calls! { hit: Task::new(shop.price(2)).ready() => 3; }
    }
    GATE.open();
    assert_eq!(renewing.ready(), 3);
    calls! { hit: Task::new(shop.price(2)).ready() => 3; }
    assert_eq!(Shop::price_memo().stats().stale, 10);
    // one that is given up has failed: no other begins at once
    GATE.shut();
    advance(6 * MINUTE);
    drop(Task::started(shop.price(2)));
    calls! { hit: Task::new(shop.price(2)).ready() => 3; }
    assert_eq!(Shop::price_memo().stats().renewal_failed, 1);
    GATE.open();
    advance(MINUTE);
    calls! { miss: Task::new(shop.price(2)).ready() => 3; }
}
