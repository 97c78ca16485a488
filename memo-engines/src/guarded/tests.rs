//! The guard around an engine that misbehaves on order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::block_on::block_on;
use crate::engine::{Entry, Key, Space};
use crate::error::ErrorKind;
use crate::testing::{Double, Mood};

fn key(number: u8) -> Key {
    Key { space: Space([1; 16]), digest: [number; 32] }
}

fn quick() -> GuardOptions {
    GuardOptions {
        budget: Duration::from_millis(40),
        backoff: Duration::from_millis(30),
        max_backoff: Duration::from_millis(60),
        ..GuardOptions::default()
    }
}

#[test]
fn failures_in_a_row_open_the_circuit_and_a_probe_closes_it() {
    let double = Double::new("double");
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let told = Arc::clone(&told);
        move |name: &str, event: &Event<'_>| {
            let what = match event {
                Event::Opened { error, times, .. } => format!("opened: {error}, {times:?}"),
                Event::Closed { reported, .. } => format!("closed, {reported}"),
            };
            told.lock().unwrap().push(format!("{name} {what}"));
        }
    };
    let guarded = Guarded::new(double.clone(), quick()).on_event(hook);
    double.set(Mood::Failing(ErrorKind::Io));
    for _ in 0..3 {
        assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().kind(), ErrorKind::Io);
    }
    assert_eq!(guarded.circuit(), CircuitState::Open);
    let calls = double.calls();
    for _ in 0..100 {
        assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!(double.calls(), calls, "an open circuit lets nobody through");

    std::thread::sleep(Duration::from_millis(35));
    assert_eq!(guarded.circuit(), CircuitState::HalfOpen);
    block_on(guarded.get(&key(0))).unwrap_err();
    assert_eq!(double.calls(), calls + 1, "one probe");
    double.set(Mood::Well);
    std::thread::sleep(Duration::from_millis(65));
    block_on(guarded.get(&key(0))).unwrap();
    assert_eq!(guarded.circuit(), CircuitState::Closed);
    assert_eq!(
        *told.lock().unwrap(),
        ["double opened: do as it was told (double: i/o), Some(1)", "double closed, true"]
    );
    assert_eq!(guarded.stats().opened, 1);
}

#[test]
fn a_probe_that_is_given_up_lets_another_try() {
    let double =
        Double::new("double").claiming(Capability { blocking: true, hangs: true, ..Capability::default() });
    let guarded = Guarded::new(double.clone(), quick());
    double.set(Mood::Failing(ErrorKind::Unavailable));
    block_on(guarded.get(&key(0))).unwrap_err();
    std::thread::sleep(Duration::from_millis(35));
    double.set(Mood::Well);
    drop(guarded.get(&key(0)));
    std::thread::sleep(Duration::from_millis(65));
    block_on(guarded.get(&key(0))).unwrap();
    assert_eq!(guarded.circuit(), CircuitState::Closed);
}

