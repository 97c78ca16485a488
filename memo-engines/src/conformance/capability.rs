//! It does what its capability says, and says what it cannot do.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use super::support::{Open, about, key, put, space};
use crate::block_on::block_on as wait;
use crate::engine::{Capability, Witness};
use crate::error::{Error, ErrorKind};

pub(super) fn ready_at_once(open: Open<'_>) {
    let engine = open();
    if !engine.capability().blocking {
        return;
    }
    fn poll_once<T>(future: impl Future<Output = Result<T, Error>>) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(future).poll(&mut context).is_ready(), "not ready at the first poll");
    }
    let key = key(space(), 0);
    let entry = about(&key, 0, 64);
    poll_once(engine.put(&key, &entry));
    poll_once(engine.get(&key));
    poll_once(engine.look(&key));
    poll_once(engine.put_if(&key, &entry, Witness::default()));
    poll_once(engine.put_many(&[(key, entry.clone())]));
    poll_once(engine.get_many(&[key]));
    poll_once(engine.remove(&key));
    poll_once(engine.remove_many(&[key]));
    poll_once(engine.clear(&key.space));
    poll_once(engine.flush());
}

pub(super) fn unsupported(open: Open<'_>) {
    fn refuses<T>(answer: Result<T, Error>) {
        let error = answer.err().expect("it does what it says it cannot");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    let engine = open();
    let Capability { iterates, leases, .. } = engine.capability();
    let key = key(space(), 0);
    if !iterates {
        refuses(wait(engine.keys(&key.space, None, 1)));
    }
    if !leases {
        refuses(wait(engine.lease(&key, Duration::from_secs(1))));
    }
    assert!(!engine.name().is_empty());
    assert_eq!(engine.capability(), engine.capability());
}

pub(super) fn lists(open: Open<'_>) {
    let engine = open();
    if !engine.capability().iterates {
        return;
    }
    let (listed, other) = (space(), space());
    for number in 0..57 {
        for space in [listed, other] {
            let key = key(space, number);
            put(&*engine, &key, &about(&key, 0, 64));
        }
    }
    wait(engine.remove(&key(listed, 56))).expect("failed to remove");
    let over = key(listed, 55);
    put(&*engine, &over, &about(&over, 1, 64).expires_at(1));
    let mut seen = BTreeSet::new();
    let mut after = None;
    loop {
        let keys = wait(engine.keys(&listed, after.as_ref(), 10)).expect("failed to list keys");
        assert!(keys.len() <= 10);
        let Some(last) = keys.last() else { break };
        after = Some(*last);
        for key in keys {
            assert!(seen.insert(key), "twice");
        }
    }
    assert_eq!(seen, (0..55).map(|number| key(listed, number)).collect());
    wait(engine.clear(&listed)).expect("failed to clear");
    assert_eq!(wait(engine.keys(&listed, None, 10)).expect("failed to list keys"), []);
}
