//! `timeout`, `wait`: what is asked of others is spared.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use memo::{TimedOut, memoize};
use memo_tests::{AsyncGate, Gate, Task, ran, runs_in, watched};

use crate::{MINUTE, advance, clock};

#[derive(Debug, Clone, PartialEq)]
enum Error {
    TooSlow,
}

impl From<TimedOut> for Error {
    fn from(_: TimedOut) -> Self {
        Error::TooSlow
    }
}

/// Waits until somebody wakes it.
pub(crate) fn woken<F: Future>(task: &Task<F>) {
    watched(|| {
        while !task.is_woken() {
            thread::yield_now();
        }
    });
}

#[test]
fn a_computation_that_takes_too_long_is_given_up() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    #[memoize(timeout = "2s")]
    async fn load(id: u64) -> Result<u64, Error> {
        let _held = Held;
        std::future::pending::<()>().await;
        Ok(id)
    }
    let _clock = clock();
    let (mut leads, mut waits) = (Task::started(load(1)), Task::started(load(1)));
    advance(Duration::from_millis(1900));
    leads.pending();
    assert_eq!(DROPPED.load(SeqCst), 0);
    advance(Duration::from_millis(200));
    woken(&leads);
    assert_eq!(leads.ready(), Err(Error::TooSlow));
    assert_eq!(DROPPED.load(SeqCst), 1, "the future of the body is dropped at once");
    assert_eq!(waits.ready(), Err(Error::TooSlow), "an error that can be cloned is shared");
    let stats = load::stats();
    assert_eq!((stats.timed_out, stats.stored, stats.entries), (1, 0, 0));
}

#[test]
fn who_waited_computes_where_the_error_cannot_be_shared() {
    struct Unshared;
    impl From<TimedOut> for Unshared {
        fn from(_: TimedOut) -> Self {
            Unshared
        }
    }
    static SLOW: AtomicU64 = AtomicU64::new(1);
    #[memoize(timeout = "2s")]
    async fn load(id: u64) -> Result<u64, Unshared> {
        if SLOW.swap(0, SeqCst) == 1 {
            std::future::pending::<()>().await;
        }
        Ok(id)
    }
    let _clock = clock();
    let (mut leads, mut waits) = (Task::started(load(1)), Task::started(load(1)));
    advance(3 * Duration::from_secs(1));
    assert!(leads.ready().is_err());
    woken(&waits);
    assert!(waits.ready().is_ok_and(|id| id == 1));
}

#[test]
fn what_is_stale_answers_in_place_of_a_timeout() {
    static SLOW: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale_if_error = "1h", timeout = "2s")]
    async fn rate(id: u64) -> Result<u64, Error> {
        ran();
        if SLOW.load(SeqCst) == 1 {
            std::future::pending::<()>().await;
        }
        Ok(id)
    }
    let _clock = clock();
    assert_eq!(runs_in(|| Task::new(rate(1)).ready()), (1, Ok(1)));
    SLOW.store(1, SeqCst);
    advance(6 * MINUTE);
    let mut call = Task::started(rate(1));
    advance(3 * Duration::from_secs(1));
    woken(&call);
    assert_eq!(call.ready(), Ok(1));
    assert_eq!(runs_in(|| Task::new(rate(1)).ready()), (0, Ok(1)), "nobody tries again for a while");
    let stats = rate::stats();
    assert_eq!((stats.timed_out, stats.renewal_failed, stats.stale), (1, 1, 2));
}

#[test]
fn a_renewal_behind_the_call_is_given_up_too() {
    static SLOW: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale = "1h", timeout = "2s")]
    async fn rate(id: u64) -> Result<u64, Error> {
        if SLOW.load(SeqCst) == 1 {
            SLOW.store(2, SeqCst);
            std::future::pending::<()>().await;
        }
        Ok(id)
    }
    let _clock = clock();
    assert_eq!(Task::new(rate(1)).ready(), Ok(1));
    SLOW.store(1, SeqCst);
    advance(6 * MINUTE);
    assert_eq!(Task::new(rate(1)).ready(), Ok(1));
    crate::until(|| SLOW.load(SeqCst) == 2);
    crate::until(|| {
        advance(Duration::from_secs(3));
        rate::stats().renewal_failed == 1
    });
    assert_eq!(rate::stats().timed_out, 1);
}

#[test]
fn what_is_in_time_is_no_timeout() {
    #[memoize(timeout = "1h")]
    async fn load(id: u64) -> Result<u64, Error> {
        ran();
        Ok(id)
    }
    assert_eq!(runs_in(|| Task::new(load(1)).ready()), (1, Ok(1)));
    assert_eq!(runs_in(|| Task::new(load(1)).ready()), (0, Ok(1)));
    assert_eq!(load::stats().timed_out, 0);
}

#[test]
fn a_call_waits_for_the_renewal_of_what_is_stale() {
    static GATE: Gate = Gate::new();
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    static PRICE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale = "1h", wait = "30m")]
    fn price(id: u64) -> u64 {
        if PRICE.load(SeqCst) > 1 {
            BEGUN.store(1, SeqCst);
            GATE.pass();
        }
        id + 100 * PRICE.load(SeqCst)
    }
    let _clock = clock();
    assert_eq!(price(3), 103);
    advance(6 * MINUTE);
    PRICE.store(2, SeqCst);
    watched(|| {
        thread::scope(|scope| {
            let renews = scope.spawn(|| price(3));
            crate::until(|| BEGUN.load(SeqCst) == 1);
            let calls: Vec<_> = (0..2).map(|_| scope.spawn(|| price(3))).chain([renews]).collect();
            GATE.open();
            assert!(calls.into_iter().all(|call| call.join().is_ok_and(|price| price == 203)));
        });
    });
    let stats = price::stats();
    assert_eq!((stats.hits, stats.misses, stats.computes, stats.stale), (3, 1, 2, 0));
}

#[test]
fn a_call_waits_no_longer_than_was_said() {
    static GATE: AsyncGate = AsyncGate::new();
    static PRICE: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale = "1h", wait = "50ms")]
    async fn price(id: u64) -> u64 {
        if PRICE.load(SeqCst) > 1 {
            GATE.pass().await;
        }
        id + 100 * PRICE.load(SeqCst)
    }
    let _clock = clock();
    assert_eq!(Task::new(price(3)).ready(), 103);
    advance(6 * MINUTE);
    PRICE.store(2, SeqCst);
    let (mut renews, mut waits) = (Task::started(price(3)), Task::started(price(3)));
    advance(Duration::from_millis(60));
    woken(&renews);
    assert_eq!((renews.ready(), waits.ready()), (103, 103));
    assert_eq!(price::stats().stale, 2);
    GATE.open();
    crate::until(|| price::stats().renewed == 1);
    assert_eq!(Task::new(price(3)).ready(), 203);
}

#[test]
fn nobody_waits_for_a_renewal_that_has_failed() {
    static DOWN: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale = "1h", wait = "30m")]
    fn rate(id: u64) -> Result<u64, &'static str> {
        if DOWN.load(SeqCst) == 1 { Err("down") } else { Ok(id) }
    }
    let _clock = clock();
    assert_eq!(rate(1), Ok(1));
    DOWN.store(1, SeqCst);
    advance(6 * MINUTE);
    watched(|| assert_eq!((rate(1), rate(1)), (Ok(1), Ok(1))));
    let stats = rate::stats();
    assert_eq!((stats.renewal_failed, stats.stale), (1, 2));
}
