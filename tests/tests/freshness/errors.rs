//! What answers a call whose computation fails.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use memo::memoize;
use memo_tests::{AsyncGate, Gate, Task, calls, caught, ran, throw};

use crate::{MINUTE, advance, clock, until};

const SECOND: Duration = Duration::from_secs(1);

/// How an origin does.
#[derive(Debug, Default)]
struct Origin(AtomicU64);

const UP: u64 = 0;
const FAILS: u64 = 1;
const PANICS: u64 = 2;

impl Origin {
    const fn up() -> Self {
        Origin(AtomicU64::new(UP))
    }

    fn is(&self, state: u64) {
        self.0.store(state, SeqCst);
    }

    fn ask(&self, id: u64) -> Result<u64, String> {
        match self.0.load(SeqCst) {
            UP => Ok(id),
            FAILS => Err("down".into()),
            _ => throw("on purpose"),
        }
    }
}

#[test]
fn failed_renewals_are_further_and_further_apart() {
    static ORIGIN: Origin = Origin::up();
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    fn rate(id: u64) -> Result<u64, String> {
        ran();
        ORIGIN.ask(id)
    }
    let _clock = clock();
    calls! { miss: rate(1) => Ok(1); }
    ORIGIN.is(FAILS);
    advance(6 * MINUTE);
    calls! { miss: rate(1) => Ok(1); }
    for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
        if delay >= 32 {
            // so much before its end that no machine is slow enough
            advance((delay - 20) * SECOND);
            calls! { hit: rate(1) => Ok(1); }
            advance(21 * SECOND);
        } else {
            advance((delay + 1) * SECOND);
        }
        calls! {
            miss: rate(1) => Ok(1);
            hit: rate(1) => Ok(1);
        }
    }
    let entry = rate::peek_entry(1).expect("it is kept");
    assert_eq!((entry.failures, entry.is_stale), (9, true));
    // once it has been renewed, nothing is left of that
    ORIGIN.is(UP);
    advance(61 * SECOND);
    calls! {
        miss: rate(1) => Ok(1);
        hit: rate(1) => Ok(1);
    }
    assert_eq!(rate::peek_entry(1).expect("it is there").failures, 0);
    let stats = rate::stats();
    assert_eq!((stats.renewal_failed, stats.renewed, stats.entries), (9, 1, 1));
}

#[test]
fn a_renewal_that_fails_behind_the_calls_leaves_the_result() {
    static ORIGIN: Origin = Origin::up();
    static ASKED: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale = "10m", stale_if_error = "2h")]
    fn rate(id: u64) -> Result<u64, String> {
        ASKED.fetch_add(1, SeqCst);
        ORIGIN.ask(id)
    }
    let _clock = clock();
    assert_eq!(rate(1), Ok(1));
    let mut failed = 0;
    for state in [FAILS, PANICS, FAILS] {
        ORIGIN.is(state);
        failed += 1;
        advance(if failed == 1 { 6 * MINUTE } else { MINUTE });
        assert_eq!(rate(1), Ok(1));
        until(|| rate::stats().renewal_failed == failed);
        assert_eq!(ASKED.load(SeqCst), failed + 1);
    }
    // it is no longer stale, but good in place of an error
    advance(10 * MINUTE);
    assert_eq!(rate(1), Ok(1));
    assert_eq!(ASKED.load(SeqCst), 5, "the call has asked itself");
    assert_eq!((rate(1), rate(1)), (Ok(1), Ok(1)));
    assert_eq!(ASKED.load(SeqCst), 5, "nobody asks so soon");
    advance(3 * 60 * MINUTE);
    assert_eq!(rate(1), Err("down".into()));
    assert_eq!(rate::stats().renewal_failed, 4);
}

#[test]
fn panics_are_answered_and_those_of_first_computations_are_not() {
    static ORIGIN: Origin = Origin::up();
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    fn plain(id: u64) -> u64 {
        ran();
        ORIGIN.ask(id).unwrap_or_default()
    }
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    async fn future(id: u64) -> u64 {
        ran();
        std::future::ready(()).await;
        ORIGIN.ask(id).unwrap_or_default()
    }
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "5m", stale_if_error = "1h", receiver = self.0)]
        fn method(&self, id: u64) -> u64 {
            ran();
            ORIGIN.ask(id + self.0).unwrap_or_default()
        }
    }
    let _clock = clock();
    let all: [fn(u64) -> u64; 3] = [plain, |id| smol::block_on(future(id)), |id| Shop(0).method(id)];
    for call in all {
        ORIGIN.is(PANICS);
        assert_eq!(caught(|| call(1)), Err("on purpose"));
        ORIGIN.is(UP);
        calls! {
            miss: call(1) => 1;
            hit: call(1) => 1;
        }
        ORIGIN.is(PANICS);
        advance(6 * MINUTE);
        calls! {
            miss: call(1) => 1;
            hit: call(1) => 1;
        }
        ORIGIN.is(UP);
        advance(MINUTE);
        calls! {
            miss: call(1) => 1;
            hit: call(1) => 1;
        }
    }
    assert_eq!((plain::stats().renewal_failed, plain::stats().renewed), (1, 1));
}

