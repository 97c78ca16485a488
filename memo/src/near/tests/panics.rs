//! User code panics, or several threads use a store, and nothing is lost.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// After how many calls of user code one panics.
    static FUSE: Cell<u32> = const { Cell::new(u32::MAX) };
}

fn burn() {
    let left = FUSE.get();
    if left != u32::MAX && !thread::panicking() {
        FUSE.set(left - 1);
        if left == 1 {
            FUSE.set(u32::MAX);
            panic!("on purpose");
        }
    }
}

/// A key and value that panics when the fuse has burnt down, and counts how many there are.
#[derive(Debug)]
struct Bomb(u64, Arc<AtomicI64>);

impl Bomb {
    fn new(number: u64, alive: &Arc<AtomicI64>) -> Self {
        alive.fetch_add(1, Relaxed);
        Bomb(number, alive.clone())
    }
}

impl PartialEq for Bomb {
    fn eq(&self, other: &Self) -> bool {
        burn();
        self.0 == other.0
    }
}

impl Eq for Bomb {}

impl Hash for Bomb {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Clone for Bomb {
    fn clone(&self) -> Self {
        burn();
        Bomb::new(self.0, &self.1)
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Relaxed);
        burn();
    }
}

/// Some of everything; each step on its own, so that the ones after a panic are taken as well.
fn exercise(near: &Near<Bomb, Bomb>, alive: &Arc<AtomicI64>) -> bool {
    let bomb = |number| Bomb::new(number, alive);
    let mut panicked = false;
    let mut step = |key: u64, work: &dyn Fn(u64, &Bomb)| {
        // Made out here, as a result is leaked when a local panics in its drop (rust-lang/rust#47949).
        let key = bomb(key);
        let work = || work(hash(&key), &key);
        panicked |= catch_unwind(AssertUnwindSafe(work)).is_err();
        panicked |= catch_unwind(AssertUnwindSafe(|| drop(key))).is_err();
    };
    for key in 0..6 {
        step(key, &|_, _| near.put(bomb(key), bomb(key)));
        step(key, &|hash, key| drop(near.get(hash, Same(key))));
    }
    for key in 0..6 {
        step(key, &|_, _| near.put(bomb(key), bomb(key)));
        step(key, &|hash, key| drop(near.peek(hash, &Same(key))));
    }
    step(4, &|_, _| near.put_for(bomb(4), bomb(4), Duration::ZERO));
    step(3, &|_, _| near.put_heavy(bomb(3), bomb(3), u32::MAX));
    step(5, &|hash, key| {
        near.remove(hash, &Same(key));
    });
    step(6, &|_, _| near.put_for(bomb(6), bomb(6), HOUR));
    step(7, &|_, _| near.put_for(bomb(7), bomb(7), HOUR));
    clock::advance(2 * HOUR);
    step(6, &|hash, key| drop(near.get(hash, Same(key))));
    step(0, &|_, _| near.sweep());
    step(8, &|_, _| near.put(bomb(8), bomb(8)));
    panicked
}

#[test]
fn a_panic_in_eq_clone_or_drop_leaves_a_sound_store() {
    let _alone = clock::alone();
    let heavy = Limits { capacity: Some(4), ..weight(4) };
    each(&[entries(4), weight(4), heavy, entries(1000)], |_: Near<Bomb, Bomb>, limits| {
        for &kind in KINDS {
            let mut reached = 0;
            for fuse in 1.. {
                let alive = Arc::new(AtomicI64::new(0));
                let near = make::<Bomb, Bomb>(kind, &limits);
                FUSE.set(fuse);
                let panicked = exercise(&near, &alive);
                let burnt = FUSE.replace(u32::MAX) == u32::MAX;
                reached += u32::from(burnt);
                assert!(burnt || !panicked);
                audit(kind, &near, &alive);
                if !burnt {
                    break;
                }
            }
            assert!(reached > 20, "{reached}");
        }
    });
}

#[test]
fn a_store_that_goes_away_survives_panics_in_drops() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    each(&[entries(1000)], |near: Near<u64, Arc<Bad>>, _| {
        for key in 0..10 {
            near.put(key, Arc::new(Bad));
        }
        drop(near);
    });
}

