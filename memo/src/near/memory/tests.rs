//! The engine by itself: what the tests of the seam do not see.

use super::*;
use crate::clock;
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

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

/// Finds an owned key by another.
struct Same<'a, K>(&'a K);

impl<K: Eq> Lookup<K> for Same<'_, K> {
    fn matches(&self, key: &K) -> bool {
        *self.0 == *key
    }
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

thread_local! {
    /// After how many calls of user code one panics; 0 for never.
    static FUSE: Cell<u32> = const { Cell::new(0) };
}

fn burn() {
    let left = FUSE.get();
    if left > 0 && !thread::panicking() {
        FUSE.set(left - 1);
        assert!(left > 1, "on purpose");
    }
}

/// Says what it is, three times over, and is counted. Its `Eq`, `Clone` and `Drop` panic now and then.
#[derive(Debug)]
struct Told {
    number: u64,
    boxed: Box<u64>,
    check: u64,
    alive: Arc<AtomicI64>,
}

impl Told {
    fn new(number: u64, alive: &Arc<AtomicI64>) -> Self {
        alive.fetch_add(1, SeqCst);
        Told { number, boxed: Box::new(!number), check: hash(number), alive: alive.clone() }
    }

    fn audit(&self) {
        assert_eq!((*self.boxed, self.check), (!self.number, hash(self.number)), "torn, or freed");
    }
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.audit();
        other.audit();
        burn();
        self.number == other.number
    }
}

impl Eq for Told {}

impl Clone for Told {
    fn clone(&self) -> Self {
        self.audit();
        burn();
        Told::new(self.number, &self.alive)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.audit();
        self.check = 0;
        *self.boxed = 0;
        self.alive.fetch_sub(1, SeqCst);
        burn();
    }
}

/// Everything at once, by several threads, on one store, which also takes the other limits now and then.
fn stress(limits: Limits, others: &[Limits], threads: u64, rounds: u64, keys: u64) {
    let _alone = clock::alone();
    assert!(others.is_empty() || cfg!(feature = "config"), "it cannot take them");
    let alive = Arc::new(AtomicI64::new(0));
    let store = Memory::<Told, Told>::new(&limits);
    thread::scope(|scope| {
        for number in 0..threads {
            let (store, alive) = (&store, &alive);
            scope.spawn(move || {
                let mut random = Random(number * 77 + 1);
                for _ in 0..rounds {
                    let key = random.next() % keys;
                    // A third of the keys share their hashes with others.
                    let hash = if key.is_multiple_of(3) { hash(key / 9) } else { hash(key) };
                    let dice = random.next() % 100;
                    if random.next().is_multiple_of(16) {
                        FUSE.set(1 + (random.next() % 8) as u32);
                    }
                    let told = || Told::new(key, alive);
                    // Made out here, as a result is leaked when a local panics in its drop (rust-lang/rust#47949).
                    let asked = told();
                    let by = || Same(&asked);
                    let _ = catch_unwind(AssertUnwindSafe(|| match dice {
                        0..30 => store.insert(hash, told(), told(), (key % 5) as u32, None),
                        30..40 => {
                            let hours = Duration::from_secs(3600 * (random.next() % 3));
                            store.insert(hash, told(), told(), 1, Some(hours));
                        }
                        40..85 => {
                            if let Some(found) = store.get(hash, by()) {
                                found.audit();
                                assert_eq!(found.number, key);
                            }
                        }
                        85..90 => {
                            store.peek(hash, &by()).inspect(Told::audit);
                        }
                        90..97 => {
                            store.remove(hash, &by());
                        }
                        97 => clock::advance(Duration::from_secs(600)),
                        98 => store.sweep(),
                        #[cfg(feature = "config")]
                        _ if !others.is_empty() && random.next().is_multiple_of(4) => {
                            store.resize(&others[random.next() as usize % others.len()]);
                        }
                        _ if random.next().is_multiple_of(8) => store.clear(),
                        _ => {
                            store.counts();
                        }
                    }));
                    FUSE.set(0);
                }
            });
        }
    });
    #[cfg(feature = "config")]
    assert!(others.is_empty() || store.resize(&limits));
    store.settle();
    let counts = store.counts();
    assert_eq!(alive.load(SeqCst), 2 * counts.entries as i64, "{counts:?}");
    if let Some(most) = limits.capacity {
        assert!(counts.entries <= most);
    }
    drop(store);
    assert_eq!(alive.load(SeqCst), 0);
}

