//! The user's code that runs within ours: it may call the cache again, and it may panic. Promises 4 and 5.

/// The same tests for each engine.
macro_rules! engine {
    ($name:ident, $engine:tt $(, $panics:meta)?) => {
        mod $name {
            use std::cell::Cell;
            use std::hash::{Hash, Hasher};
            use std::time::Duration;

            use memo::memoize;
            use memo_tests::{caught, throw, watched};

            /// Uses the cache of another function, and of the one under test.
            #[memoize(engine = $engine, capacity = 2)]
            fn other(n: u64) -> Noisy {
                Noisy(n)
            }

            thread_local! {
                static QUIET: Cell<bool> = const { Cell::new(true) };
                static CALLED: Cell<usize> = const { Cell::new(0) };
            }

            /// What every callback does: calls the cache in every way, unless it is in there already.
            fn call_again() {
                if QUIET.replace(true) {
                    return;
                }
                CALLED.set(CALLED.get() + 1);
                for n in 100..104 {
                    assert_eq!(other(n).0, n);
                    assert_eq!(noisy(Key(n), n).0, n);
                }
                other::insert(100, Noisy(100)).unwrap();
                other::invalidate(100).unwrap();
                assert_eq!(other::refresh(101).0, 101);
                let _ = (other::peek(102), other::stats(), noisy::stats(), noisy::peek(Key(103)));
                other::clear().unwrap();
                noisy::invalidate(Key(103)).unwrap();
                QUIET.set(false);
            }

            #[derive(Debug)]
            struct Noisy(u64);

            impl Clone for Noisy {
                fn clone(&self) -> Self {
                    call_again();
                    Noisy(self.0)
                }
            }

            impl Drop for Noisy {
                fn drop(&mut self) {
                    call_again();
                }
            }

            struct Key(u64);

            impl Clone for Key {
                fn clone(&self) -> Self {
                    call_again();
                    Key(self.0)
                }
            }

            impl PartialEq for Key {
                fn eq(&self, other: &Self) -> bool {
                    call_again();
                    self.0 == other.0
                }
            }

            impl Eq for Key {}

            impl Hash for Key {
                fn hash<H: Hasher>(&self, state: &mut H) {
                    call_again();
                    self.0.hash(state);
                }
            }

            impl Drop for Key {
                fn drop(&mut self) {
                    call_again();
                }
            }

            #[memoize(
                                        engine = $engine,
                                        skip(result),
                                        weigh = |_, _| { call_again(); 1 },
                                        max_weight = 3,
                                        ttl_of = |_| { call_again(); Some(Duration::from_secs(3600)) },
                                        cache_if = |_| { call_again(); true },
                                    )]
            fn noisy(key: Key, result: u64) -> Noisy {
                let _ = key;
                Noisy(result)
            }

            #[test]
            fn promise_5_every_callback_may_call_the_cache_again() {
                watched(|| {
                    QUIET.set(false);
                    for round in 0..3 {
                        // misses, hits and evictions
                        for n in 0..8 {
                            assert_eq!(noisy(Key(n), n).0, n);
                            assert_eq!(noisy(Key(n), n).0, n);
                        }
                        let _ = noisy::peek(Key(7));
                        noisy::insert(Key(1), Noisy(1)).unwrap();
                        noisy::insert(Key(1), Noisy(1)).unwrap();
                        assert_eq!(noisy::refresh(Key(2), 2).0, 2);
                        noisy::invalidate(Key(2)).unwrap();
                        assert_eq!(noisy::uncached(Key(3), 3).0, 3);
                        if round == 1 {
                            noisy::clear().unwrap();
                        }
                    }
                    noisy::clear().unwrap();
                    QUIET.set(true);
                });
                assert!(CALLED.get() > 100, "only {} callbacks", CALLED.get());
                assert_eq!(noisy(Key(1), 1).0, 1);
            }

            #[test]
            fn promise_5_on_four_threads() {
                thread_local! {
                    static DEPTH: Cell<usize> = const { Cell::new(0) };
                }
                #[memoize(engine = $engine, capacity = 4)]
                fn chained(n: u32) -> Chained {
                    Chained(n)
                }
                #[derive(Clone)]
                struct Chained(u32);
                impl Drop for Chained {
                    fn drop(&mut self) {
                        // drops what it evicts, which drops...
                        if self.0 % 4 != 0 && DEPTH.get() < 8 {
                            DEPTH.set(DEPTH.get() + 1);
                            assert_eq!(chained(self.0 - 1).0, self.0 - 1);
                            DEPTH.set(DEPTH.get() - 1);
                        }
                    }
                }
                watched(|| {
                    std::thread::scope(|scope| {
                        for _ in 0..4 {
                            scope.spawn(|| {
                                for n in 0..500 {
                                    assert_eq!(chained(n % 64).0, n % 64);
                                    if n % 50 == 0 {
                                        chained::clear().unwrap();
                                    }
                                }
                            });
                        }
                    });
                });
            }

            thread_local! {
                /// The number of the callback that panics; 0 for none.
                static TRAP: Cell<usize> = const { Cell::new(0) };
                /// Which kind of callback counts.
                static KIND: Cell<&'static str> = const { Cell::new("") };
            }

            /// Panics if it is the one that shall.
            fn step(kind: &'static str) {
                if (KIND.get() == kind || KIND.get() == "any") && TRAP.get() > 0 {
                    TRAP.set(TRAP.get() - 1);
                    if TRAP.get() == 0 && !std::thread::panicking() {
                        throw("trapped");
                    }
                }
            }

            #[derive(Debug)]
            struct Trapped(u64);

            impl Clone for Trapped {
                fn clone(&self) -> Self {
                    step("clone");
                    Trapped(self.0)
                }
            }
            impl PartialEq for Trapped {
                fn eq(&self, other: &Self) -> bool {
                    step("eq");
                    self.0 == other.0
                }
            }
            impl Eq for Trapped {}
            impl Hash for Trapped {
                fn hash<H: Hasher>(&self, state: &mut H) {
                    step("hash");
                    self.0.hash(state);
                }
            }
            impl Drop for Trapped {
                fn drop(&mut self) {
                    step("drop");
                }
            }

            #[memoize(
                                        engine = $engine,
                                        weigh = |_, _| { step("weigh"); 1 },
                                        max_weight = 4,
                                        ttl_of = |_| { step("ttl_of"); Some(Duration::from_secs(3600)) },
                                        cache_if = |_| { step("cache_if"); true },
                                    )]
            fn trapped(key: &Trapped) -> Trapped {
                step("body");
                Trapped(10 * key.0)
            }

            #[memoize(
                                        engine = $engine,
                                        weigh = |_, _| { step("weigh"); 1 },
                                        max_weight = 4,
                                        ttl_of = |_| { step("ttl_of"); Some(Duration::from_secs(3600)) },
                                        cache_if = |_| { step("cache_if"); true },
                                    )]
            async fn trapped_later(key: &Trapped) -> Trapped {
                step("body");
                smol::future::yield_now().await;
                Trapped(10 * key.0)
            }

            /// Everything that one can do; each may panic.
            fn scenario() {
                let attempt = |act: &dyn Fn()| {
                    let _ = caught(act);
                };
                for n in 0..6 {
                    attempt(&|| drop(trapped(&Trapped(n))));
                    attempt(&|| drop(trapped(&Trapped(n))));
                    attempt(&|| drop(smol::block_on(trapped_later(&Trapped(n)))));
                    attempt(&|| drop(smol::block_on(trapped_later(&Trapped(n)))));
                }
                attempt(&|| drop(trapped::peek(&Trapped(5))));
                attempt(&|| drop(trapped::insert(&Trapped(5), Trapped(50))));
                attempt(&|| drop(trapped::refresh(&Trapped(4))));
                attempt(&|| drop(trapped::uncached(&Trapped(4))));
                attempt(&|| drop(trapped::invalidate(&Trapped(4))));
                attempt(&|| drop(smol::block_on(trapped_later::refresh(&Trapped(4)))));
                attempt(&|| drop(smol::block_on(trapped_later::invalidate(&Trapped(4)))));
                attempt(&|| drop(trapped::clear()));
                attempt(&|| drop(trapped(&Trapped(1))));
            }

            /// Whatever panicked: all keys can be computed, stored, found and dropped, and are what they should be.
            fn audit(context: &str) {
                for n in 0..6 {
                    for _ in 0..2 {
                        assert_eq!(trapped(&Trapped(n)).0, 10 * n, "{context}");
                        assert_eq!(smol::block_on(trapped_later(&Trapped(n))).0, 10 * n, "{context}");
                    }
                    assert_eq!(trapped::peek(&Trapped(n)).map(|found| found.0), Some(10 * n), "{context}");
                    trapped::invalidate(&Trapped(n)).unwrap();
                    assert!(trapped::peek(&Trapped(n)).is_none(), "{context}");
                    trapped::insert(&Trapped(n), Trapped(10 * n)).unwrap();
                    assert!(trapped::peek(&Trapped(n)).is_some(), "{context}");
                }
                let here = (0..6).filter(|n| trapped::peek(&Trapped(*n)).is_some()).count() as u64;
                let stats = trapped::stats();
                assert!(
                    here <= 4 && stats.entries == here && stats.weight == here,
                    "{context}: {here} in {stats}"
                );
                trapped::clear().unwrap();
                smol::block_on(trapped_later::clear()).unwrap();
                assert_eq!(trapped::stats().entries, 0, "{context}");
                assert_eq!(trapped_later::stats().entries, 0, "{context}");
            }

            #[test]
            $(#[$panics])?
            fn promise_4_a_panic_in_any_callback_at_any_call() {
                watched(|| {
                    for kind in ["hash", "eq", "clone", "drop", "weigh", "ttl_of", "cache_if", "body", "any"]
                    {
                        let mut nth = 0;
                        loop {
                            nth += 1;
                            KIND.set(kind);
                            TRAP.set(nth);
                            scenario();
                            let sprung = TRAP.replace(0) == 0;
                            audit(&format!("after a panic in {kind}, call {nth}"));
                            if !sprung {
                                break;
                            }
                        }
                        assert!(nth > 5, "only {nth} calls of {kind}");
                    }
                });
            }
        }
    };
}

