//! Threads, and others who open the store, see whole entries and each other's changes.

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::support::{Open, about, get, is_about, key, put, space};
use crate::block_on::block_on as wait;
use crate::engine::{Capability, Change, Reach};

pub(super) fn threads(open: Open<'_>) {
    let engine = open();
    let engine = &*engine;
    let space = space();
    let until = Instant::now() + Duration::from_millis(300);
    thread::scope(|scope| {
        for worker in 0..4_u64 {
            scope.spawn(move || {
                let mut state = worker + 1;
                for version in 0.. {
                    if Instant::now() > until {
                        break;
                    }
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let key = key(space, (state >> 33) % 8);
                    match (state >> 40) % 10 {
                        0 => drop(wait(engine.remove(&key)).expect("failed to remove")),
                        1..4 => {
                            let len = 40 + (state >> 45) as usize % 3000;
                            put(engine, &key, &about(&key, version << 8 | worker, len));
                        }
                        _ => {
                            let found = get(engine, &key);
                            assert!(found.is_none_or(|entry| is_about(&entry, &key)), "mixed up");
                        }
                    }
                }
            });
        }
    });
}

pub(super) fn seen_by_others(open: Open<'_>) {
    let first = open();
    let Capability { persistent, reach, .. } = first.capability();
    let space = space();
    let (kept, dropped) = (key(space, 0), key(space, 1));
    for key in [&kept, &dropped] {
        put(&*first, key, &about(key, 0, 64));
    }
    wait(first.flush()).expect("failed to flush");
    if reach > Reach::Process {
        let second = open();
        assert_eq!(get(&*second, &kept), Some(about(&kept, 0, 64)));
        assert!(get(&*second, &dropped).is_some());
        assert!(wait(first.remove(&dropped)).expect("failed to remove"));
        assert_eq!(get(&*second, &dropped), None, "removed by another");
        put(&*first, &kept, &about(&kept, 1, 64));
        wait(first.flush()).expect("failed to flush");
        assert_eq!(get(&*second, &kept), Some(about(&kept, 1, 64)), "put by another");
        wait(second.clear(&space)).expect("failed to clear");
        assert_eq!(get(&*first, &kept), None, "cleared by another");
        put(&*first, &kept, &about(&kept, 0, 64));
        wait(first.flush()).expect("failed to flush");
    }
    if persistent {
        drop(first);
        assert_eq!(get(&*open(), &kept), Some(about(&kept, 0, 64)), "opened again");
    }
}

pub(super) fn changes_are_told(open: Open<'_>) {
    let engine = open();
    if !engine.capability().watches {
        return;
    }
    // only now: some engines can be opened once at a time
    let other = open();
    let (space, elsewhere) = (space(), space());
    let (tell, told) = mpsc::channel();
    let watcher: Arc<dyn Fn(Change) + Send + Sync> =
        Arc::new(move |change| tell.send(change).unwrap_or_default());
    engine.watch(&space, Arc::downgrade(&watcher));
    let next = || told.recv_timeout(Duration::from_secs(30)).expect("nothing is told");
    assert_eq!(next(), Change::Unknown, "from now on all is told");

    let of = |number| key(space, number);
    // its own changes are not reported, and neither are those of other spaces
    put(&*engine, &of(0), &about(&of(0), 0, 64));
    wait(engine.remove(&of(0))).expect("failed to remove");
    put(&*other, &key(elsewhere, 0), &about(&key(elsewhere, 0), 0, 64));
    wait(other.clear(&elsewhere)).expect("failed to clear");
    put(&*other, &of(1), &about(&of(1), 0, 64));
    wait(other.flush()).expect("failed to flush");
    assert_eq!(next(), Change::Entry(of(1)), "put");
    wait(other.remove(&of(1))).expect("failed to remove");
    assert_eq!(next(), Change::Entry(of(1)), "removed");
    wait(other.remove(&of(1))).expect("failed to remove");
    assert_eq!(next(), Change::Entry(of(1)), "removed where it was not: it may be elsewhere");
    let (_, witness) = wait(other.look(&of(2))).expect("failed to look");
    assert!(wait(other.put_if(&of(2), &about(&of(2), 0, 64), witness)).expect("failed to put"));
    assert_eq!(next(), Change::Entry(of(2)), "put with a witness");
    wait(other.clear(&space)).expect("failed to clear");
    assert_eq!(next(), Change::Space(space), "cleared");
    let many: Vec<_> = (10..20).map(|number| (of(number), about(&of(number), 0, 64))).collect();
    wait(other.put_many(&many)).expect("failed to put many");
    wait(other.flush()).expect("failed to flush");
    let put: BTreeSet<_> = many.iter().map(|_| format!("{:?}", next())).collect();
    assert_eq!(put, many.iter().map(|(key, _)| format!("{:?}", Change::Entry(*key))).collect());

    // the engine does not keep the watcher alive
    drop(watcher);
    wait(other.remove(&of(10))).expect("failed to remove");
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Err(mpsc::RecvTimeoutError::Disconnected));
}