/// A store after a panic: it counts what it holds, holds what it should, and works.
fn audit(kind: Kind, near: &Near<Bomb, Bomb>, alive: &Arc<AtomicI64>) {
    assert!(!is_closed());
    let counts = near.counts();
    let found = (0..10).filter(|&key| near.look(Bomb::new(key, alive)).is_some_and(|v| v.0 == key)).count();
    assert_eq!(found as u64, counts.entries, "{counts:?}");
    assert_eq!(counts.weight, counts.entries);
    near.settle();
    if kind == Kind::Memory {
        // A key and a value each, none lost and none leaked.
        assert_eq!(alive.load(Relaxed), 2 * found as i64);
    }
    for key in 0..20 {
        near.put(Bomb::new(key, alive), Bomb::new(key, alive));
        assert_eq!(near.look(Bomb::new(key, alive)).map(|v| v.0), Some(key));
    }
    near.clear();
    assert_eq!((near.counts().entries, near.counts().weight), (0, 0));
    near.settle();
    if kind == Kind::Memory {
        assert_eq!(alive.load(Relaxed), 0);
    }
}

#[test]
fn nothing_is_lost_or_kept_when_threads_do_everything_at_once() {
    let _alone = clock::alone();
    let all = [
        entries(50),
        entries(2000),
        weight(300),
        Limits { capacity: Some(40), ..weight(100) },
        Limits { lifetimes: true, tti: Some(HOUR), ..entries(600) },
    ];
    each(&all, |near: Near<Bomb, Bomb>, limits| {
        let alive = Arc::new(AtomicI64::new(0));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..4_u64)
                .map(|thread| {
                    let (near, alive) = (&near, &alive);
                    scope.spawn(move || {
                        let mut random = thread + 1;
                        for _ in 0..6000 {
                            random ^= random << 13;
                            random ^= random >> 7;
                            random ^= random << 17;
                            let key = random % 3000;
                            let bomb = || Bomb::new(key, alive);
                            match random >> 60 {
                                0..6 => near.put_heavy(bomb(), bomb(), (key % 5) as u32),
                                6..8 => near.put_for(bomb(), bomb(), HOUR * (key as u32 % 3)),
                                8..14 => assert!(near.look(bomb()).is_none_or(|v| v.0 == key)),
                                14 => {
                                    near.take(bomb());
                                }
                                _ => assert!(near.glance(bomb()).is_none_or(|v| v.0 == key)),
                            }
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                let mut left = 1000;
                while !done.load(Relaxed) {
                    // The clock has only 146 years.
                    if left > 0 {
                        left -= 1;
                        clock::advance(HOUR / 2);
                    }
                    near.sweep();
                    near.counts();
                    thread::yield_now();
                }
            });
            workers.into_iter().for_each(|worker| worker.join().expect("no panic"));
            done.store(true, Relaxed);
        });
        let counts = near.counts();
        println!("{counts:?}");
        assert!(counts.entries * 10 <= limits.capacity.unwrap_or(u64::MAX / 100) * 11);
        assert!(counts.weight * 10 <= limits.max_weight.unwrap_or(u64::MAX / 100) * 11);
        near.settle();
        if matches!(near, Near::Memory(_)) {
            assert_eq!(alive.load(Relaxed), 2 * counts.entries as i64);
        }
        near.clear();
        assert_eq!((near.counts().entries, near.counts().weight), (0, 0));
        near.settle();
        if matches!(near, Near::Memory(_)) {
            assert_eq!(alive.load(Relaxed), 0);
        }
    });
}

/// One by one, and in the end all of them, although each panics.
#[cfg(feature = "config")]
#[test]
fn values_that_panic_when_a_smaller_store_drops_them() {
    #[derive(Clone)]
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
    let near = make::<u64, Loud>(Kind::Memory, &entries(200));
    (0..100).for_each(|n| near.put(n, Loud));
    assert!(near.resize(&entries(10)));
    let counts = near.counts();
    assert!(counts.entries <= 10 && counts.entries + counts.evicted == 100, "{counts:?}");
    assert!(near.resize(&entries(200)));
    near.clear();
    assert_eq!(near.entries(), 0);
}
