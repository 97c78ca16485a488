//! User code that a store runs calls the same store.

use super::*;

/// A value whose drop uses the store it was in.
#[derive(Clone)]
struct Caller {
    _calls: Option<Arc<Calls>>,
}

struct Calls(&'static Near<u64, Caller>, Arc<AtomicI64>);

impl Drop for Calls {
    fn drop(&mut self) {
        let near = self.0;
        // A key of its own: what this evicts comes here as well.
        let key = 1000 + self.1.fetch_add(1, Relaxed) as u64;
        near.put(key, Caller { _calls: None });
        assert!(near.look(key).is_some(), "the store is open to a drop");
        assert!(near.take(key));
        near.look(1);
        near.sweep();
        near.counts();
    }
}

#[test]
fn a_drop_may_call_the_same_store() {
    let _alone = clock::alone();
    for &kind in KINDS {
        let near: &'static Near<u64, Caller> = Box::leak(Box::new(make(kind, &entries(10))));
        let dropped = Arc::new(AtomicI64::new(0));
        let caller = || Caller { _calls: Some(Arc::new(Calls(near, dropped.clone()))) };
        near.put(1, caller()); // is replaced
        near.put(1, caller()); // is removed
        assert!(near.take(1));
        near.put_for(1, caller(), HOUR); // is found expired
        near.put_for(2, caller(), HOUR); // is swept
        near.put_for(1, caller(), HOUR);
        clock::advance(2 * HOUR);
        assert!(near.look(1).is_none());
        near.sweep();
        near.put_for(3, caller(), Duration::ZERO); // is not stored
        for key in 0..100 {
            near.put(key, caller()); // are evicted
        }
        near.clear();
        near.settle();
        near.clear();
        near.settle();
        assert!(near.entries() <= 10);
        match kind {
            Kind::Memory | Kind::Thread => assert_eq!(dropped.load(Relaxed), 106),
            // They wait for crossbeam's next epochs, which other threads may hold up for a while.
            #[cfg(feature = "moka")]
            Kind::Moka => {
                let until = std::time::Instant::now() + Duration::from_secs(20);
                while dropped.load(Relaxed) <= 10 {
                    assert!(std::time::Instant::now() < until, "{dropped:?}");
                    near.put(0, Caller { _calls: None });
                    near.settle();
                }
            }
        }
    }
}

/// A key and value whose `Eq` and `Clone` use the store that they are in.
struct Nosy(&'static Near<Nosy, Nosy>, u64);

thread_local! {
    /// Whether an `Eq` or `Clone` is at it: once is enough.
    static PRYING: Cell<bool> = const { Cell::new(false) };
    /// How often it has found what it had inserted.
    static OPEN: Cell<u32> = const { Cell::new(0) };
}

impl Nosy {
    fn pry(&self) {
        if PRYING.replace(true) {
            return;
        }
        let near = self.0;
        let other = Nosy(near, 77);
        near.insert(hash(77), Nosy(near, 77), Nosy(near, 77), 1, None);
        let found = near.get(hash(77), Same(&other)).is_some();
        let removed = near.remove(hash(77), &Same(&other));
        match near {
            Near::Memory(_) => {
                // Refused only if other tests' readers are kept from working for long, and much garbage waits for them.
                assert_eq!(found, removed);
                OPEN.set(OPEN.get() + u32::from(found));
            }
            #[cfg(feature = "moka")]
            Near::Moka(_) => assert!(!is_closed() || !(found || removed), "it is closed"),
            Near::Thread(_) => assert!(!(found || removed), "it is borrowed"),
        }
        assert!(near.peek(hash(77), &Same(&other)).is_none());
        if self.1.is_multiple_of(8) {
            near.clear();
        }
        near.sweep();
        near.counts();
        drop_retired(other);
        PRYING.set(false);
    }
}

impl PartialEq for Nosy {
    fn eq(&self, other: &Self) -> bool {
        self.pry();
        self.1 == other.1
    }
}

impl Eq for Nosy {}

impl Hash for Nosy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.1.hash(state);
    }
}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        self.pry();
        Nosy(self.0, self.1)
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        assert!(!is_closed(), "dropped in a store");
    }
}

#[test]
fn eq_and_clone_that_call_the_same_store_do_not_hang() {
    for &kind in KINDS {
        let near: &'static Near<Nosy, Nosy> = Box::leak(Box::new(make(kind, &entries(10))));
        for round in 0..100 {
            for key in 0..20 {
                near.put(Nosy(near, key), Nosy(near, round));
            }
            // Those that clear the store come late.
            for key in (0..20).rev() {
                if let Some(found) = near.look(Nosy(near, key)) {
                    assert_eq!(found.1, round);
                }
            }
            near.take(Nosy(near, round));
        }
        PRYING.set(true);
        assert!(near.look(Nosy(near, 77)).is_none());
        PRYING.set(false);
    }
    assert!(OPEN.get() > 100, "the store is open");
}
