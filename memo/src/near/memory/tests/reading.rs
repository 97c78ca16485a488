//! Readers, the threads that they are, and what is kept for them.

#![allow(unsafe_code)]

use super::*;

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
        assert!(store.erased.rest.retired.held() <= 600, "{}", store.erased.rest.retired.held());
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
        store.erased.rest.retired.flush();
        let freed = store.erased.rest.retired.held() < 50 && store.get(hash(1999), By(1999)).is_some();
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
