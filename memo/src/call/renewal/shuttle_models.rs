//! Models of stale results and their renewals under the shuttle model checker: run with `RUSTFLAGS="--cfg memo_shuttle"`.
//!
//! A result is made stale by `expire`, so that no model depends on the time. Where a call hands its renewal over, the model
//! starts a thread of the checker for it, in place of the pool.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::sync::atomic::{AtomicU64, Ordering::SeqCst};
use shuttle::{future, thread};

use super::{Job, run};
use crate::call::claim::Claimed;
use crate::call::look_aged::look_at_age;
use crate::key::by_copy::ByCopy;
use crate::key::query::Query;
use crate::memo::Memo;
use crate::outcome::{OnlyOk, Outcome, Whole};
use crate::settings::Settings;

type Model = Memo<u8, u64, Infallible>;

const HOUR: Duration = Duration::from_secs(3600);
const KEY: ByCopy<u8> = ByCopy(1);

/// A function whose results are stale for an hour.
fn stale() -> Settings {
    Settings::new().ttl(HOUR).stale(HOUR)
}

fn model(settings: Settings) -> &'static Model {
    Model::model_by(settings, Box::leak(Box::default()))
}

/// What is started for a call that hands its renewal over.
type Started = thread::JoinHandle<()>;

/// A call. If it hands a renewal over, that runs the body as well.
fn call<R: Send + 'static, O: Outcome<R, Stored = u64, Failure = Infallible> + Send>(
    memo: &'static Model,
    outcome: O,
    body: impl FnOnce() -> R + Send + 'static,
) -> (R, Option<Started>) {
    let mut found = None;
    let Some(missed) = look_at_age::<ByCopy<u8>, R, O>(memo, KEY, None, &mut found) else {
        return (outcome.hit(found.expect("it is found, or missed")), None);
    };
    let mut running = match missed.begin(outcome) {
        Ok(result) => return (result, None),
        Err(running) => running,
    };
    if let Some(claimed) = running.computation().take_claimed() {
        // none of these functions waits for the renewal
        let Claimed { renewal, patient } = *claimed;
        let job: Job<R> = Box::new(body);
        return (outcome.hit(patient.value), Some(thread::spawn(move || run(renewal, outcome, job))));
    }
    let mut result = body();
    running.finish(outcome, &mut result);
    (result, None)
}

/// A call whose function renews in the calls.
async fn call_async(memo: &'static Model, body: impl Future<Output = u64>) -> u64 {
    let mut found = None;
    let Some(missed) = look_at_age::<ByCopy<u8>, u64, Whole>(memo, KEY, None, &mut found) else {
        return found.expect("it is found, or missed");
    };
    match missed.acquire(Whole).await {
        Ok(result) => result,
        Err(computing) => computing.run(Whole, body).await,
    }
}

fn expire(memo: &Model) {
    let hash = memo.hash(&KEY);
    memo.flights.supersede(hash, &Query(KEY));
    memo.near.expire(hash, &Query(KEY));
}

fn invalidate(memo: &Model) {
    let hash = memo.hash(&KEY);
    memo.flights.supersede(hash, &Query(KEY));
    memo.near.remove(hash, &Query(KEY));
}

fn clear(memo: &Model) {
    memo.flights.supersede_all();
    memo.near.clear();
}

/// What is stored, and whether it is stale.
fn stored(memo: &Model) -> Option<(u64, bool)> {
    let (value, age) = memo.near.peek_aged(memo.hash(&KEY), &Query(KEY))?;
    Some((value, age.is_some_and(|age| age.is_stale())))
}

/// A body: it gives what `source` says as it begins.
fn reads(source: &Arc<AtomicU64>) -> impl FnOnce() -> u64 + Send + 'static {
    let source = source.clone();
    move || {
        let read = source.load(SeqCst);
        thread::yield_now();
        read
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn check(model: fn()) {
    let schedules = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 100_000 } else { 3_000 };
    // deep enough for what `shuttle` runs on, its own stacks
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 18;
    shuttle::Runner::new(shuttle::scheduler::RandomScheduler::new(schedules), config.clone()).run(model);
    shuttle::Runner::new(shuttle::scheduler::PctScheduler::new(3, schedules), config).run(model);
}

/// Threads that call, while another does `change` to what is stored after the source has changed. Nobody who calls after that
/// gets what was read before it, and that is not stored.
fn changed_while_it_is_renewed(behind: bool, change: fn(&Model)) {
    let (memo, source) = (model(stale().renewed_behind(behind)), Arc::new(AtomicU64::new(1)));
    assert_eq!(call(memo, Whole, reads(&source)).0, 1);
    expire(memo);
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let body = reads(&source);
            thread::spawn(move || {
                let (result, renewal) = call(memo, Whole, body);
                assert!((1..=2).contains(&result), "{result}");
                renewal
            })
        })
        .collect();
    let of_changer = source.clone();
    let changer = thread::spawn(move || {
        of_changer.store(2, SeqCst);
        change(memo);
        let (result, renewal) = call(memo, Whole, reads(&of_changer));
        assert_eq!(result, 2, "what is invalidated is not served");
        renewal
    });
    let renewals: Vec<_> =
        callers.into_iter().chain([changer]).filter_map(|thread| thread.join().unwrap()).collect();
    renewals.into_iter().for_each(|renewal| renewal.join().unwrap());
    assert!(matches!(stored(memo), None | Some((2, _))), "{:?}", stored(memo));
}