/// Panics that are on purpose, not told on.
fn quietly(test: impl FnOnce()) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            eprintln!("{panic}");
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(test));
    std::panic::set_hook(told);
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[test]
fn values_are_whole_and_dropped_once_whatever_threads_do_and_panic_in() {
    // For how long, in the nightly run.
    let minutes: u64 = match std::env::var_os("MEMO_TEST_NIGHTLY") {
        Some(_) => 3,
        None => 0,
    };
    let start = std::time::Instant::now();
    quietly(|| {
        loop {
            let rounds = times(8_000, 60);
            let idle = |limits| Limits { tti: Some(Duration::from_secs(3600)), lifetimes: true, ..limits };
            let weighed = Limits { max_weight: Some(300), ..Limits::default() };
            stress(entries(100), &[], 5, rounds, 400);
            stress(entries(3000), &[], 4, rounds, 5000);
            stress(weighed, &[], 4, rounds, 400);
            stress(idle(entries(100)), &[], 4, rounds, 300);
            stress(Limits::default(), &[], 4, rounds, 2000);
            if cfg!(feature = "config") {
                let any = Limits::default();
                stress(entries(100), &[entries(30), weighed, idle(any), any, entries(200)], 4, rounds, 400);
                stress(entries(3000), &[entries(40), idle(entries(900)), any], 4, rounds, 3000);
            }
            if start.elapsed() >= Duration::from_secs(60 * minutes) {
                break;
            }
        }
    });
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

#[cfg(feature = "config")]
mod resized {
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
        let groups =
            || store.erased.shards.indices().iter().map(|index| index.table().groups()).sum::<usize>();
        let before = groups();
        assert!(store.resize(&entries(16 * store.erased.shards.indices().len() as u64)));
        assert!(
            groups() <= before / 4 && groups() <= 16 * store.erased.shards.indices().len(),
            "{}",
            groups()
        );
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
            let new = New { hash: hash(1), weight: 1, word, read: 0, tti };
            let mut pair = Pair { key: Some(1_u64), value };
            // SAFETY: the pair is of the types of the store.
            unsafe { store.erased.place(&|| false, &new, &mut pair) }.is_ok()
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
fn threads_that_end_give_their_slots_back() {
    let store = Arc::new(Memory::<u64, u64>::new(&entries(10)));
    store.insert(hash(1), 1, 1, 1, None);
    let before = readers::count();
    for _ in 0..times(300, 10) {
        let store = store.clone();
        let reader = thread::spawn(move || store.get(hash(1), By(1)));
        assert_eq!(reader.join().ok().flatten(), Some(1));
    }
    // Other tests have threads of their own.
    assert!(readers::count() < before + 64, "{} slots", readers::count());
}

#[test]
fn a_thread_reads_in_its_last_destructors_too() {
    struct Late(Arc<Memory<u64, u64>>, mpsc::Sender<Option<u64>>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.insert(hash(2), 2, 2, 1, None);
            let _ = self.1.send(self.0.get(hash(1), By(1)));
            let _ = self.1.send(self.0.get(hash(2), By(2)));
        }
    }
    thread_local! {
        static EARLY: Cell<Option<Late>> = const { Cell::new(None) };
        static LATE: Cell<Option<Late>> = const { Cell::new(None) };
    }
    let store = Arc::new(Memory::<u64, u64>::new(&entries(10)));
    store.insert(hash(1), 1, 1, 1, None);
    let before = readers::count();
    for _ in 0..times(100, 5) {
        let (sender, receiver) = mpsc::channel();
        let store = store.clone();
        thread::spawn(move || {
            // One is destroyed before the slot is given back, one after, whichever way round that is.
            EARLY.set(Some(Late(store.clone(), sender.clone())));
            store.get(hash(1), By(1));
            LATE.set(Some(Late(store, sender)));
        })
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [Some(1), Some(2), Some(1), Some(2)]);
    }
    assert!(readers::count() < before + 64, "{} slots", readers::count());
}