#[test]
fn who_comes_after_an_engine_has_begun_to_hang_is_out_within_the_budget() {
    let double = Double::new("double");
    let guarded = Guarded::new(double.clone(), quick());
    block_on(guarded.get(&key(0))).unwrap();
    double.set(Mood::Hanging);
    let inside = {
        let guarded = guarded.clone();
        std::thread::spawn(move || drop(block_on(guarded.get(&key(0)))))
    };
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..10 {
        let begun = Instant::now();
        block_on(guarded.get(&key(0))).unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
    }
    assert_ne!(guarded.circuit(), CircuitState::Closed);
    double.set(Mood::Well);
    inside.join().unwrap();
    let until = Instant::now() + Duration::from_secs(2);
    while block_on(guarded.get(&key(0))).is_err() {
        assert!(Instant::now() < until, "it is back, and not used");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_engine_of_which_hanging_is_expected_keeps_nobody() {
    let hangs = Capability { blocking: true, hangs: true, ..Capability::default() };
    let double = Double::new("double").claiming(hangs);
    keeps_nobody(&double, &Guarded::new(double.clone(), quick()));
}

#[test]
fn what_turns_out_to_hang_when_it_is_built_keeps_nobody() {
    let double =
        Double::new("double").claiming(Capability { blocking: true, hangs: true, ..Capability::default() });
    let build = {
        let double = double.clone();
        move || Ok(Arc::new(double.clone()) as Arc<dyn Engine>)
    };
    let expected = Capability { blocking: true, ..Capability::default() };
    keeps_nobody(&double, &Guarded::build("double", expected, build, quick()));
}

#[test]
fn a_strict_guard_has_no_engine_keep_anybody() {
    let blocks = Capability { blocking: true, ..Capability::default() };
    let double = Double::new("double").claiming(blocks);
    let options = GuardOptions { strict: true, ..quick() };
    keeps_nobody(&double, &Guarded::new(double.clone(), options));
}

/// Not even those who come as it begins to hang.
fn keeps_nobody(double: &Double, guarded: &Guarded) {
    block_on(guarded.put(&key(0), &Entry::new(vec![1]))).unwrap();
    double.set(Mood::Hanging);
    for _ in 0..20 {
        let begun = Instant::now();
        block_on(guarded.get(&key(0))).unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
    }
    double.set(Mood::Well);
}

#[test]
fn an_engine_that_cannot_be_built_is_built_later() {
    let there = Arc::new(AtomicBool::new(false));
    let build = {
        let there = Arc::clone(&there);
        move || match there.load(Ordering::Relaxed) {
            true => Ok(Arc::new(Double::new("late")) as Arc<dyn Engine>),
            false => Err(Error::new(ErrorKind::Unavailable, "open the archive")),
        }
    };
    let capability = Capability { blocking: true, ..Capability::default() };
    let guarded = Guarded::build("late", capability, build, quick());
    assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().engine(), "late");
    assert_eq!(guarded.circuit(), CircuitState::Open, "believed at once");
    there.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(35));
    block_on(guarded.put(&key(0), &Entry::new(vec![1]))).unwrap();
    assert!(block_on(guarded.get(&key(0))).unwrap().is_some());
}

#[test]
fn a_panic_in_an_engine_is_an_error() {
    let double = Double::new("double");
    let guarded = Guarded::new(double.clone(), quick());
    double.set(Mood::Panicking);
    assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().kind(), ErrorKind::Other);
}

#[test]
fn promise_18_an_engine_that_is_not_written_is_still_read_and_people_hear_of_it_once() {
    let double = Double::new("double");
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let told = Arc::clone(&told);
        move |_: &str, event: &Event<'_>| {
            told.lock().unwrap().push(match event {
                Event::Opened { calls, times, .. } => (*calls, "opened", times.is_some()),
                Event::Closed { calls, reported, .. } => (*calls, "closed", *reported),
            });
        }
    };
    let guarded = Guarded::new(double.clone(), quick()).on_event(hook);
    let entry = Entry::new(vec![1]);
    block_on(guarded.put(&key(0), &entry)).unwrap();
    for _ in 0..3 {
        double.set(Mood::NotWriting(ErrorKind::Full));
        for _ in 0..100 {
            block_on(guarded.put(&key(1), &entry)).unwrap_err();
            block_on(guarded.lease(&key(1), Duration::from_secs(1))).unwrap_err();
            assert_eq!(block_on(guarded.get(&key(0))).unwrap().as_ref(), Some(&entry));
        }
        assert_eq!(guarded.circuit_of(Calls::Writes), CircuitState::Open);
        assert_eq!(guarded.circuit_of(Calls::Reads), CircuitState::Closed);
        assert_eq!(guarded.circuit(), CircuitState::Open);
        double.set(Mood::Well);
        std::thread::sleep(Duration::from_millis(70));
        block_on(guarded.put(&key(1), &entry)).unwrap();
    }
    assert_eq!(guarded.circuit(), CircuitState::Closed);
    assert_eq!(guarded.stats().opened, 3);
    let silent = [(Calls::Writes, "opened", false), (Calls::Writes, "closed", false)];
    let first = [(Calls::Writes, "opened", true), (Calls::Writes, "closed", true)];
    assert_eq!(*told.lock().unwrap(), [first, silent, silent].concat());
}

#[test]
fn one_entry_that_is_too_large_opens_nothing() {
    let double = Double::new("double");
    let guarded = Guarded::new(double.clone(), quick());
    double.set(Mood::Failing(ErrorKind::TooLarge));
    for _ in 0..10 {
        block_on(guarded.put(&key(0), &Entry::new(vec![1]))).unwrap_err();
    }
    assert_eq!(guarded.circuit(), CircuitState::Closed);
}
