//! Scopes where engines outlive the process: each field, with each kind of function, in each kind of store.
#![cfg(feature = "disk")]

mod shelf;

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use memo::engine::{Disk, DiskOptions};
use memo::{Answer, Scope, memoize, scope};

use shelf::Shelf;

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

/// What every body does: counts, and gives another result each time.
fn body(n: u64) -> u64 {
    RUNS.set(RUNS.get() + 1);
    n * 1000 + RUNS.get()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A memoized function, whatever its kind.
struct Subject {
    kind: &'static str,
    /// What its first engine is called.
    engine: &'static str,
    call: fn(Scope, u64) -> u64,
    peek: fn(Scope, u64) -> Option<u64>,
    invalidate: fn(Scope, u64),
    clear: fn(Scope),
}

/// A function of each kind, in a module of this name.
macro_rules! subjects {
    ($module:ident, $engine:literal, $($options:tt)*) => {
        mod $module {
            use super::*;

            #[memoize($($options)*)]
            fn sync(n: u64) -> u64 {
                body(n)
            }

            #[memoize($($options)*)]
            async fn asynchronous(n: u64) -> u64 {
                tokio::task::yield_now().await;
                body(n)
            }

            struct Thing;

            impl Thing {
                #[memoize(receiver = "skip", $($options)*)]
                fn method(&self, n: u64) -> u64 {
                    body(n)
                }
            }

            #[memoize($($options)*)]
            fn generic<T>(n: T) -> u64
            where
                T: Into<u64> + Copy + std::hash::Hash + Eq + serde::Serialize + Send + Sync + 'static,
            {
                body(n.into())
            }

            pub(super) const ALL: [Subject; 4] = [
                Subject {
                    kind: concat!("sync::", stringify!($module)),
                    engine: $engine,
                    call: |scope, n| scope.with(|| sync(n)),
                    peek: |scope, n| scope.with(|| sync::peek(n)),
                    invalidate: |scope, n| scope.with(|| sync::invalidate(n)).unwrap(),
                    clear: |scope| scope.with(sync::clear).unwrap(),
                },
                Subject {
                    kind: concat!("async::", stringify!($module)),
                    engine: $engine,
                    call: |scope, n| block_on(scope.run(asynchronous(n))),
                    peek: |scope, n| block_on(scope.run(asynchronous::peek(n))),
                    invalidate: |scope, n| block_on(scope.run(asynchronous::invalidate(n))).unwrap(),
                    clear: |scope| block_on(scope.run(asynchronous::clear())).unwrap(),
                },
                Subject {
                    kind: concat!("method::", stringify!($module)),
                    engine: $engine,
                    call: |scope, n| scope.with(|| Thing.method(n)),
                    peek: |scope, n| scope.with(|| Thing::method_memo().peek(n)),
                    invalidate: |scope, n| scope.with(|| Thing::method_memo().invalidate(n)).unwrap(),
                    clear: |scope| scope.with(|| Thing::method_memo().clear()).unwrap(),
                },
                Subject {
                    kind: concat!("generic::", stringify!($module)),
                    engine: $engine,
                    call: |scope, n| scope.with(|| generic(n as u32)),
                    peek: |scope, n| scope.with(|| generic::peek(n as u32)),
                    invalidate: |scope, n| scope.with(|| generic::invalidate(n as u32)).unwrap(),
                    clear: |scope| scope.with(generic::clear).unwrap(),
                },
            ];
        }
    };
}

subjects!(memory, "memory",);
subjects!(tiers, "memory", engine = ["memory", "matrix shelf"]);
subjects!(disk, "matrix disk", engine = "matrix disk");

/// Registers the engines, once.
fn engines() {
    static DISK: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let place = tempfile::tempdir().unwrap();
        let disk = Disk::open(DiskOptions::at(place.path().join("store"))).unwrap();
        memo::engines().register("matrix disk", disk);
        Shelf::named("matrix shelf");
        Shelf::named("other shelf");
        Shelf::named("broken shelf").fail(true);
        place
    });
    LazyLock::force(&DISK);
}

impl Subject {
    /// A key that no other test uses.
    fn fresh() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Asserts that the call computes.
    #[track_caller]
    fn computes(&self, within: Scope, n: u64) -> u64 {
        self.asked(within, n, 1)
    }

    /// Asserts that the call does not compute.
    #[track_caller]
    fn finds(&self, within: Scope, n: u64) -> u64 {
        self.asked(within, n, 0)
    }

    #[track_caller]
    fn asked(&self, within: Scope, n: u64, runs: u64) -> u64 {
        let before = RUNS.get();
        let result = (self.call)(within, n);
        assert_eq!(RUNS.get() - before, runs, "{}", self.kind);
        result
    }
}

/// Runs `test` with each kind of function in each kind of store. One test at a time: some clear them.
fn each(test: impl Fn(&Subject)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    engines();
    memory::ALL.iter().chain(&tiers::ALL).chain(&disk::ALL).for_each(test);
}

