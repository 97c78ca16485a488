//! Waiting until results are written, also where engines fail. In a process of its own: it is about all engines there are.
#![cfg(all(feature = "engines", feature = "testing"))]

use std::thread;
use std::time::{Duration, Instant};

use memo::engine::{CircuitState, ErrorKind};
use memo::memoize;
use memo::testing::{Double, Mood, engine};

#[memoize(engine = "ill", fallback = "none")]
fn ill(n: u64) -> u64 {
    n
}

#[memoize(engine = "well", fallback = "none")]
fn well(n: u64) -> u64 {
    n
}

/// What `flush` says is wrong, and how often the engine `other` was asked for it.
fn flushed(other: &Double) -> (Option<String>, u64) {
    let calls = other.calls();
    let error = memo::engines().flush().err();
    assert!(error.as_ref().is_none_or(|error| error.kind() == memo::ErrorKind::Engine));
    (error.map(|error| error.to_string()), other.calls() - calls)
}

#[test]
fn an_engine_that_is_away_is_an_error_and_the_others_are_flushed_all_the_same() {
    let (sick, sound) = (engine("ill"), engine("well"));
    assert_eq!((ill(1), well(1)), (1, 1));
    assert_eq!(flushed(&sound), (None, 1));

    // it fails at this very call
    sick.set(Mood::Failing(ErrorKind::Io));
    let (said, asked) = flushed(&sound);
    let said = said.expect("it failed");
    assert!(said.starts_with("engine \"ill\": failed to ") && !said.contains("well"), "{said}");
    assert_eq!(asked, 1);

    // its circuit is open: calls do well without it, and this one says that it is away
    sick.set(Mood::Failing(ErrorKind::Unavailable));
    assert_eq!((ill(2), ill::stats().errors()), (2, 1));
    let (said, asked) = flushed(&sound);
    let said = said.expect("it is away");
    assert!(said.starts_with("engine \"ill\": failed to ") && !said.contains("well"), "{said}");
    assert_eq!(asked, 1);

    // each of them is named
    sound.set(Mood::Failing(ErrorKind::Unavailable));
    let said = flushed(&sound).0.expect("both are away");
    assert!(said.contains("\"ill\"") && said.contains("\"well\""), "{said}");

    // it is the call that finds an engine back
    sick.set(Mood::Well);
    sound.set(Mood::Well);
    let until = Instant::now() + Duration::from_secs(20);
    while let Err(error) = memo::engines().flush() {
        assert!(Instant::now() < until, "they are back: {error}");
        thread::sleep(Duration::from_millis(5));
    }
    // a flush is a write: that an engine can be read again, a look-up finds
    for n in 3.. {
        ill(n);
        well(n);
        if memo::engines().stats().iter().all(|engine| engine.circuit == CircuitState::Closed) {
            break;
        }
        assert!(Instant::now() < until, "they are back");
        thread::sleep(Duration::from_millis(5));
    }
}
