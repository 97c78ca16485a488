//! A chain of engines that fail on order.

use super::*;
use crate::conformance::wait;
use crate::engine::{Key, Space};
use crate::entry::{Codec, Label};
use crate::testing::{Double, Mood};

fn chain() -> (Double, Double, Chain) {
    let (first, second) = (Double::new("first"), Double::new("second"));
    let chain = Chain::new(vec![Arc::new(first.clone()), Arc::new(second.clone())]);
    (first, second, chain)
}

const KEY: Key = Key { space: Space([1; 16]), digest: [2; 32] };

/// An entry made now.
fn entry() -> Entry {
    let label = Label {
        identity: [0; 16],
        key: KEY.digest,
        fingerprint: 0,
        created: utc_now(),
        expires: None,
        stale: 0,
        cost: 0,
        codec: Codec::RAW,
    };
    Entry::new(label.seal(b"result".to_vec()))
}

/// Waits for the clock of entries to go on.
fn tick() {
    let now = utc_now();
    while utc_now() == now {
        std::hint::spin_loop();
    }
}

#[test]
fn the_next_one_is_used_while_the_first_fails_and_no_longer() {
    let (first, second, chain) = chain();
    first.set(Mood::Failing(ErrorKind::Unavailable));
    assert_eq!(wait(chain.get(&KEY)).unwrap(), None);
    let entry = entry();
    wait(chain.put(&KEY, &entry)).unwrap();
    assert_eq!((first.len(), second.len()), (0, 1));
    assert_eq!(wait(chain.get(&KEY)).unwrap(), Some(entry.clone()));
    assert_eq!(wait(chain.get_many(&[KEY])).unwrap(), [Some(entry.clone())]);
    assert_eq!(chain.served(), [0, 4]);
    first.set(Mood::Well);
    assert_eq!(wait(chain.get(&KEY)).unwrap(), None, "the first is back, and has nothing yet");
    wait(chain.put(&KEY, &entry)).unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(chain.served(), [0, 4]);
}

#[test]
fn what_was_put_into_one_that_stood_in_before_is_never_given_out_again() {
    let (first, second, chain) = chain();
    wait(second.put(&KEY, &entry())).unwrap();
    tick();
    first.set(Mood::Failing(ErrorKind::Unavailable));
    assert_eq!(wait(chain.get(&KEY)).unwrap(), None, "an earlier process put it there");
    wait(chain.put(&KEY, &entry())).unwrap();
    assert!(wait(chain.look(&KEY)).unwrap().0.is_some());

    first.set(Mood::Well);
    // what another process does to the first one is not seen by the second
    wait(first.remove(&KEY)).unwrap();
    assert_eq!(wait(chain.get(&KEY)).unwrap(), None);
    tick();
    first.set(Mood::Failing(ErrorKind::Timeout));
    assert_eq!(wait(chain.look(&KEY)).unwrap().0, None);
    assert_eq!(wait(chain.get_many(&[KEY])).unwrap(), [None]);
    assert_eq!(second.len(), 1, "it lies there, and is not given out");
}

#[test]
fn a_removal_is_done_where_it_counts_or_says_that_it_was_not() {
    let (first, second, chain) = chain();
    wait(first.put(&KEY, &entry())).unwrap();
    second.set(Mood::Failing(ErrorKind::Unavailable));
    assert!(wait(chain.remove(&KEY)).unwrap(), "the second does not count while the first works");
    assert_eq!(second.calls(), 0);
    second.set(Mood::Well);

    first.set(Mood::Failing(ErrorKind::Unavailable));
    wait(chain.get(&KEY)).unwrap();
    wait(chain.put(&KEY, &entry())).unwrap();
    wait(chain.remove(&KEY)).unwrap_err();
    assert!(second.is_empty(), "it went on behind the one that failed");
    wait(chain.put(&KEY, &entry())).unwrap();
    wait(chain.clear(&KEY.space)).unwrap_err();
    assert!(second.is_empty(), "it went on behind the one that failed");
}

#[test]
fn what_a_removal_did_not_reach_is_not_given_out() {
    let (first, second, chain) = chain();
    first.set(Mood::Failing(ErrorKind::Unavailable));
    wait(chain.get(&KEY)).unwrap();
    wait(chain.put(&KEY, &entry())).unwrap();
    second.set(Mood::Failing(ErrorKind::Unavailable));
    wait(chain.remove(&KEY)).unwrap_err();
    second.set(Mood::Well);
    assert_eq!(second.len(), 1, "the removal did not reach it");
    assert_eq!(wait(chain.get(&KEY)).unwrap(), None);
    tick();
    wait(chain.put(&KEY, &entry())).unwrap();
    assert!(wait(chain.get(&KEY)).unwrap().is_some(), "it goes on standing in");
}

#[test]
fn what_is_too_large_for_the_first_does_not_go_to_the_next() {
    let (first, second, chain) = chain();
    first.set(Mood::Failing(ErrorKind::TooLarge));
    wait(chain.put(&KEY, &Entry::new(vec![1]))).unwrap_err();
    assert!(second.is_empty());
}

#[test]
fn one_engine_does_not_judge_by_the_witness_of_another() {
    let (first, second, chain) = chain();
    let (_, witness) = wait(chain.look(&KEY)).unwrap();
    first.set(Mood::Failing(ErrorKind::Unavailable));
    wait(chain.put_if(&KEY, &Entry::new(vec![1]), witness)).unwrap_err();
    assert!(second.is_empty());
    let (_, witness) = wait(chain.look(&KEY)).unwrap();
    assert!(wait(chain.put_if(&KEY, &Entry::new(vec![1]), witness)).unwrap());
    assert_eq!(second.len(), 1);
}