#[test]
fn bypass() {
    each(|subject| {
        let (known, unknown) = (Subject::fresh(), Subject::fresh());
        let stored = subject.computes(scope(), known);
        subject.computes(scope().bypass(), known);
        subject.computes(scope().bypass(), unknown);
        assert_eq!(subject.finds(scope(), known), stored);
        assert_eq!((subject.peek)(scope(), unknown), None);
    });
}

#[test]
fn refresh() {
    each(|subject| {
        let key = Subject::fresh();
        let first = subject.computes(scope(), key);
        let second = subject.computes(scope().refresh(), key);
        assert_ne!(first, second);
        assert_eq!(subject.finds(scope(), key), second);
        assert_eq!((subject.peek)(scope(), key), Some(second));
    });
}

#[test]
fn read_only() {
    each(|subject| {
        let (known, unknown) = (Subject::fresh(), Subject::fresh());
        let stored = subject.computes(scope(), known);
        assert_eq!(subject.finds(scope().read_only(), known), stored);
        subject.computes(scope().read_only(), unknown);
        subject.computes(scope().read_only(), unknown);
        assert_eq!((subject.peek)(scope(), unknown), None);
    });
}

#[test]
fn ttl() {
    each(|subject| {
        let key = Subject::fresh();
        subject.computes(scope().ttl(Duration::ZERO), key);
        assert_eq!((subject.peek)(scope(), key), None, "{}", subject.kind);
        let stored = subject.computes(scope().ttl("1h"), key);
        assert_eq!(subject.finds(scope(), key), stored);
    });
}

#[test]
fn engine() {
    each(|subject| {
        let key = Subject::fresh();
        subject.computes(scope(), key);
        let elsewhere = || scope().engine("memory");
        let stored = subject.computes(elsewhere(), key);
        assert_eq!(subject.finds(elsewhere(), key), stored);
        (subject.invalidate)(scope(), key);
        assert_eq!(((subject.peek)(scope(), key), (subject.peek)(elsewhere(), key)), (None, None));
        subject.computes(elsewhere(), key);
        (subject.clear)(scope());
        assert_eq!((subject.peek)(elsewhere(), key), None);
        // an engine that outlives the process, whatever the function says
        let elsewhere = || scope().engine("other shelf");
        subject.computes(scope(), key);
        subject.computes(elsewhere(), key);
        let found = elsewhere().record();
        let recording = found.recording();
        subject.finds(found, key);
        assert_eq!(recording.calls()[0].engine, Some("other shelf"));
        (subject.invalidate)(scope(), key);
        assert_eq!((subject.peek)(elsewhere(), key), None);
    });
}

#[test]
fn fallback() {
    each(|subject| {
        let (none, memory, elsewhere) = (Subject::fresh(), Subject::fresh(), Subject::fresh());
        // isolated, since to clear what is in a broken engine is an error
        let isolated = scope().isolated();
        let broken = || isolated.clone().engine("broken shelf");
        subject.computes(broken().fallback("none"), none);
        subject.computes(broken().fallback("none"), none);
        let stored = subject.computes(broken().fallback("memory"), memory);
        assert_eq!(subject.finds(broken().fallback("memory"), memory), stored);
        let stored = subject.computes(broken().fallback(["other shelf", "memory"]), elsewhere);
        assert_eq!(subject.finds(isolated.clone().engine("other shelf"), elsewhere), stored);
        assert_eq!(subject.finds(broken().fallback(["other shelf", "memory"]), elsewhere), stored);
        assert_eq!((subject.peek)(scope(), elsewhere), None);
    });
}

#[test]
fn the_plan_is_of_the_scope() {
    #[memoize(ttl = "5m")]
    fn planned(n: u64) -> u64 {
        n
    }
    engines();
    planned(1);
    assert_eq!(planned::plan().engines(), ["memory"]);
    let within = scope().engine(["memory", "other shelf"]).fallback("none");
    assert_eq!(within.with(planned::plan).engines(), ["memory", "other shelf"]);
    assert_eq!(scope().namespace("a").with(planned::plan), planned::plan());
}

#[test]
fn namespace() {
    each(|subject| {
        let key = Subject::fresh();
        let (a, b) = (|| scope().namespace("a"), || scope().namespace("b"));
        let outside = subject.computes(scope(), key);
        let in_a = subject.computes(a(), key);
        let in_b = subject.computes(b(), key);
        assert_eq!((subject.finds(a(), key), subject.finds(b(), key)), (in_a, in_b));
        (subject.invalidate)(a(), key);
        assert_eq!((subject.peek)(a(), key), None);
        assert_eq!((subject.finds(b(), key), subject.finds(scope(), key)), (in_b, outside));
        (subject.clear)(b());
        assert_eq!(((subject.peek)(b(), key), (subject.peek)(scope(), key)), (None, Some(outside)));
        subject.computes(a(), key);
        (subject.clear)(scope());
        assert_eq!(((subject.peek)(a(), key), (subject.peek)(scope(), key)), (None, None));
    });
}

