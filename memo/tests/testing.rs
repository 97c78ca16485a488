//! What tests of users have.
#![cfg(feature = "testing")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memo::memoize;
use memo::testing::{assert_computed, assert_hit, clock, isolated, isolation};

/// The message of the assertion that fails in `test`.
fn message<R>(test: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).err().expect("an assertion fails");
    // without its time, which differs
    let message = panic.downcast::<String>().expect("a message");
    let lines = message.lines().map(|line| line.rsplit_once(", in ").map_or(line, |(line, _)| line));
    lines.collect::<Vec<_>>().join("\n")
}

#[memoize(name = "square")]
fn square(n: u64) -> u64 {
    n * n
}

#[memoize(name = "sum")]
fn sum(a: u64, b: u64) -> u64 {
    square(a) + square(b)
}

#[test]
fn assertions_give_the_result_of_the_call() {
    let _cache = isolated();
    assert_eq!(assert_computed!(square(3)), 9);
    assert_eq!(assert_hit!(square(3)), 9);
    assert_eq!(assert_computed!(sum(3, 4)), 25);
    assert_hit!(square(4),);
    assert_computed!(square::refresh(4));
    assert_computed!(square::uncached(4));
}

#[test]
fn assertions_that_fail_say_what_happened_instead() {
    let _cache = isolated();
    assert_eq!(message(|| assert_hit!(square(3))), "`square(3)` should be a hit: square was computed");
    assert_eq!(
        message(|| assert_computed!(square(3))),
        "`square(3)` should be computed: square was a hit, from \"memory\""
    );
    assert_eq!(
        message(|| assert_hit!(sum(3, 4))),
        "`sum(3, 4)` should be a hit: sum was computed\nbefore that:\n  square was a hit, from \
         \"memory\"\n  square was computed"
    );
    let none = message(|| assert_computed!(3 + 4));
    assert!(none.contains("calls no memoized function"), "{none}");
}

#[test]
fn async_calls_are_asserted_about_where_they_are_awaited() {
    #[memoize]
    async fn fetch(n: u64) -> u64 {
        tokio::task::yield_now().await;
        n
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(isolation().run(async {
        assert_eq!(assert_computed!(fetch(1).await), 1);
        assert_eq!(assert_hit!(fetch(1).await), 1);
    }));
    assert_eq!(runtime.block_on(fetch::peek(1)), None);
}

#[test]
fn isolated_tests_do_not_see_each_other() {
    square(1000);
    for _ in 0..2 {
        let cache = isolated();
        assert_computed!(square(1000));
        assert_eq!((cache.recording().computes("square"), cache.recording().hits("square")), (1, 0));
    }
    assert_hit!(square(1000));
}

#[test]
fn promise_9_the_clock_drives_every_lifetime_in_memory() {
    #[memoize(ttl = "1h")]
    fn ttl(n: u64) -> u64 {
        n
    }
    #[memoize(tti = "1h")]
    fn tti(n: u64) -> u64 {
        n
    }
    #[memoize(ttl_of = |n| Some(Duration::from_secs(*n)))]
    fn ttl_of(n: u64) -> u64 {
        n
    }
    #[memoize(cache_err = "1h")]
    fn error(n: u64) -> Result<u64, u64> {
        Err(n)
    }
    let clock = clock();
    let _cache = isolated();
    let _ = (ttl(1), tti(1), ttl_of(3600), error(1));
    clock.advance("50m");
    assert_hit!(ttl(1));
    assert_hit!(tti(1));
    assert_hit!(ttl_of(3600));
    let _ = assert_hit!(error(1));
    clock.advance(Duration::from_secs(20 * 60));
    // the idle time began anew
    assert_hit!(tti(1));
    assert_computed!(ttl(1));
    assert_computed!(ttl_of(3600));
    let _ = assert_computed!(error(1));
    clock.advance("2h");
    assert_computed!(tti(1));
}

#[test]
fn the_clock_is_for_one_test_at_a_time() {
    static INSIDE: AtomicU64 = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let clock = clock();
                    assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                    clock.advance("1ms");
                    assert_eq!(INSIDE.fetch_sub(1, Ordering::SeqCst), 1);
                }
            });
        }
    });
    // also after a test that has failed
    catch_unwind(|| {
        let _clock = clock();
        std::panic::resume_unwind(Box::new("failed"))
    })
    .unwrap_err();
    drop(clock());
    // a test that asks twice is told, and does not wait for itself
    let twice = catch_unwind(|| {
        let _clock = clock();
        clock().advance("1h");
    });
    let said = *twice.unwrap_err().downcast::<&str>().unwrap();
    assert_eq!(said, "memo: this test has the clock already: use what `clock()` gave it");
    drop(clock());
}

#[cfg(feature = "engines")]
mod engines {
    use super::*;
    use std::sync::LazyLock;