/// A value whose clone takes as long as it is told to.
struct Slow(Arc<Mutex<()>>, Arc<AtomicUsize>);

impl Clone for Slow {
    fn clone(&self) -> Self {
        self.1.fetch_add(1, SeqCst);
        drop(self.0.lock());
        Slow(self.0.clone(), self.1.clone())
    }
}

#[test]
fn a_reader_that_sleeps_delays_nobody_and_what_is_kept_for_it_is_bounded() {
    let store = Memory::<u64, Slow>::new(&entries(100));
    let (gate, clones) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
    let slow = || Slow(gate.clone(), clones.clone());
    store.insert(hash(0), 0, slow(), 1, None);
    let many = times(20_000, 700);
    thread::scope(|scope| {
        let closed = gate.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let reader = scope.spawn(|| store.get(hash(0), By(0)).is_some());
        while clones.load(SeqCst) == 0 {
            thread::yield_now();
        }
        for key in 1..many {
            store.insert(hash(key), key, slow(), 1, None);
            assert!(store.counts().entries <= 100);
        }
        // As much again as the store may hold, and a little.
        assert!(store.erased.rest.graveyard.held() <= 600, "{}", store.erased.rest.graveyard.held());
        store.remove(hash(0), &By(0));
        store.clear();
        assert_eq!(store.counts().entries, 0);
        drop(closed);
        assert!(reader.join().is_ok_and(|found| found));
    });
    store.settle();
    // The two locals, and nothing else, know the gate.
    assert_eq!(Arc::strong_count(&gate), 1);
    store.insert(hash(1), 1, slow(), 1, None);
    assert!(store.get(hash(1), By(1)).is_some());
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
    }
    for key in 1000..1400 {
        store.insert(hash(key), key, 0, 1, None);
        assert_eq!(store.get(hash(key), By(key)), Some(0));
    }
    assert_eq!(store.counts().entries, 200);
}

#[test]
fn readers_never_miss_what_stays() {
    // Growth, replacement and the coming and going of others.
    let store = Memory::<u64, u64>::new(&Limits::default());
    let done = AtomicBool::new(false);
    (0..50).for_each(|key| store.insert(hash(key), key, 0, 1, None));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = [0; 50];
                while !done.load(SeqCst) {
                    for key in 0..50 {
                        let found = store.get(hash(key), By(key)).expect("it is never removed");
                        assert!(found >= last[key as usize], "an older value after a newer one");
                        last[key as usize] = found;
                    }
                    thread::yield_now();
                }
            });
        }
        for round in 1..times(300, 4) {
            (0..50).for_each(|key| store.insert(hash(key), key, round, 1, None));
            let others = 100..100 + times(200, 30) * (1 + round % 7);
            others.clone().for_each(|key| store.insert(hash(key), key, 0, 1, None));
            others.for_each(|key| assert!(store.remove(hash(key), &By(key))));
            store.sweep();
        }
        done.store(true, SeqCst);
    });
}

