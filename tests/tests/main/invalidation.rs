//! Control while a computation is under way: the later word wins. Promise 6.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use memo::memoize;
use memo_tests::{AsyncGate, Gate, Task, watched};

/// A function whose first computation ends when it is told to; each computation gives another result, `1` the first.
macro_rules! slow {
    ($name:ident, $started:ident, $gate:ident) => {
        static $started: Gate = Gate::new();
        static $gate: Gate = Gate::new();
        #[memoize]
        fn $name(key: u32) -> u32 {
            static RUNS: AtomicU32 = AtomicU32::new(0);
            let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
            if run == 1 {
                $started.open();
                $gate.pass();
            }
            run
        }
    };
}

/// Runs `during` while the first computation is under way; its caller still gets its result.
fn during(slow: fn(u32) -> u32, started: &Gate, gate: &Gate, during: impl FnOnce()) {
    watched(|| {
        thread::scope(|scope| {
            let first = scope.spawn(|| slow(0));
            started.pass();
            during();
            gate.open();
            assert_eq!(first.join().unwrap(), 1);
        });
    });
}

#[test]
fn promise_6_what_was_invalidated_meanwhile_is_not_stored() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || slow::invalidate(0).unwrap());
    assert_eq!(slow::peek(0), None);
    assert_eq!(slow(0), 2);
}

#[test]
fn promise_6_what_was_cleared_meanwhile_is_not_stored() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || slow::clear().unwrap());
    assert_eq!(slow::peek(0), None);
}

#[test]
fn promise_6_what_was_cleared_by_name_meanwhile_is_not_stored() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || {
        let name = concat!(module_path!(), "::slow");
        memo::functions()
            .iter()
            .filter(|function| function.name() == name)
            .for_each(|it| it.clear().unwrap());
    });
    assert_eq!(slow::peek(0), None);
}

#[test]
fn promise_6_an_invalidation_of_another_key_does_not_matter() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || slow::invalidate(1).unwrap());
    assert_eq!(slow::peek(0), Some(1));
}

#[test]
fn promise_6_a_caller_after_the_invalidation_does_not_get_the_old_result() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || {
        slow::invalidate(0).unwrap();
        assert_eq!(slow(0), 2);
        assert_eq!(slow::peek(0), Some(2));
    });
    assert_eq!(slow::peek(0), Some(2), "nor does the old one replace the new one");
}

#[test]
fn promise_6_what_was_inserted_meanwhile_stays() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || {
        slow::insert(0, 99).unwrap();
        assert_eq!(slow(0), 99);
    });
    assert_eq!(slow::peek(0), Some(99));
}

#[test]
fn promise_6_what_was_refreshed_meanwhile_stays() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || assert_eq!(slow::refresh(0), 2));
    assert_eq!(slow::peek(0), Some(2));
}

#[test]
fn promise_6_an_uncached_call_changes_nothing() {
    slow!(slow, STARTED, GATE);
    during(slow, &STARTED, &GATE, || assert_eq!(slow::uncached(0), 2));
    assert_eq!(slow::peek(0), Some(1));
}

#[test]
fn promise_6_a_refresh_that_is_invalidated_is_not_stored() {
    slow!(slow, STARTED, GATE);
    during(slow::refresh, &STARTED, &GATE, || slow::invalidate(0).unwrap());
    assert_eq!(slow::peek(0), None);
}

#[test]
fn promise_6_callers_do_not_wait_for_a_refresh() {
    slow!(slow, STARTED, GATE);
    slow::insert(0, 50).unwrap();
    during(slow::refresh, &STARTED, &GATE, || assert_eq!(slow(0), 50));
    assert_eq!(slow::peek(0), Some(1));
}

#[test]
fn promise_6_of_two_refreshes_the_later_wins() {
    slow!(slow, STARTED, GATE);
    during(slow::refresh, &STARTED, &GATE, || assert_eq!(slow::refresh(0), 2));
    assert_eq!(slow::peek(0), Some(2));
}

