//! Models of readers against writers, under the shuttle model checker: run with `RUSTFLAGS="--cfg memo_shuttle"`.
//!
//! Every access to a slot, a table or a lock is a place where another thread may go on. The checker knows sequential
//! consistency only, so this is the protocol with full fences; why it holds with the others, [`readers`] argues.
//! What is freed is marked, so that a reader which sees it afterwards panics.

use super::*;
use group::SHARD_BITS;
use shuttle::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

struct By(u64);

impl Lookup<u64> for By {
    fn matches(&self, key: &u64) -> bool {
        self.0 == *key
    }
}

/// How many values there are.
type Alive = &'static AtomicI64;

/// A value that knows whether it has been dropped, wherever its bytes are. Cloning it takes its time, in which others do
/// something.
struct Frail {
    number: u64,
    dropped: &'static AtomicBool,
    alive: Alive,
}

impl Frail {
    fn new(number: u64, alive: Alive) -> Self {
        alive.fetch_add(1, SeqCst);
        Frail { number, dropped: Box::leak(Box::default()), alive }
    }
}

impl Clone for Frail {
    fn clone(&self) -> Self {
        assert!(!self.dropped.load(SeqCst), "dropped before it was cloned");
        thread::yield_now();
        assert!(!self.dropped.load(SeqCst), "dropped while it was cloned");
        Frail::new(self.number, self.alive)
    }
}

impl Drop for Frail {
    fn drop(&mut self) {
        assert!(!self.dropped.swap(true, SeqCst), "dropped twice");
        self.alive.fetch_sub(1, SeqCst);
    }
}

type Store = Memory<u64, Frail>;

/// All in one group unless it overflows, and told apart by their keys alone.
const HASH: u64 = 7;

fn check(model: fn()) {
    let schedules = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 100_000 } else { 1_500 };
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 18;
    shuttle::Runner::new(shuttle::scheduler::RandomScheduler::new(schedules), config.clone()).run(model);
    shuttle::Runner::new(shuttle::scheduler::PctScheduler::new(3, schedules), config).run(model);
}

/// Runs the parts at once on a store of this capacity that holds 0 under 0, and audits it.
fn at_once(capacity: u64, parts: &[fn(&Store, Alive)]) {
    let alive: Alive = Box::leak(Box::default());
    let store = Arc::new(Store::new(&Limits { capacity: Some(capacity), ..Limits::default() }));
    store.insert(HASH, 0, Frail::new(0, alive), 1, None);
    let threads: Vec<_> = parts
        .iter()
        .map(|&part| {
            let store = store.clone();
            thread::spawn(move || part(&store, alive))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    store.settle();
    assert_eq!(alive.load(SeqCst) as u64, store.counts().entries);
    assert!(store.counts().entries <= capacity);
    drop(store);
    assert_eq!(alive.load(SeqCst), 0);
}

fn read(store: &Store, _: Alive) {
    for _ in 0..2 {
        if let Some(found) = store.get(HASH, By(0)) {
            assert_eq!(found.number % 10, 0);
        }
    }
}

fn replace(store: &Store, alive: Alive) {
    store.insert(HASH, 0, Frail::new(10, alive), 1, None);
    assert!(store.get(HASH, By(0)).is_none_or(|found| found.number != 0), "the old one after the new one");
    store.tidy();
}

fn evict(store: &Store, alive: Alive) {
    store.insert(HASH, 1, Frail::new(1, alive), 1, None);
    store.insert(HASH, 2, Frail::new(2, alive), 1, None);
    store.tidy();
}

fn remove(store: &Store, _: Alive) {
    store.remove(HASH, &By(0));
    store.tidy();
}

fn clear(store: &Store, _: Alive) {
    store.clear();
}

fn grow(store: &Store, alive: Alive) {
    for key in 1..13 {
        store.insert(HASH + (key << SHARD_BITS), key, Frail::new(key, alive), 1, None);
    }
    store.tidy();
}

#[test]
fn shuttle_readers_against_eviction() {
    check(|| at_once(1, &[read, read, evict]));
}

#[test]
fn shuttle_readers_against_replacement_and_eviction() {
    check(|| at_once(2, &[read, replace, evict]));
}

#[test]
fn shuttle_readers_against_removal_and_replacement() {
    check(|| at_once(2, &[read, remove, replace]));
}

#[test]
fn shuttle_readers_against_clear() {
    check(|| at_once(2, &[read, clear, replace]));
}

#[test]
fn shuttle_readers_against_growth() {
    check(|| {
        at_once(
            100,
            &[grow, clear, |store, alive| {
                read(store, alive);
                store.remove(HASH, &By(0));
            }],
        );
    });
}

#[cfg(feature = "config")]
#[test]
fn shuttle_readers_and_writers_against_other_limits() {
    fn resize(store: &Store, _: Alive) {
        let idle = Some(Duration::from_secs(3600));
        assert!(store.resize(&Limits { capacity: Some(1), ..Limits::default() }));
        assert!(store.resize(&Limits { tti: idle, lifetimes: true, ..Limits::default() }));
        assert!(store.resize(&Limits { capacity: Some(2), ..Limits::default() }));
    }
    check(|| at_once(2, &[read, replace, resize]));
}

#[test]
fn shuttle_two_inserts_of_one_key_leave_one_entry() {
    check(|| {
        at_once(
            10,
            &[replace, replace, |store, _| {
                assert!(store.get(HASH, By(0)).is_some(), "a replaced entry is never missing");
            }],
        );
    });
}

#[test]
fn shuttle_a_reader_never_misses_what_moves_to_a_larger_table() {
    check(|| {
        at_once(
            100,
            &[grow, |store, _| {
                for _ in 0..3 {
                    assert!(store.get(HASH, By(0)).is_some());
                }
            }],
        );
    });
}

/// The control: when retired entries are freed with no regard for readers, the same harness finds out.
#[test]
#[should_panic(expected = "dropped")]
fn shuttle_freeing_at_once_is_caught() {
    readers::CARELESS.set(true);
    check(|| at_once(1, &[read, read, evict]));
}