#[test]
fn what_is_invalidated_is_not_served_though_a_renewal_has_begun() {
    check(|| changed_while_it_is_renewed(true, invalidate));
}

#[test]
fn what_is_invalidated_is_not_served_though_a_call_renews() {
    check(|| changed_while_it_is_renewed(false, invalidate));
}

#[test]
fn what_is_cleared_is_not_served_though_a_renewal_has_begun() {
    check(|| changed_while_it_is_renewed(true, clear));
}

#[test]
fn what_is_expired_is_stale_though_a_renewal_has_begun() {
    check(|| {
        let (memo, source) = (model(stale().renewed_behind(true)), Arc::new(AtomicU64::new(1)));
        call(memo, Whole, reads(&source));
        expire(memo);
        let body = reads(&source);
        let caller = thread::spawn(move || {
            if let (_, Some(renewal)) = call(memo, Whole, body) {
                renewal.join().unwrap();
            }
        });
        let of_changer = source.clone();
        let changer = thread::spawn(move || {
            of_changer.store(2, SeqCst);
            expire(memo);
        });
        caller.join().unwrap();
        changer.join().unwrap();
        let (value, is_stale) = stored(memo).expect("what is expired is kept");
        assert!(value == 2 || is_stale, "what was read before is not fresh");
        // and it is renewed by the next call, or the one after
        if let (_, Some(renewal)) = call(memo, Whole, reads(&source)) {
            renewal.join().unwrap();
        }
        assert_eq!(stored(memo), Some((2, false)));
    });
}

/// Threads that find a stale result: it is renewed once, and all get the one or the other.
fn one_renewal(settings: Settings) {
    let (memo, source) = (model(settings), Arc::new(AtomicU64::new(1)));
    call(memo, Whole, reads(&source));
    source.store(2, SeqCst);
    expire(memo);
    let (computing, computed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (computing, computed, read) = (computing.clone(), computed.clone(), reads(&source));
            thread::spawn(move || {
                let (result, renewal) = call(memo, Whole, move || {
                    assert_eq!(computing.fetch_add(1, SeqCst), 0, "one at a time");
                    let result = read();
                    computing.fetch_sub(1, SeqCst);
                    computed.fetch_add(1, SeqCst);
                    result
                });
                assert!((1..=2).contains(&result), "{result}");
                renewal
            })
        })
        .collect();
    let renewals: Vec<_> = callers.into_iter().filter_map(|caller| caller.join().unwrap()).collect();
    assert!(renewals.len() <= 1);
    renewals.into_iter().for_each(|renewal| renewal.join().unwrap());
    assert_eq!((computed.load(SeqCst), stored(memo)), (1, Some((2, false))));
}

#[test]
fn one_renewal_of_a_key_behind_the_calls() {
    check(|| one_renewal(stale().renewed_behind(true)));
}

#[test]
fn one_renewal_of_a_key_in_a_call() {
    check(|| one_renewal(stale()));
}

#[test]
fn one_renewal_of_what_serves_only_in_place_of_an_error() {
    check(|| one_renewal(Settings::new().ttl(HOUR).stale_if_error(HOUR)));
}

#[test]
fn all_get_the_last_good_result_where_one_fails() {
    check(|| {
        let memo = model(Settings::new().ttl(HOUR).stale_if_error(HOUR));
        let asked = Arc::new(AtomicU64::new(0));
        assert_eq!(call(memo, OnlyOk, || Ok::<u64, ()>(1)).0, Ok(1));
        expire(memo);
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let asked = asked.clone();
                thread::spawn(move || {
                    let failing = move || {
                        asked.fetch_add(1, SeqCst);
                        thread::yield_now();
                        Err::<u64, ()>(())
                    };
                    call(memo, OnlyOk, failing).0
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.join().unwrap(), Ok(1));
        }
        assert_eq!(asked.load(SeqCst), 1, "nobody asks again for a while");
        assert_eq!(stored(memo), Some((1, true)));
    });
}

#[test]
fn those_who_wait_for_a_future_that_is_dropped_are_answered() {
    check(|| {
        let memo = model(Settings::new().ttl(HOUR).stale_if_error(HOUR));
        let (computed, body) = (Arc::new(AtomicU64::new(0)), |computed: Arc<AtomicU64>| async move {
            yield_now().await;
            computed.fetch_add(1, SeqCst);
            2
        });
        call(memo, Whole, || 1);
        expire(memo);
        let of_dropped = computed.clone();
        let dropped = thread::spawn(move || {
            let mut call = pin!(call_async(memo, body(of_dropped)));
            let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            thread::yield_now();
        });
        let tasks: Vec<_> = (0..2).map(|_| future::spawn(call_async(memo, body(computed.clone())))).collect();
        for task in tasks {
            let result = future::block_on(task).unwrap();
            assert!((1..=2).contains(&result), "{result}");
        }
        dropped.join().unwrap();
        // with the first given up, one who waited computes, or all get the old one for a while
        assert!(computed.load(SeqCst) <= 1);
        assert!(matches!(stored(memo), Some((1, true) | (2, false))), "{:?}", stored(memo));
    });
}
