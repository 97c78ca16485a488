//! The engine by itself: what the tests of the seam do not see. Here is the plain behaviour, and what the other files use.

use super::*;
use crate::clock;
use crate::near::Same;
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

mod eviction;
mod reading;
#[cfg(feature = "config")]
mod resized;
mod stress;

struct By<K>(K);

impl<K: Eq> Lookup<K> for By<K> {
    fn matches(&self, key: &K) -> bool {
        self.0 == *key
    }
}

/// Good in all bits (the finalizer of MurmurHash3).
fn hash(key: u64) -> u64 {
    let mut hash = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

fn entries(capacity: u64) -> Limits {
    Limits { capacity: Some(capacity), ..Limits::default() }
}

/// A die.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
}

/// How much of a test Miri does.
const fn times(usual: u64, under_miri: u64) -> u64 {
    if cfg!(miri) { under_miri } else { usual }
}

#[test]
fn a_store_is_as_a_map_that_forgets() {
    let mut random = Random(5);
    for limits in [entries(40), Limits::default(), entries(2000)] {
        let store = Memory::<u64, u64>::new(&limits);
        let mut model = HashMap::new();
        for round in 0..times(60_000, 600) {
            let key = random.next() % 600;
            // Few groups, many collisions; still told apart.
            let hash = hash(key) & !0x7fff_ffff_ffff | hash(key) & 0x3ff;
            match random.next() % 10 {
                0..4 => {
                    store.insert(hash, key, round, 1, None);
                    model.insert(key, round);
                }
                4 => {
                    let removed = store.remove(hash, &By(key));
                    let known = model.remove(&key).is_some();
                    assert!(known || !removed);
                    assert!(limits.capacity.is_some() || removed == known);
                }
                5 if round.is_multiple_of(1000) => {
                    store.clear();
                    model.clear();
                }
                _ => match store.get(hash, By(key)) {
                    Some(found) => assert_eq!(Some(&found), model.get(&key)),
                    None => assert!(limits.capacity.is_some() || !model.contains_key(&key)),
                },
            }
        }
        if limits.capacity.is_none() {
            assert_eq!(store.counts().entries, model.len() as u64);
        }
    }
}

#[test]
fn a_store_grows_and_gives_its_memory_back() {
    let store = Memory::<u64, u64>::new(&Limits::default());
    let groups = || store.erased.shards.indices().iter().map(|index| index.table().groups()).sum::<usize>();
    let before = groups();
    let many = times(100_000, 500);
    (0..many).for_each(|key| store.insert(hash(key), key, key, 1, None));
    assert!((0..many).all(|key| store.get(hash(key), By(key)) == Some(key)));
    assert!(groups() * 7 >= many as usize);
    (10..many).for_each(|key| assert!(store.remove(hash(key), &By(key))));
    for _ in 0..10 {
        store.sweep();
    }
    assert!(groups() <= 32 * before, "{}", groups());
    assert!((0..10).all(|key| store.get(hash(key), By(key)) == Some(key)));
    store.clear();
    assert_eq!(groups(), before);
    store.settle();
}

#[test]
fn probes_do_not_grow_longer_with_age() {
    let store = Memory::<u64, u64>::new(&entries(200));
    for key in 0..times(200_000, 2000) {
        store.insert(hash(key), key, key, 1, None);
    }
    for key in 0..times(200_000, 2000) {
        store.remove(hash(key), &By(key));
    }
    assert_eq!(store.counts().entries, 0);
    // All counters are down again.
    assert!(store.erased.shards.indices().iter().all(|index| index.table().is_pristine()));
}

#[test]
fn queues_close_their_holes() {
    let store = Memory::<u64, u64>::new(&entries(200));
    for round in 0..times(200, 3) {
        for key in 0..200 {
            store.insert(hash(key), key, round, 1, None);
            if key.is_multiple_of(3) {
                store.get(hash(key), By(key));
            }
        }
        for key in (0..200).filter(|key| (key + round) % 4 != 0) {
            assert!(store.remove(hash(key), &By(key)));
        }
        assert_eq!(store.counts().entries, 50);
        // a reader of another test may keep what has left from being freed, and then inserts are refused
        store.settle();
    }
    for key in 1000_u64..1400 {
        if key.is_multiple_of(100) {
            store.settle();
        }
        store.insert(hash(key), key, 0, 1, None);
        assert_eq!(store.get(hash(key), By(key)), Some(0));
    }
    assert_eq!(store.counts().entries, 200);
}