#[cfg(all(unix, not(miri)))]
#[test]
fn a_forked_child_frees_what_its_parents_readers_would_keep() {
    let store: &'static Memory<u64, Slow> = Box::leak(Box::new(Memory::new(&entries(10))));
    let (gate, clones) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
    store.insert(hash(0), 0, Slow(gate.clone(), clones.clone()), 1, None);
    let free = Slow(Arc::default(), Arc::default());
    let closed = gate.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let reader = thread::spawn(|| store.get(hash(0), By(0)).is_some());
    while clones.load(SeqCst) == 0 {
        thread::yield_now();
    }
    // SAFETY: the child takes no lock that another thread of the parent could hold but that of the allocator (which
    // the C library keeps right across a fork), and leaves by `_exit`, running nothing of the parent's.
    let child = unsafe { libc::fork() };
    if child == 0 {
        for key in 1..2000 {
            store.insert(hash(key), key, free.clone(), 1, None);
        }
        store.erased.rest.graveyard.flush();
        let freed = store.erased.rest.graveyard.held() < 50 && store.get(hash(1999), By(1999)).is_some();
        // SAFETY: as above.
        unsafe { libc::_exit(if freed { 0 } else { 1 }) }
    }
    assert!(child > 0);
    let mut status = 0;
    // SAFETY: `child` is our child and `status` a place to write.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!((libc::WIFEXITED(status), libc::WEXITSTATUS(status)), (true, 0), "{status:#x}");
    drop(closed);
    assert!(reader.join().is_ok_and(|found| found));
}

/// Asks for these, and stores what is not there; how many of a hundred were found.
fn asked(store: &Memory<u64, u64>, keys: impl Iterator<Item = u64>) -> u64 {
    let (mut calls, mut hits) = (0, 0);
    for key in keys {
        calls += 1;
        match store.get(hash(key), By(key)) {
            Some(_) => hits += 1,
            None => store.insert(hash(key), key, key, 1, None),
        }
    }
    100 * hits / calls
}

/// Whether that comes true: what is stored is refused for a while where another test's reader sleeps.
#[cfg(not(miri))]
fn in_the_end(mut is_so: impl FnMut() -> bool) -> bool {
    (0..200).any(|_| is_so())
}

#[cfg(not(miri))]
#[test]
fn a_loop_longer_than_the_store_does_not_wash_itself_out() {
    for length in [210, 300, 400, 800] {
        let store = Memory::<u64, u64>::new(&entries(200));
        let most = 100 * 200 / length;
        // And another loop takes over.
        for from in [0, 10_000] {
            let around = |times: u64| (0..times * length).map(move |at| from + at % length);
            asked(&store, around(40));
            let kept = in_the_end(|| asked(&store, around(20)) + 3 >= most);
            assert!(kept, "less than {most} of 100 in a loop of {length}");
        }
    }
}

#[cfg(not(miri))]
#[test]
fn what_comes_again_soon_or_never_is_found() {
    let store = Memory::<u64, u64>::new(&entries(400));
    // The main queue is full of what is never asked for again.
    asked(&store, 0..400);
    let mut random = Random(3);
    let mut from = 1_000;
    let mut half_are_found = || {
        from += 20_000;
        let soon = (from..from + 20_000).flat_map(|key| [key, key - 1 - random.next() % 50]);
        asked(&store, soon) >= 48
    };
    assert!(in_the_end(&mut half_are_found));
    // And back to what is used often.
    let mut random = Random(5);
    assert!(in_the_end(|| asked(&store, (0..20_000).map(|_| random.next() % 100)) >= 99));
}

#[test]
fn the_heavy_do_not_drive_out_what_is_used() {
    let store = Memory::<u64, u64>::new(&Limits { max_weight: Some(1000), ..Limits::default() });
    let weight = |key: u64| if key < 50 { 10 } else { 300 };
    let ask = |key: u64| {
        let found = store.get(hash(key), By(key)).is_some();
        if !found {
            store.insert(hash(key), key, key, weight(key), None);
        }
        assert!(store.counts().weight <= 1000);
        found
    };
    let mut hits = 0;
    for round in 0..times(200, 4) {
        hits += (0..50).filter(|&key| ask(key)).count() as u64;
        // Twice each, so that they have been used.
        ask(100 + round);
        ask(100 + round);
    }
    assert!(cfg!(miri) || hits > 200 * 50 * 8 / 10, "{hits}");
}
