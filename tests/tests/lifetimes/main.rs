//! The memory engine through the API: bounds, lifetimes, growth. Promises 9 and 10.
//!
//! A binary of its own, since these tests move the clock of the process; one at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memo::__private::testing::{advance, sweep_now};

const MINUTE: Duration = Duration::from_secs(60);

/// The clock is for one test at a time.
fn clock() -> MutexGuard<'static, ()> {
    static CLOCK: Mutex<()> = Mutex::new(());
    CLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same tests for each engine.
macro_rules! engine {
    ($name:ident, $engine:tt) => {
        mod $name {
            use super::*;
            use memo::{Stats, memoize};
            use memo_tests::{calls, ran, size, watched};

            #[test]
            fn an_entry_lives_for_its_ttl_from_its_writing() {
                #[memoize(engine = $engine, ttl = "1h")]
                fn dated(n: u32) -> u32 {
                    ran();
                    n
                }
                let _clock = clock();
                calls! { miss: dated(1) => 1; }
                advance(50 * MINUTE);
                calls! {
                    hit: dated(1) => 1;
                    hit: dated::peek(1) => Some(1);
                }
                advance(20 * MINUTE);
                calls! {
                    hit: dated::peek(1) => None;
                    miss: dated(1) => 1;
                    hit: dated(1) => 1;
                }
            }

            #[test]
            fn an_entry_lives_for_its_tti_from_its_last_read() {
                #[memoize(engine = $engine, tti = "1h")]
                fn idle(n: u32) -> u32 {
                    ran();
                    n
                }
                let _clock = clock();
                calls! { miss: idle(1) => 1; miss: idle(2) => 2; }
                for _ in 0..3 {
                    advance(50 * MINUTE);
                    // of the other, a look that is no read
                    calls! { hit: idle(1) => 1; }
                    let _ = idle::peek(2);
                }
                calls! { miss: idle(2) => 2; }
                advance(70 * MINUTE);
                calls! { miss: idle(1) => 1; }
            }

            #[test]
            fn ttl_bounds_what_is_read_all_the_time() {
                #[memoize(engine = $engine, ttl = 2 * 60 * MINUTE, tti = "1h")]
                fn both(n: u32) -> u32 {
                    ran();
                    n
                }
                let _clock = clock();
                calls! { miss: both(1) => 1; }
                advance(50 * MINUTE);
                calls! { hit: both(1) => 1; }
                advance(50 * MINUTE);
                calls! { hit: both(1) => 1; }
                advance(50 * MINUTE);
                calls! { miss: both(1) => 1; }
            }

            #[test]
            fn a_result_decides_over_its_lifetime() {
                #[memoize(engine = $engine, ttl = "10h", ttl_of = |hours| hours.map(|hours| 60 * hours * MINUTE))]
                fn lives(hours: Option<u32>) -> Option<u32> {
                    ran();
                    hours
                }
                let _clock = clock();
                calls! {
                    miss: lives(Some(1)) => Some(1);
                    miss: lives(Some(3)) => Some(3);
                    miss: lives(None) => None;
                    miss: lives(Some(0)) => Some(0);
                    miss: lives(Some(0)) => Some(0);
                }
                advance(70 * MINUTE);
                calls! { miss: lives(Some(1)) => Some(1); hit: lives(Some(3)) => Some(3); hit: lives(None) => None; }
                advance(120 * MINUTE);
                calls! { miss: lives(Some(3)) => Some(3); hit: lives(None) => None; }
                advance(500 * MINUTE);
                calls! { miss: lives(None) => None; }
            }

            #[test]
            fn an_error_lives_for_a_time_of_its_own() {
                #[memoize(engine = $engine, ttl = "10h", cache_err = "1h")]
                fn halved(n: u32) -> Result<u32, String> {
                    ran();
                    if n % 2 == 0 { Ok(n / 2) } else { Err("odd".into()) }
                }
                let _clock = clock();
                calls! { miss: halved(1).is_err() => true; miss: halved(2) => Ok(1); hit: halved(1).is_err() => true; }
                advance(70 * MINUTE);
                calls! { miss: halved(1).is_err() => true; hit: halved(2) => Ok(1); }
            }

            #[test]
            fn promise_10_expired_entries_leave_without_being_touched() {
                #[memoize(engine = $engine, ttl = "1h", capacity = "unbounded")]
                fn dated(n: u32) -> u32 {
                    n
                }
                let _clock = clock();
                dated::warm(0..1_000);
                assert_eq!(dated::stats().entries, 1_000);
                advance(70 * MINUTE);
                sweep_now();
                let Stats { entries, expired, evicted, .. } = dated::stats();
                assert_eq!((entries, expired, evicted), (0, 1_000, 0));
            }

            #[test]
            fn promise_9_zero_is_not_stored_and_the_longest_saturates() {
                #[memoize(engine = $engine, ttl = Duration::ZERO)]
                fn never(n: u32) -> u32 {
                    ran();
                    n
                }
                #[memoize(engine = $engine, tti = Duration::ZERO)]
                fn never_read(n: u32) -> u32 {
                    ran();
                    n
                }
                #[memoize(engine = $engine, ttl = Duration::MAX, tti = Duration::MAX)]
                fn always(n: u32) -> u32 {
                    ran();
                    n
                }
                #[memoize(engine = $engine, ttl_of = |_| Some(Duration::MAX))]
                fn always_of(n: u32) -> u32 {
                    ran();
                    n
                }
                let _clock = clock();
                calls! {
                    miss: never(1) => 1;
                    miss: never(1) => 1;
                    miss: never_read(1) => 1;
                    miss: never_read(1) => 1;
                    miss: always(1) => 1;
                    miss: always_of(1) => 1;
                }
                assert_eq!((never::stats().entries, never_read::stats().entries), (0, 0));
                advance(10 * 365 * 24 * 60 * MINUTE);
                sweep_now();
                calls! {
                    hit: always(1) => 1;
                    hit: always_of(1) => 1;
                }
            }

            #[test]
            fn promise_10_the_capacity_holds_under_load() {
                #[memoize(engine = $engine, capacity = 1_000)]
                fn bounded(n: u64) -> u64 {
                    n
                }
                watched(|| {
                    std::thread::scope(|scope| {
                        for thread in 0..4 {
                            scope.spawn(move || {
                                for n in 0..20_000 {
                                    assert_eq!(bounded(thread * 1_000_000 + n), thread * 1_000_000 + n);
                                    if n % 1_000 == 0 {
                                        let entries = bounded::stats().entries;
                                        assert!(entries <= 1_100, "{entries} entries under load");
                                    }
                                }
                            });
                        }
                    });
                });
                let stats = bounded::stats();
                assert!((500..=1_000).contains(&stats.entries), "{stats}");
                // `peek`ing at all tells the same
                let here = (0..4).flat_map(|thread| (0..20_000).map(move |n| thread * 1_000_000 + n));
                assert_eq!(here.filter(|n| bounded::peek(*n).is_some()).count() as u64, stats.entries);
            }

            #[test]
            fn promise_10_the_weight_holds_and_the_oversized_are_returned() {
                #[memoize(engine = $engine, weigh = |_, text| text.len() as u32, max_weight = "10KB")]
                fn text(n: u64) -> String {
                    ran();
                    "x".repeat(if n == 0 { 10_001 } else { 50 + n as usize % 100 })
                }
                for n in 1..5_000 {
                    assert_eq!(text(n).len(), 50 + n as usize % 100);
                    if n % 500 == 0 {
                        assert!(text::stats().weight <= 11_000, "{}", text::stats());
                    }
                }
                let stats = text::stats();
                // within the 1.1 times that are promised under load; at rest it is a percent too much as well
                assert!((5_000..=11_000).contains(&stats.weight), "{} in {stats}", stats.weight);
                calls! {
                    miss: text(0).len() => 10_001;
                    miss: text(0).len() => 10_001;
                }
                assert!(text::stats().weight <= 11_000);
            }

            #[test]
            fn unbounded_keeps_all() {
                #[memoize(engine = $engine, capacity = "unbounded")]
                fn all(n: u64) -> u64 {
                    n
                }
                all::warm(0..30_000);
                let stats = all::stats();
                assert_eq!((stats.entries, stats.evicted), (30_000, 0));
            }

            #[test]
            fn what_is_used_outlives_a_scan() {
                #[memoize(engine = $engine, capacity = 1_000)]
                fn page(n: u64) -> u64 {
                    ran();
                    n
                }
                for _ in 0..20 {
                    page::warm(0..100);
                }
                page::warm(1_000..20_000);
                let kept = (0..100).filter(|n| page::peek(*n).is_some()).count();
                // moka is asked for its LRU where there is so little room
                assert!(kept >= 50 || $engine == "moka", "of 100 pages in use, {kept} outlived a scan");
            }

            #[test]
            fn promise_10_a_million_inserts_of_reused_keys() {
                #[memoize(engine = $engine, capacity = 10_000)]
                fn some(n: u64) -> [u64; 4] {
                    [n; 4]
                }
                let _clock = clock();
                let inserts = if $engine == "memory" { size(1_000_000, 10_000_000) } else { size(200_000, 2_000_000) };
                let before = memo_tests::counting::live_bytes();
                let mut most = 0;
                let mut at_rest = 0;
                for n in 0..inserts as u64 {
                    // every key comes back
                    let key = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 47;
                    assert_eq!(some(key)[3], key);
                    if n % 8_192 == 0 {
                        let live = memo_tests::counting::live_bytes() - before;
                        most = most.max(live);
                        if n as usize <= inserts / 4 {
                            at_rest = most;
                        }
                        assert!(some::stats().entries <= 11_000, "{}", some::stats());
                    }
                }
                assert!(some::stats().entries <= 10_000);
                // 48 bytes of key and value; what is around them, and room to grow, is a few times that
                assert!(most < 10_000 * 1_000, "{most} bytes for 10,000 entries");
                assert!(most <= at_rest + at_rest / 4, "grows from {at_rest} to {most} bytes");
            }
        }
    };
}

engine!(memory, "memory");
#[cfg(feature = "moka")]
engine!(moka, "moka");