#[test]
fn promise_6_those_who_waited_already_get_the_result() {
    static GATE: AsyncGate = AsyncGate::new();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[memoize]
    async fn slow(key: u32) -> u32 {
        let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
        GATE.pass().await;
        run
    }
    let mut leader = Task::started(slow(0));
    let mut before = Task::started(slow(0));
    Task::new(slow::invalidate(0)).ready().unwrap();
    let mut after = Task::started(slow(0));
    let mut follows = Task::started(slow(0));
    assert_eq!(RUNS.load(Ordering::SeqCst), 2, "whoever comes after computes, and one does for all");
    GATE.open();
    assert_eq!(leader.ready(), 1);
    assert_eq!(before.ready(), 1);
    assert_eq!(Task::new(slow::peek(0)).ready(), None);
    assert_eq!(after.ready(), 2);
    assert_eq!(follows.ready(), 2);
    assert_eq!(Task::new(slow::peek(0)).ready(), Some(2));
}

#[test]
fn promise_6_a_leader_cancelled_after_the_invalidation() {
    static GATE: AsyncGate = AsyncGate::new();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[memoize]
    async fn slow(key: u32) -> u32 {
        let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
        GATE.pass().await;
        run
    }
    let leader = Task::started(slow(0));
    let mut waiting = [Task::started(slow(0)), Task::started(slow(0))];
    Task::new(slow::clear()).ready().unwrap();
    drop(leader);
    for task in &mut waiting {
        assert!(task.is_woken());
        task.pending();
    }
    GATE.open();
    assert_eq!(waiting.each_mut().map(Task::ready), [2, 2], "one of them computes for both");
    assert_eq!(Task::new(slow::peek(0)).ready(), Some(2));
}

#[test]
fn promise_6_an_invalidation_between_two_leaders() {
    static GATE: AsyncGate = AsyncGate::new();
    #[memoize]
    async fn slow(key: u32) -> u32 {
        GATE.pass().await;
        key
    }
    let leader = Task::started(slow(0));
    let mut heir = Task::started(slow(0));
    drop(leader);
    // the heir has been told, and has not begun
    Task::new(slow::invalidate(0)).ready().unwrap();
    heir.pending();
    let mut other = Task::started(slow(0));
    GATE.open();
    assert_eq!((heir.ready(), other.ready()), (0, 0));
    assert_eq!(slow::stats().computes, 1);
    assert_eq!(Task::new(slow::peek(0)).ready(), Some(0), "it began after the invalidation");
}

#[test]
fn promise_6_a_computation_may_invalidate_itself() {
    #[memoize]
    fn volatile(n: u32) -> u32 {
        volatile::invalidate(n).unwrap();
        volatile::clear().unwrap();
        n
    }
    assert_eq!(watched(|| volatile(3)), 3);
    assert_eq!(volatile::peek(3), None);
}

/// However it goes, nobody sees a value that was computed before the last invalidation that ended before the call.
#[test]
fn promise_6_no_caller_ever_sees_what_is_older_than_the_invalidation() {
    static SOURCE: AtomicU32 = AtomicU32::new(0);
    #[memoize]
    fn read(key: u8) -> u32 {
        let seen = SOURCE.load(Ordering::SeqCst);
        thread::yield_now();
        seen
    }
    static INVALIDATED: AtomicU32 = AtomicU32::new(0);
    watched(|| {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while INVALIDATED.load(Ordering::SeqCst) < 5_000 {
                        let least = INVALIDATED.load(Ordering::SeqCst);
                        let seen = read(0);
                        assert!(seen >= least, "{seen} is older than {least}");
                    }
                });
            }
            for version in 1..=5_000 {
                SOURCE.store(version, Ordering::SeqCst);
                read::invalidate(0).unwrap();
                INVALIDATED.store(version, Ordering::SeqCst);
                if version % 16 == 0 {
                    thread::yield_now();
                }
            }
        });
    });
}