    use memo::engine::ErrorKind;
    use memo::testing::{Double, Mood, engine};
    use proptest::prelude::*;

    #[test]
    fn promise_9_the_clock_drives_lifetimes_in_engines() {
        #[memoize(engine = "testing-lifetimes", fallback = "none", ttl = "1h")]
        fn far(n: u64) -> u64 {
            n
        }
        let _engine = engine("testing-lifetimes");
        let clock = clock();
        far(1);
        clock.advance("50m");
        assert_hit!(far(1));
        clock.advance("20m");
        assert_computed!(far(1));
    }

    #[test]
    fn promise_9_what_was_stored_in_the_future_is_a_miss() {
        #[memoize(engine = "testing-back", fallback = "none")]
        fn far(n: u64) -> u64 {
            n
        }
        let _engine = engine("testing-back");
        let mut clock = clock();
        far(1);
        assert_hit!(far(1));
        clock.set_back("1d");
        clock.set_back("1d");
        assert_computed!(far(1));
        assert_eq!(far::stats().tiers[0].misfits, [("from the future", 1)]);
        assert_hit!(far(1));
        drop(clock);
        assert_hit!(far(1));
    }

    /// What happens to the clocks: in hours.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Passes(u64),
        SetBack(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        const YEAR: u64 = 365 * 24;
        prop_oneof![
            30 => (0..4_u64).prop_map(Step::Passes),
            8 => (0..72_u64).prop_map(Step::Passes),
            1 => (0..YEAR).prop_map(Step::Passes),
            8 => (0..4_u64).prop_map(Step::SetBack),
            4 => (0..10 * YEAR).prop_map(Step::SetBack),
        ]
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 3600)
    }

    #[memoize(ttl = "90m")]
    fn near(n: u64) -> u64 {
        n
    }

    #[memoize(engine = "testing-clocks", fallback = "none", ttl = "90m")]
    fn far(n: u64) -> u64 {
        n
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Memory goes by the time that passes, engines by the clock on the wall, which people set.
        #[test]
        fn promise_9_calls_are_right_whatever_happens_to_the_clocks(steps in prop::collection::vec(step(), 1..40)) {
            static ENGINE: LazyLock<Double> = LazyLock::new(|| engine("testing-clocks"));
            LazyLock::force(&ENGINE);
            let mut clock = clock();
            near::clear().unwrap();
            far::clear().unwrap();
            // times since the beginning, and those at which the two results were stored
            let (mut passed, mut wall) = (0_u64, 0_i64);
            let (mut stored_near, mut stored_far) = (None, None);
            let mut back = 0;
            for step in steps {
                match step {
                    Step::Passes(time) => {
                        clock.advance(hours(time));
                        passed += time;
                        wall += time as i64;
                    }
                    // not before 1970
                    Step::SetBack(time) if back + time > 40 * 365 * 24 => {}
                    Step::SetBack(time) => {
                        clock.set_back(hours(time));
                        wall -= time as i64;
                        back += time;
                    }
                }
                if stored_near.is_some_and(|stored| passed - stored <= 1) {
                    assert_hit!(near(1));
                } else {
                    assert_computed!(near(1));
                    stored_near = Some(passed);
                }
                if stored_far.is_some_and(|stored| (0..=1).contains(&(wall - stored))) {
                    assert_hit!(far(1));
                } else {
                    assert_computed!(far(1));
                    stored_far = Some(wall);
                }
            }
        }
    }

    #[cfg(feature = "disk")]
    #[test]
    fn promise_9_the_clock_drives_lifetimes_on_disk() {
        #[memoize(engine = "testing-disk", fallback = "none", ttl = "1h")]
        fn parse(n: u64) -> u64 {
            n
        }
        let directory = tempfile::tempdir().unwrap();
        let disk = memo::engine::Disk::open(memo::engine::DiskOptions::at(directory.path())).unwrap();
        memo::engines().register("testing-disk", disk);
        let clock = clock();
        assert_computed!(parse(1));
        clock.advance("50m");
        assert_hit!(parse(1));
        clock.advance("20m");
        assert_computed!(parse(1));
    }

    #[test]
    fn an_engine_fails_delays_and_corrupts_on_order() {
        #[memoize(engine = "testing-double", fallback = "none")]
        fn far(n: u64) -> u64 {
            n
        }
        let double = engine("testing-double");
        assert_computed!(far(1));
        assert_hit!(far(1));
        double.set(Mood::Corrupting);
        assert_computed!(far(1));
        double.set(Mood::Slow(Duration::from_millis(1)));
        assert_hit!(far(1));
        assert_eq!(double.len(), 1);
        double.set(Mood::Failing(ErrorKind::Unavailable));
        assert_computed!(far(1));
    }
}