#[test]
fn those_who_wait_for_a_computation_that_fails_get_the_last_good_result() {
    static ORIGIN: Origin = Origin::up();
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    async fn rate(id: u64) -> Result<u64, String> {
        GATE.pass().await;
        ORIGIN.ask(id)
    }
    let _clock = clock();
    for state in [FAILS, PANICS] {
        ORIGIN.is(UP);
        GATE.open();
        advance(6 * MINUTE);
        assert_eq!(smol::block_on(rate(1)), Ok(1));
        GATE.shut();
        ORIGIN.is(state);
        advance(6 * MINUTE);
        let computes = rate::stats().computes;
        let mut leader = Task::started(rate(1));
        let mut waiters: Vec<_> = (0..3).map(|_| Task::started(rate(1))).collect();
        GATE.open();
        assert_eq!(leader.ready(), Ok(1));
        assert!(waiters.iter_mut().all(|waiter| waiter.is_woken() && waiter.ready() == Ok(1)));
        assert_eq!(Task::new(rate(1)).ready(), Ok(1));
        assert_eq!(rate::stats().computes, computes + u64::from(state == FAILS), "only one has asked");
        // nothing but time makes the next one
        smol::block_on(rate::invalidate(1)).expect("memory does it");
    }
}

#[test]
fn who_takes_over_from_a_call_that_is_given_up_answers_by_the_last_good_result() {
    static ORIGIN: Origin = Origin::up();
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    async fn rate(id: u64) -> Result<u64, String> {
        GATE.pass().await;
        ORIGIN.ask(id)
    }
    let _clock = clock();
    GATE.open();
    assert_eq!(smol::block_on(rate(1)), Ok(1));
    GATE.shut();
    ORIGIN.is(FAILS);
    advance(6 * MINUTE);
    let leader = Task::started(rate(1));
    let mut waiter = Task::started(rate(1));
    drop(leader);
    assert!(waiter.is_woken());
    waiter.pending();
    GATE.open();
    assert_eq!(waiter.ready(), Ok(1));
    assert_eq!(Task::new(rate(1)).ready(), Ok(1), "at once, since one has failed");
}

#[test]
fn threads_that_come_together_get_the_last_good_result() {
    static ORIGIN: Origin = Origin::up();
    static GATE: Gate = Gate::new();
    static ASKED: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale_if_error = "1h")]
    fn rate(id: u64) -> Result<u64, String> {
        if ASKED.fetch_add(1, SeqCst) > 0 {
            GATE.pass();
        }
        ORIGIN.ask(id)
    }
    let _clock = clock();
    assert_eq!(rate(1), Ok(1));
    for (round, state) in [FAILS, PANICS].into_iter().enumerate() {
        ORIGIN.is(state);
        advance(6 * MINUTE);
        let asked = ASKED.load(SeqCst);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| rate(1))).collect();
            if round == 0 {
                until(|| ASKED.load(SeqCst) == asked + 1);
                GATE.open();
            }
            for thread in threads {
                assert_eq!(thread.join().expect("it does not panic"), Ok(1));
            }
        });
        assert_eq!(ASKED.load(SeqCst), asked + 1);
    }
}

#[test]
fn an_error_is_never_served_stale() {
    static ORIGIN: Origin = Origin::up();
    static ASKED: AtomicU64 = AtomicU64::new(0);
    #[memoize(ttl = "5m", stale = "1h", stale_if_error = "1d", cache_err = "1m")]
    fn rate(id: u64) -> Result<u64, String> {
        ASKED.fetch_add(1, SeqCst);
        ORIGIN.ask(id)
    }
    let _clock = clock();
    ORIGIN.is(FAILS);
    for asked in 1..4 {
        assert_eq!((rate(1), rate(1)), (Err("down".into()), Err("down".into())));
        assert_eq!(ASKED.load(SeqCst), asked);
        advance(2 * MINUTE);
    }
    assert_eq!(rate::stats().stale, 0);
    // nor does one take the place of a result that is good
    ORIGIN.is(UP);
    assert_eq!(rate(1), Ok(1));
    ORIGIN.is(FAILS);
    advance(6 * MINUTE);
    assert_eq!(rate(1), Ok(1));
    until(|| rate::stats().renewal_failed == 1);
    assert_eq!(rate(1), Ok(1));
    assert_eq!(rate::peek(1), None, "it is not fresh");
}