#[test]
fn isolated() {
    each(|subject| {
        let key = Subject::fresh();
        let outside = subject.computes(scope(), key);
        let isolated = scope().isolated();
        let inside = subject.computes(isolated.clone(), key);
        assert_eq!(subject.finds(isolated.clone(), key), inside);
        subject.computes(scope().isolated(), key);
        // without an engine of its own, it is in memory
        let found = isolated.clone().record();
        let recording = found.recording();
        subject.finds(found, key);
        assert_eq!(recording.calls()[0].engine, Some("memory"));
        (subject.invalidate)(isolated.clone(), key);
        subject.computes(isolated.clone(), key);
        (subject.clear)(isolated.clone());
        assert_eq!((subject.peek)(isolated, key), None);
        assert_eq!(subject.finds(scope(), key), outside);
    });
}

#[test]
fn only() {
    each(|subject| {
        let key = Subject::fresh();
        subject.computes(scope().only("scopes::*").bypass(), key);
        subject.computes(scope().only("elsewhere::*").bypass(), key);
        subject.finds(scope(), key);
    });
}

#[test]
fn record() {
    each(|subject| {
        let key = Subject::fresh();
        let recorded = scope().record();
        let recording = recorded.recording();
        subject.computes(recorded.clone(), key);
        subject.finds(recorded.clone(), key);
        subject.computes(recorded.clone().bypass(), key);
        subject.computes(recorded.refresh(), key);
        let answers: Vec<_> = recording.calls().iter().map(|call| (call.answer, call.engine)).collect();
        let computed = (Answer::Computed, None);
        let hit = (Answer::Hit, Some(subject.engine));
        assert_eq!(answers, [computed, hit, computed, computed], "{}", subject.kind);
        assert_eq!((recording.computes("scopes::*"), recording.hits("elsewhere::*")), (3, 0));
    });
}

/// Two functions that are one to an engine, as one that is called in the next process is.
mod twice {
    use super::*;

    #[memoize(engine = ["memory", "near shelf", "far shelf"], name = "twice::f", code = "manual")]
    pub(super) fn first(n: u64) -> u64 {
        body(n)
    }

    #[memoize(engine = ["memory", "near shelf", "far shelf"], name = "twice::f", code = "manual")]
    pub(super) fn second(n: u64) -> u64 {
        body(n)
    }
}

#[test]
fn who_only_reads_moves_nothing_nearer() {
    let near = Shelf::named("near shelf");
    Shelf::named("far shelf");
    let stored = twice::first(1);
    near.entries().clear();
    let runs = RUNS.get();
    assert_eq!(scope().read_only().with(|| twice::second(1)), stored);
    assert_eq!((near.len(), twice::second::stats().entries), (0, 0));
    assert_eq!(twice::second(1), stored);
    assert_eq!((near.len(), twice::second::stats().entries), (1, 1));
    assert_eq!(RUNS.get(), runs);
}

#[test]
fn namespaces_are_the_same_in_the_next_process() {
    mod process {
        #[memo::memoize(engine = "lasting shelf", name = "lasting::f", code = "manual")]
        pub(super) fn first(n: u64) -> u64 {
            super::body(n)
        }

        #[memo::memoize(engine = "lasting shelf", name = "lasting::f", code = "manual")]
        pub(super) fn next(n: u64) -> u64 {
            super::body(n)
        }
    }
    let shelf = Shelf::named("lasting shelf");
    let within = |name: &str| scope().namespace(name);
    let (a, b) = (within("a").with(|| process::first(1)), within("b").with(|| process::first(1)));
    let runs = RUNS.get();
    assert_eq!(within("a").with(|| process::next(1)), a);
    assert_eq!(within("b").with(|| process::next(1)), b);
    assert_eq!(RUNS.get(), runs);
    // a namespace that this function has not met is cleared all the same
    assert_eq!(shelf.len(), 2);
    within("a").with(process::next::clear).unwrap();
    assert_eq!(shelf.len(), 1);
    // more namespaces than memory keeps stay in the engine
    for n in 0..300 {
        within(&format!("tenant-{n}")).with(|| process::first(1));
    }
    let runs = RUNS.get();
    for n in 0..300 {
        within(&format!("tenant-{n}")).with(|| process::first(1));
    }
    assert_eq!((RUNS.get(), shelf.len()), (runs, 301));
}

#[test]
fn what_is_isolated_leaves_nothing_in_an_engine() {
    #[memoize(engine = "bare shelf")]
    fn square(n: u64) -> u64 {
        n * n
    }
    let shelf = Shelf::named("bare shelf");
    square(1);
    let guard = scope().isolated().enter();
    square(1);
    assert_eq!(shelf.len(), 1, "in memory");
    let inner = scope().isolated().engine("bare shelf").enter();
    square(1);
    assert_eq!(shelf.len(), 2);
    drop(guard);
    assert_eq!(shelf.len(), 2);
    drop(inner);
    assert_eq!(shelf.len(), 1, "cleared as it ends");
    assert_eq!(square::peek(1), Some(1));
}
