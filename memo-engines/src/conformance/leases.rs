//! A lease has one holder at a time.

use std::thread;
use std::time::Duration;

use super::support::{Open, about, get, key, put, space};
use crate::block_on::block_on as wait;
use crate::engine::Reach;

pub(super) fn leases(open: Open<'_>) {
    let engine = open();
    if !engine.capability().leases {
        return;
    }
    let space = space();
    let (key, other) = (key(space, 0), key(space, 1));
    let long = Duration::from_secs(60);
    let lease = |key, ttl| wait(engine.lease(key, ttl)).expect("failed to lease");

    let first = lease(&key, long).expect("nobody holds it");
    assert_eq!(lease(&key, long), None, "it is held");
    let another = lease(&other, long).expect("another key's is free");
    assert!(!wait(engine.release(&key, &another)).expect("failed to release"), "not this holder's");
    assert!(wait(engine.renew(&key, &first, long)).expect("failed to renew"));
    assert!(wait(engine.release(&key, &first)).expect("failed to release"));
    assert!(!wait(engine.release(&key, &first)).expect("failed to release"), "released before");
    assert!(!wait(engine.renew(&key, &first, long)).expect("failed to renew"), "released before");

    let short = lease(&key, Duration::from_millis(50)).expect("it was released");
    assert_ne!(short, first);
    thread::sleep(Duration::from_millis(100));
    assert!(!wait(engine.renew(&key, &short, long)).expect("failed to renew"), "its time was over");
    let next = lease(&key, long).expect("its time was over");
    assert!(wait(engine.release(&key, &next)).expect("failed to release"));

    // The next holder sees what was put before the release, without a flush.
    if engine.capability().reach > Reach::Process {
        let second = open();
        for round in 0..20 {
            let held = lease(&key, long).expect("it was released");
            put(&*engine, &key, &about(&key, round, 64));
            assert!(wait(engine.release(&key, &held)).expect("failed to release"));
            let next = wait(second.lease(&key, long)).expect("failed to lease").expect("it was released");
            assert_eq!(get(&*second, &key), Some(about(&key, round, 64)), "put before the release");
            assert!(wait(second.release(&key, &next)).expect("failed to release"));
        }
    }

    // Many ask at once, and one gets it.
    let engine = &*engine;
    let key = &key;
    let taken: usize = thread::scope(|scope| {
        let ask = || scope.spawn(move || wait(engine.lease(key, long)).expect("failed to lease").is_some());
        let asking: Vec<_> = (0..8).map(|_| ask()).collect();
        asking.into_iter().map(|taken| usize::from(taken.join().expect("it does not panic"))).sum()
    });
    assert_eq!(taken, 1);
}
