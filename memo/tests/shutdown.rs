//! `shutdown`: what goes on behind the calls ends. A process of its own, since renewals begin no more after that.
#![cfg(feature = "testing")]

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use memo::memoize;

/// While it is there, each renewal waits until it is told to go on.
static GATE: Mutex<Option<Receiver<()>>> = Mutex::new(None);

#[memoize(ttl = "5m", stale = "1h")]
fn page(id: u64) -> u64 {
    if let Some(gate) = &*GATE.lock().unwrap_or_else(PoisonError::into_inner) {
        gate.recv().expect("the test goes on");
    }
    id
}

#[test]
fn renewals_end_and_no_more_begin() {
    let clock = memo::testing::clock();
    assert_eq!((page(1), page(2)), (1, 2));
    clock.advance("6m");
    let (go_on, gate) = channel();
    *GATE.lock().expect("nobody panics with it") = Some(gate);
    assert_eq!(page(1), 1, "it is stale, and is being renewed");
    let early = memo::shutdown(Duration::ZERO);
    // it may not have begun yet
    assert_eq!(early.renewals + early.not_begun, 1, "{early}");
    go_on.send(()).expect("somebody listens");
    let done = memo::shutdown(Duration::from_secs(60));
    assert!(done.is_complete(), "{done}");
    *GATE.lock().expect("nobody panics with it") = None;
    let renewed = page::stats().renewed;
    assert_eq!(page(2), 2, "it is served");
    assert_eq!((page::stats().renewed, page::stats().renewal_refused >= 1), (renewed, true));
}
