//! A store in use takes other limits.

#![allow(unsafe_code)]

use super::*;
use crate::clock::{NEVER, nanos};
use entry::{New, word};

fn put(store: &Memory<u64, u64>, keys: std::ops::Range<u64>) {
    keys.for_each(|key| store.insert(hash(key), key, key, 1, None));
}

fn found(store: &Memory<u64, u64>, keys: std::ops::Range<u64>) -> u64 {
    keys.filter(|&key| store.peek(hash(key), &By(key)).inspect(|&found| assert_eq!(found, key)).is_some())
        .count() as u64
}

fn weight(max_weight: u64) -> Limits {
    Limits { max_weight: Some(max_weight), ..Limits::default() }
}

#[test]
fn what_fits_stays_and_what_is_used_stays_longest() {
    let store = Memory::<u64, u64>::new(&entries(1000));
    put(&store, 0..200);
    for limits in [entries(100_000), entries(400), Limits::default(), entries(500)] {
        assert!(store.resize(&limits));
        assert_eq!((store.counts().entries, found(&store, 0..200)), (200, 200), "{limits:?}");
    }
    (0..20).for_each(|key| assert_eq!(store.get(hash(key), By(key)), Some(key)));
    assert!(store.resize(&entries(60)));
    let counts = store.counts();
    assert_eq!((counts.entries, counts.evicted), (60, 140));
    assert_eq!((found(&store, 0..20), found(&store, 0..200)), (20, 60));
    // The others go on from there.
    put(&store, 200..1000);
    assert_eq!(store.counts().entries, 60);
    assert!(store.resize(&Limits::default()));
    put(&store, 1000..3000);
    assert_eq!((store.counts().entries, found(&store, 1000..3000)), (2060, 2000));
    assert!(store.resize(&entries(0)));
    put(&store, 0..10);
    assert_eq!(store.counts().entries, 0);
    assert!(store.resize(&entries(1000)));
    put(&store, 0..100);
    assert_eq!(found(&store, 0..100), 100);
    store.settle();
}

#[test]
fn memory_is_given_back_by_a_store_that_becomes_small() {
    let many = times(50_000, 2000);
    let store = Memory::<u64, u64>::new(&entries(2 * many));
    put(&store, 0..many);
    let groups = || store.erased.shards.indices().iter().map(|index| index.table().groups()).sum::<usize>();
    let before = groups();
    assert!(store.resize(&entries(16 * store.erased.shards.indices().len() as u64)));
    assert!(groups() <= before / 4 && groups() <= 16 * store.erased.shards.indices().len(), "{}", groups());
    store.settle();
}

#[test]
fn weights_and_numbers_bound_the_same_store_in_turn() {
    let store = Memory::<u64, u64>::new(&weight(1000));
    // 1, 2, .. 40 make 820, and then one that no smaller store would let in.
    (1..=40).for_each(|key| store.insert(hash(key), key, key, key as u32, None));
    store.insert(hash(50), 50, 50, 150, None);
    assert_eq!((store.counts().entries, store.counts().weight), (41, 970));
    // That one goes, and nothing else has to.
    assert!(store.resize(&Limits { max_weight: Some(149), ..entries(10_000) }));
    assert_eq!(store.peek(hash(50), &By(50)), None);
    let counts = store.counts();
    assert!(counts.weight <= 149 && counts.weight > 149 - 40, "{counts:?}");
    assert_eq!(counts.entries + counts.evicted, 41);
    assert!(store.resize(&weight(5000)));
    (1..=40).for_each(|key| store.insert(hash(key), key, key, key as u32, None));
    assert_eq!(store.counts().weight, 820);
    assert!(store.resize(&entries(25)));
    assert_eq!((store.counts().entries, store.counts().weight), (25, 25));
    // By number whatever weight.
    store.insert(hash(60), 60, 60, 1_000_000, None);
    assert_eq!(store.peek(hash(60), &By(60)), Some(60));
    assert!(store.resize(&weight(100)));
    let counts = store.counts();
    assert!(counts.weight <= 100 && counts.entries > 0, "{counts:?}");
    assert_eq!(store.peek(hash(60), &By(60)), None);
    assert!(store.resize(&Limits { max_weight: Some(100), ..entries(3) }));
    assert!(store.counts().entries <= 3);
    // Not where there are several shards, which could not hold what the store might.
    let sharded = Memory::<u64, u64>::new(&entries(10_000));
    put(&sharded, 0..100);
    assert!(sharded.erased.shards.indices().len() > 1 && !sharded.resize(&weight(100)));
    assert!(!sharded.resize(&entries(1)));
    assert_eq!(found(&sharded, 0..100), 100);
}

#[test]
fn idle_times_come_and_go() {
    let _alone = clock::alone();
    let store = Memory::<u64, u64>::new(&entries(100));
    let hour = Duration::from_secs(3600);
    let idle = |tti| Limits { tti: Some(tti), lifetimes: true, ..entries(100) };
    for _ in 0..2 {
        put(&store, 0..50);
        assert!(store.resize(&idle(hour)));
        // When they were read was not kept.
        assert_eq!(store.counts().entries, 0);
        put(&store, 0..50);
        clock::advance(Duration::from_secs(3000));
        assert_eq!(store.get(hash(1), By(1)), Some(1));
        assert!(store.resize(&Limits { capacity: Some(60), ..idle(hour) }));
        assert_eq!(store.counts().entries, 50);
        clock::advance(Duration::from_secs(3000));
        assert_eq!((store.get(hash(1), By(1)), store.get(hash(2), By(2))), (Some(1), None));
        assert!(store.resize(&entries(100)));
        put(&store, 0..50);
        clock::advance(Duration::from_secs(30_000));
        assert_eq!(found(&store, 0..50), 50);
    }
    store.settle();
}

/// As an insert does that has looked at the idle time just before it is changed.
#[test]
fn what_was_made_for_another_idle_time_is_not_let_in() {
    let hour = Duration::from_secs(3600);
    let store = Memory::<u64, u64>::new(&entries(10));
    let is_let_in = |tti| {
        let (word, value) = (word(NEVER, true, tti != NEVER), &mut Some(2_u64));
        let new = New { hash: hash(1), weight: 1, word, read: 0, tti, ages: None };
        let mut pair = Pair { key: Some(1_u64), value };
        // SAFETY: the pair is of the types of the store.
        unsafe { store.erased.put(&|| false, &new, &mut pair) }.is_ok()
    };
    assert!(is_let_in(NEVER));
    assert!(store.resize(&Limits { tti: Some(hour), ..entries(10) }));
    assert!(!is_let_in(NEVER));
    assert!(is_let_in(nanos(hour)));
    assert!(!is_let_in(NEVER), "nor where one is in its place");
    assert_eq!(store.counts().entries, 1);
    store.settle();
}

#[test]
fn a_value_that_drops_may_resize_its_store() {
    struct Again(Option<&'static Memory<u64, Again>>);
    impl Clone for Again {
        fn clone(&self) -> Self {
            Again(None)
        }
    }
    impl Drop for Again {
        fn drop(&mut self) {
            if let Some(store) = self.0.take() {
                assert!(store.resize(&entries(20 + store.counts().entries / 2)));
            }
        }
    }
    let store: &'static Memory<u64, Again> = Box::leak(Box::new(Memory::new(&entries(100))));
    for _ in 0..3 {
        (0..100).for_each(|key| store.insert(hash(key), key, Again(Some(store)), 1, None));
        assert!(store.resize(&entries(40)));
        assert!(store.resize(&entries(100)));
    }
    store.clear();
    assert_eq!(store.counts().entries, 0);
}
