//! What is put is got, whole, under its key only, until its time is over.

use std::thread;
use std::time::Duration;

use super::support::{Open, about, get, is_about, key, put, space};
use crate::block_on::block_on as wait;
use crate::engine::{Entry, Key, utc_now};
use crate::error::ErrorKind;

pub(super) fn never_put(open: Open<'_>) {
    let engine = open();
    let key = key(space(), 0);
    assert_eq!(get(&*engine, &key), None);
    assert!(!wait(engine.remove(&key)).expect("failed to remove what is not there"));
    wait(engine.clear(&key.space)).expect("failed to clear an empty space");
}

pub(super) fn put_and_got(open: Open<'_>) {
    let engine = open();
    let space = space();
    let largest = engine.capability().largest.unwrap_or(u64::MAX);
    let sizes = [0, 1, 127, 128, 1000, 4096, 65_535, 65_536, 65_537, 1 << 20];
    for (number, size) in (0..).zip(sizes.into_iter().filter(|size| *size as u64 <= largest)) {
        let key = key(space, number);
        let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
        let entry = Entry::new(bytes);
        put(&*engine, &key, &entry);
        assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "{size} bytes, at once");
        wait(engine.flush()).expect("failed to flush");
        assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "{size} bytes, flushed");
    }
    let entry = Entry::new(vec![7]).expires_at(utc_now() + 3_600_000);
    let key = key(space, 1000);
    put(&*engine, &key, &entry);
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), Some(entry), "the end of its time comes back with it");
}

pub(super) fn last_put_wins(open: Open<'_>) {
    let engine = open();
    let key = key(space(), 0);
    for (version, len) in [(0, 100), (1, 100_000), (2, 50), (3, 200_000), (4, 100_000), (5, 40)] {
        let entry = about(&key, version, len);
        put(&*engine, &key, &entry);
        assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "version {version}, at once");
        if version % 2 == 0 {
            wait(engine.flush()).expect("failed to flush");
            assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "version {version}, flushed");
        }
    }
}

pub(super) fn one_bit(open: Open<'_>) {
    let engine = open();
    let first = key(space(), 0);
    let others: Vec<Key> = (0..256)
        .map(|bit| {
            let mut other = first;
            other.digest[bit / 8] ^= 1 << (bit % 8);
            other
        })
        .collect();
    put(&*engine, &first, &about(&first, 0, 64));
    for other in &others {
        assert_eq!(get(&*engine, other), None);
    }
    for other in &others {
        put(&*engine, other, &about(other, 0, 64));
    }
    wait(engine.flush()).expect("failed to flush");
    for key in others.iter().chain([&first]) {
        // An engine may forget, but not mix up. (Keys that share their first 8 bytes may replace each
        // other.)
        assert!(get(&*engine, key).is_none_or(|entry| is_about(&entry, key)));
    }
}

pub(super) fn expired(open: Open<'_>) {
    let engine = open();
    let space = space();
    let (over, soon, later) = (key(space, 0), key(space, 1), key(space, 2));
    put(&*engine, &over, &about(&over, 0, 64).expires_at(utc_now().saturating_sub(1)));
    assert_eq!(get(&*engine, &over), None, "its time was over before it was put");
    put(&*engine, &over, &about(&over, 1, 64).expires_at(0));
    assert_eq!(get(&*engine, &over), None);
    put(&*engine, &later, &about(&later, 0, 64).expires_at(u64::MAX - 1));
    let end = utc_now() + 250;
    put(&*engine, &soon, &about(&soon, 0, 64).expires_at(end));
    let found = get(&*engine, &soon);
    assert!(found.is_some() || utc_now() >= end, "its time is not over yet");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(get(&*engine, &soon), None);
    assert!(get(&*engine, &later).is_some());
    assert!(!wait(engine.remove(&soon)).expect("failed to remove"), "it is as if it were not there");
}

pub(super) fn batches(open: Open<'_>) {
    let engine = open();
    let space = space();
    let entries: Vec<(Key, Entry)> = (0..20)
        .map(|number| {
            let key = key(space, number);
            (key, about(&key, 0, 64 + number as usize))
        })
        .collect();
    wait(engine.put_many(&entries)).expect("failed to put many");
    let keys: Vec<Key> = (0..25).map(|number| key(space, number)).collect();
    let found = wait(engine.get_many(&keys)).expect("failed to get many");
    let expected: Vec<_> = (0..25).map(|at| entries.get(at).map(|(_, entry)| entry.clone())).collect();
    assert_eq!(found, expected);
    assert_eq!(wait(engine.remove_many(&keys[10..])).expect("failed to remove many"), 10);
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(get(&*engine, key).is_some(), number < 10);
    }
    wait(engine.put_many(&[])).expect("failed to put none");
    assert_eq!(wait(engine.get_many(&[])).expect("failed to get none"), []);
    assert_eq!(wait(engine.remove_many(&[])).expect("failed to remove none"), 0);
}

pub(super) fn too_large(open: Open<'_>) {
    let engine = open();
    let key = key(space(), 0);
    let Some(largest) = engine.capability().largest.filter(|largest| *largest < 256 << 20) else { return };
    put(&*engine, &key, &about(&key, 0, 64));
    let entry = Entry::new(vec![0; largest as usize + 1]);
    let refused = wait(engine.put(&key, &entry)).expect_err("it took more than its largest");
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
    assert!(!refused.is_engine_failure());
    assert!(get(&*engine, &key).is_none_or(|entry| is_about(&entry, &key)));
}
