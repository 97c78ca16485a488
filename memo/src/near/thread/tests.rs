#![allow(unsafe_code)]

use std::cell::Cell;
use std::rc::Rc;

use super::*;

struct Is(u32);

impl Lookup<u32> for Is {
    fn matches(&self, key: &u32) -> bool {
        self.0 == *key
    }
}

/// Of few values, so that many keys have the same one.
fn hash(key: u32) -> u64 {
    u64::from(key % 5) << 3 | u64::from(key) << 40
}

/// Counts those that are alive.
struct Counted(u32, Rc<Cell<i32>>);

impl Counted {
    fn new(value: u32, alive: &Rc<Cell<i32>>) -> Self {
        alive.set(alive.get() + 1);
        Counted(value, alive.clone())
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Counted::new(self.0, &self.1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.set(self.1.get() - 1);
    }
}

type Store = Threads<u32, Counted>;

fn found(store: &Store, key: u32) -> Option<u32> {
    store.get(hash(key), Is(key)).map(|value| value.0)
}

fn insert(store: &Store, key: u32, weight: u32, lifetime: Option<Duration>, alive: &Rc<Cell<i32>>) {
    store.insert_from(hash(key), key, &mut Some(Counted::new(key + 1, alive)), weight, lifetime);
}

#[test]
fn what_goes_and_what_moves_into_its_place_are_told_apart() {
    let (store, alive) = (Store::new(&Limits::default()), Rc::default());
    (0..40).for_each(|key| insert(&store, key, 1, None, &alive));
    for gone in (0..40).step_by(3) {
        assert!(store.remove(hash(gone), &Is(gone)));
        assert!(!store.remove(hash(gone), &Is(gone)));
        (0..40).for_each(|key| {
            let is_there = key % 3 != 0 || key > gone;
            assert_eq!(found(&store, key), is_there.then_some(key + 1), "{key} after {gone}");
        });
    }
    assert_eq!((store.counts().entries, store.counts().weight, alive.get()), (26, 26, 26));
    store.clear();
    assert_eq!((store.counts().entries, alive.get()), (0, 0));
}

#[test]
fn the_hand_passes_what_was_used_and_counts_what_leaves() {
    let limits = Limits { capacity: Some(4), ..Limits::default() };
    let (store, alive) = (Store::new(&limits), Rc::default());
    (0..4).for_each(|key| insert(&store, key, 1, None, &alive));
    assert_eq!((found(&store, 0), found(&store, 2)), (Some(1), Some(3)));
    insert(&store, 4, 1, None, &alive);
    insert(&store, 5, 1, None, &alive);
    let kept: Vec<u32> = (0..6).filter(|key| store.peek(hash(*key), &Is(*key)).is_some()).collect();
    assert_eq!(kept, [0, 2, 4, 5]);
    assert_eq!((store.counts().entries, store.counts().evicted, alive.get()), (4, 2, 4));
    // a stream of what is never asked for again: the newest four are there, whatever place they have
    (6..30).for_each(|key| insert(&store, key, 1, None, &alive));
    assert_eq!((26..30).filter_map(|key| found(&store, key)).count(), 4);
    assert_eq!((store.counts().evicted, alive.get()), (26, 4));
}

#[test]
fn lifetimes_and_weights_may_come_late() {
    let (store, alive) = (Store::new(&Limits::default()), Rc::default());
    insert(&store, 1, 1, None, &alive);
    insert(&store, 2, 7, None, &alive);
    insert(&store, 3, 1, Some(Duration::from_nanos(1)), &alive);
    insert(&store, 4, 1, Some(Duration::from_secs(3600)), &alive);
    std::thread::sleep(Duration::from_millis(1));
    assert_eq!([1, 2, 3, 4].map(|key| found(&store, key)), [Some(2), Some(3), None, Some(5)]);
    insert(&store, 5, 1, Some(Duration::from_nanos(1)), &alive);
    std::thread::sleep(Duration::from_millis(1));
    store.sweep();
    let counts = store.counts();
    assert_eq!((counts.entries, counts.weight, counts.expired, alive.get()), (3, 3, 2, 3));
}

#[test]
fn weights_are_bounded_and_what_is_replaced_does_not_count() {
    let limits = Limits { max_weight: Some(10), ..Limits::default() };
    let (store, alive) = (Store::new(&limits), Rc::default());
    insert(&store, 1, 4, None, &alive);
    insert(&store, 1, 5, None, &alive);
    insert(&store, 2, 5, None, &alive);
    assert_eq!((store.counts().entries, store.counts().weight, store.counts().evicted), (2, 10, 0));
    insert(&store, 3, 7, None, &alive);
    assert_eq!((store.counts().entries, store.counts().weight, store.counts().evicted), (1, 7, 2));
    insert(&store, 4, 11, None, &alive);
    assert_eq!((found(&store, 3), found(&store, 4), alive.get()), (Some(4), None, 1));
}

#[test]
fn what_is_removed_meanwhile_is_not_stored() {
    let (store, alive) = (Store::new(&Limits::default()), Rc::default());
    let run = |key: u32, meanwhile: &dyn Fn()| {
        let running = store.begin(hash(key)).expect("this thread goes on");
        meanwhile();
        running.store(key, Counted::new(key, &alive), 1, None)
    };
    assert!(run(1, &|| ()));
    assert!(run(2, &|| assert!(store.remove(hash(1), &Is(1)))));
    assert!(!run(3, &|| assert!(!store.remove(hash(3), &Is(3)))));
    assert!(!run(4, &|| store.clear()));
    assert!(!run(5, &|| assert!(!run(6, &|| store.clear()))));
    assert!(run(7, &|| assert!(run(8, &|| assert!(!store.remove(hash(9), &Is(9)))))));
    assert_eq!(
        [1, 2, 3, 4, 5, 6, 7, 8].map(|key| found(&store, key).is_some()),
        [false, false, false, false, false, false, true, true]
    );
}

#[test]
fn a_simple_look_up_finds_what_others_do_between_stores() {
    let limits = Limits { capacity: Some(8), ..Limits::default() };
    let store = Threads::<u32, u32>::new(&limits);
    for key in 0..100 {
        let running = store.begin(hash(key)).expect("this thread goes on");
        if let Some((key, value)) = running.store_at_once(key, key + 1) {
            assert!(key >= 8 && running.store(key, value, 1, None));
        }
        drop(running);
        for older in key.saturating_sub(10)..=key {
            // SAFETY: numbers are compared and copied without running code of the user's.
            let simple = match unsafe { store.look_simply(hash(older), &Is(older)) } {
                Looked::Hit(value) => Some(value),
                Looked::Miss(table) => {
                    assert!(table.is_some());
                    None
                }
                Looked::Slow => panic!("there are no lifetimes"),
            };
            assert_eq!(simple, store.peek(hash(older), &Is(older)));
            assert!(older != key || simple == Some(key + 1));
        }
    }
    assert_eq!(store.counts().entries, 8);
}

#[test]
fn a_small_table_is_used_again_when_it_is_cleared_and_a_large_one_is_not() {
    let (store, alive) = (Store::new(&Limits::default()), Rc::default());
    for count in [10, 10, 300, 10] {
        (0..count).for_each(|key| insert(&store, key, 1, None, &alive));
        assert!((0..count).all(|key| found(&store, key) == Some(key + 1)));
        assert_eq!((store.counts().entries, alive.get()), (u64::from(count), count as i32));
        store.clear();
        assert_eq!((store.counts().entries, alive.get()), (0, 0));
        assert_eq!(found(&store, 1), None);
    }
}

#[test]
fn a_table_goes_with_its_thread_and_empties_as_others_ask() {
    let store = Threads::<u32, u32>::new(&Limits::default());
    let put = |key: u32| store.insert_from(hash(key), key, &mut Some(key), 1, None);
    put(1);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            assert!(store.get(hash(1), Is(1)).is_none());
            put(2);
            assert_eq!(store.counts().entries, 2);
            store.clear();
            put(3);
            assert_eq!(store.counts().entries, 1);
        });
        // the scope waits for the thread's work, `join` for its end
        assert!(other.join().is_ok());
    });
    assert_eq!(store.counts().entries, 0);
    assert!(store.get(hash(1), Is(1)).is_none());
}
