//! An entry may say that it lives for a thousand years; its function says for how long it does.
#![cfg(all(feature = "engines", feature = "testing"))]

mod shelf;

use std::sync::atomic::{AtomicU64, Ordering};

use memo::testing::clock;

use shelf::Shelf;

/// The year 3000, in milliseconds since 1970.
const YEAR_3000: u64 = 32_503_680_000_000;

#[test]
fn promise_31_an_entry_lives_no_longer_than_its_function_says() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    #[memo::memoize(engine = "forged", ttl = "5m")]
    fn number(n: u64) -> u64 {
        COMPUTES.fetch_add(1, Ordering::SeqCst);
        n
    }
    let clock = clock();
    let shelf = Shelf::named("forged");
    number(1);
    for (round, expires) in [Some(YEAR_3000), None].into_iter().enumerate() {
        let computed = round as u64 + 1;
        shelf.forge(|label, _| label.expires = expires);
        clock.advance("4m");
        number(1);
        assert_eq!(COMPUTES.load(Ordering::SeqCst), computed, "hit: it lives yet");
        clock.advance("61s");
        number(1);
        assert_eq!(COMPUTES.load(Ordering::SeqCst), computed + 1, "{expires:?}");
        assert_eq!(number::stats().tiers[0].misfits, [("expired", computed)]);
    }
}

#[test]
fn promise_31_what_is_kept_near_of_an_entry_lives_no_longer_either() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    mod first {
        #[memo::memoize(engine = "tiers", ttl = "5m", name = "forged::number", code = "manual")]
        pub(super) fn number(n: u64) -> u64 {
            n
        }
    }
    #[memo::memoize(engine = ["memory", "tiers"], ttl = "5m", name = "forged::number", code = "manual")]
    fn number(n: u64) -> u64 {
        COMPUTES.fetch_add(1, Ordering::SeqCst);
        n
    }
    let clock = clock();
    let shelf = Shelf::named("tiers");
    first::number(1);
    shelf.forge(|label, _| label.expires = Some(YEAR_3000));
    clock.advance("4m");
    number(1);
    assert_eq!(COMPUTES.load(Ordering::SeqCst), 0, "hit: what the other has stored");
    clock.advance("61s");
    number(1);
    assert_eq!(COMPUTES.load(Ordering::SeqCst), 1);
}

#[test]
fn what_a_scope_lets_live_longer_does() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    #[memo::memoize(engine = "scoped", ttl = "5m")]
    fn number(n: u64) -> u64 {
        COMPUTES.fetch_add(1, Ordering::SeqCst);
        n
    }
    let clock = clock();
    Shelf::named("scoped");
    memo::scope().ttl("1h").with(|| number(1));
    clock.advance("50m");
    number(1);
    assert_eq!(COMPUTES.load(Ordering::SeqCst), 1, "hit: by the scope");
    clock.advance("11m");
    number(1);
    assert_eq!(COMPUTES.load(Ordering::SeqCst), 2);
}