engine!(memory, "memory");
#[cfg(feature = "moka")]
engine!(moka, "moka", ignore = "moka counts entries that it cannot find any more after some panics");

/// Two stores that are under way on two threads; what each of them replaces invalidates the other's key as it is
/// dropped, and must not wait for the other store to end.
#[test]
fn promise_5_invalidations_across_two_stores() {
    use std::cell::Cell;
    use std::sync::Barrier;
    use std::thread;

    static BOTH: Barrier = Barrier::new(2);
    thread_local! {
        static MEETS: Cell<bool> = const { Cell::new(false) };
        static KEY: Cell<u32> = const { Cell::new(0) };
    }
    fn meet() {
        if MEETS.replace(false) {
            BOTH.wait();
            crossed::invalidate(1 - KEY.get()).unwrap();
            BOTH.wait();
        }
    }
    #[derive(Clone)]
    struct Value {
        key: u32,
        old: bool,
    }
    impl Drop for Value {
        fn drop(&mut self) {
            if self.old {
                meet();
            }
        }
    }
    #[memo::memoize]
    fn crossed(key: u32) -> Value {
        Value { key, old: false }
    }
    memo_tests::watched(|| {
        thread::scope(|scope| {
            for key in [0, 1] {
                scope.spawn(move || {
                    KEY.set(key);
                    for _ in 0..20 {
                        crossed::insert(key, Value { key, old: true }).unwrap();
                        BOTH.wait();
                        MEETS.set(true);
                        assert_eq!(crossed::refresh(key).key, key);
                        // What is replaced is dropped in there, unless another test's reader is at work just then.
                        meet();
                        BOTH.wait();
                        assert!(crossed::peek(key).is_none(), "the invalidation wins");
                        BOTH.wait();
                    }
                });
            }
        });
    });
}
