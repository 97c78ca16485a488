//! What is removed or cleared is gone, and stays so.

use super::support::{Open, about, get, key, put, space};
use crate::block_on::block_on as wait;

pub(super) fn removed(open: Open<'_>) {
    let engine = open();
    let space = space();
    let (gone, stays) = (key(space, 0), key(space, 1));
    for key in [&gone, &stays] {
        put(&*engine, key, &about(key, 0, 64));
    }
    assert!(wait(engine.remove(&gone)).expect("failed to remove"));
    assert_eq!(get(&*engine, &gone), None);
    assert!(!wait(engine.remove(&gone)).expect("failed to remove again"));
    assert!(get(&*engine, &stays).is_some());
    put(&*engine, &gone, &about(&gone, 1, 64));
    assert!(get(&*engine, &gone).is_some(), "put again after it was removed");
}

pub(super) fn removal_after_put(open: Open<'_>) {
    let engine = open();
    let space = space();
    for number in 0..200 {
        let key = key(space, number);
        put(&*engine, &key, &about(&key, 0, 64));
        assert!(wait(engine.remove(&key)).expect("failed to remove"));
        assert_eq!(get(&*engine, &key), None);
    }
    wait(engine.flush()).expect("failed to flush");
    for number in 0..200 {
        assert_eq!(get(&*engine, &key(space, number)), None);
    }
}

pub(super) fn cleared(open: Open<'_>) {
    let engine = open();
    let (dropped, kept) = (space(), space());
    for number in 0..50 {
        for space in [dropped, kept] {
            let key = key(space, number);
            put(&*engine, &key, &about(&key, 0, 64));
        }
    }
    wait(engine.clear(&dropped)).expect("failed to clear");
    for number in 0..50 {
        assert_eq!(get(&*engine, &key(dropped, number)), None);
        assert!(get(&*engine, &key(kept, number)).is_some());
    }
    let again = key(dropped, 7);
    put(&*engine, &again, &about(&again, 1, 64));
    assert!(get(&*engine, &again).is_some(), "put after its space was cleared");
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &again), Some(about(&again, 1, 64)));
    assert!(wait(engine.remove(&again)).expect("failed to remove"));
}

pub(super) fn witnesses(open: Open<'_>) {
    let engine = open();
    let space = space();
    let (key, other) = (key(space, 0), key(space, 1));
    let entry = about(&key, 0, 64);
    let look = || wait(engine.look(&key)).expect("failed to look");
    let put_if = |witness| wait(engine.put_if(&key, &entry, witness)).expect("failed to put");

    let (found, witness) = look();
    assert_eq!(found, None);
    assert!(put_if(witness), "nothing happened since");
    assert_eq!(look().0, Some(entry.clone()));
    if !engine.capability().witnesses {
        return;
    }
    let (_, witness) = look();
    assert!(wait(engine.remove(&key)).expect("failed to remove"));
    put_if(witness);
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), None, "it was removed since");

    let (_, witness) = look();
    wait(engine.clear(&space)).expect("failed to clear");
    put_if(witness);
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), None, "its space was cleared since");

    put(&*engine, &key, &entry);
    let (found, witness) = look();
    assert!(found.is_some());
    wait(engine.remove(&other)).expect("failed to remove");
    assert!(put_if(witness), "another key was removed since");
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), Some(entry.clone()));
}
