//! Entries are fresh, then stale, then gone; and one at a time has the right to renew one.

use super::*;
use crate::clock::nanos;

/// An hour fresh, the last tenth of it looked at closely, and another hour stale.
fn beyond() -> Beyond {
    Beyond { stale: nanos(HOUR), close: nanos(HOUR) / 10 * 9, cost: 7 }
}

fn put_aged(near: &Near<u64, String>, key: u64, value: &str) {
    let life = Life { lifetime: Some(HOUR), beyond: Some(&beyond()) };
    near.insert(hash(key), key, value.into(), 1, life);
}

/// What is found of any age, and whether that gives the right to renew it, which is due once it is stale.
fn find(near: &Near<u64, String>, key: u64) -> Option<(String, Age, bool)> {
    let mut found = None;
    let (age, claimed) = near.get_aged(hash(key), Same(&key), &Age::is_stale, &mut found)?;
    Some((found?, age, claimed))
}

/// Those in which an entry can be stale, in stores that expect it, and in stores that do not.
fn each_aged(test: impl Fn(Near<u64, String>)) {
    for kind in shared_kinds() {
        for limits in [
            Limits { aged: true, ..entries(1000) },
            Limits { aged: true, tti: Some(100 * HOUR), ..Limits::default() },
            entries(1000),
            idle(100 * HOUR),
        ] {
            test(Near::new(kind, &limits, None));
        }
    }
}

#[test]
fn what_is_stale_is_found_by_those_who_ask_for_it() {
    let _alone = clock::alone();
    each_aged(|near| {
        put_aged(&near, 1, "one");
        let (value, age, claimed) = find(&near, 1).expect("it is fresh");
        assert_eq!((value.as_str(), age.cost, age.is_stale(), claimed), ("one", 7, false, false));
        assert_eq!(age.gone - age.made, 2 * nanos(HOUR));
        assert_eq!(near.look(1), Some("one".into()));
        clock::advance(HOUR);
        assert_eq!((near.look(1), near.glance(1)), (None, None));
        assert_eq!(near.entries(), 1, "a miss leaves it there");
        let (value, age, claimed) = find(&near, 1).expect("it is stale");
        assert_eq!((value.as_str(), age.is_stale(), claimed), ("one", true, true));
        near.sweep();
        assert!(find(&near, 1).is_some());
        clock::advance(HOUR);
        assert!(find(&near, 1).is_none());
        near.sweep();
        assert_eq!((near.entries(), near.counts().expired), (0, 1));
    });
}

#[test]
fn hits_look_closely_before_the_end() {
    let _alone = clock::alone();
    // in the built-in store, without an idle time
    let some_fast = Cell::new(false);
    each_aged(|near| {
        put_aged(&near, 1, "one");
        (0..5).for_each(|_| drop(near.look(1)));
        let is_fast = || matches!(near.get_fast(hash(1_u64), Same(&1)), Fast::Hit(_));
        let was_fast = is_fast();
        clock::advance(HOUR / 10 * 9);
        assert!(!is_fast());
        some_fast.set(some_fast.get() || was_fast);
        assert_eq!(near.look(1), Some("one".into()));
    });
    assert!(some_fast.get());
}

#[test]
fn one_has_the_right_to_renew() {
    let _alone = clock::alone();
    each_aged(|near| {
        put_aged(&near, 1, "one");
        clock::advance(HOUR);
        let claims = |near: &Near<u64, String>| find(near, 1).expect("it is stale").2;
        assert_eq!((claims(&near), claims(&near)), (true, false));
        near.with_ages(hash(1_u64), &Same(&1), &mut |ages| {
            ages.put_off(clock::exact());
        });
        assert!(!claims(&near), "it has failed just now");
        clock::advance(Duration::from_secs(2));
        assert!(claims(&near));
        assert_eq!(find(&near, 1).expect("it is stale").1.failures, 1);
        put_aged(&near, 1, "two");
        let (value, age, claimed) = find(&near, 1).expect("it is fresh");
        assert_eq!((value.as_str(), age.failures, claimed), ("two", 0, false));
    });
}

#[test]
fn what_is_expired_is_stale_at_once() {
    let _alone = clock::alone();
    each_aged(|near| {
        put_aged(&near, 1, "one");
        (0..5).for_each(|_| drop(near.look(1)));
        assert!(near.expire(hash(1_u64), &Same(&1)));
        assert!(!near.expire(hash(1_u64), &Same(&1)), "it is stale already");
        assert_eq!(near.look(1), None);
        assert!(find(&near, 1).expect("it is stale").2);
        clock::advance(HOUR);
        assert!(find(&near, 1).is_none(), "it is stale for an hour, not two");
        assert!(!near.expire(hash(2_u64), &Same(&2)));
        near.put(3, "for ever".into());
        assert!(near.expire(hash(3_u64), &Same(&3)));
        assert!(find(&near, 3).is_none(), "it cannot be stale");
    });
}

#[test]
fn entries_of_both_kinds_share_a_store() {
    let _alone = clock::alone();
    each_aged(|near| {
        for round in 0..3 {
            for key in 0..400 {
                match (key + round) % 2 {
                    0 => put_aged(&near, key, "aged"),
                    _ => near.put(key, "for ever".into()),
                }
            }
            for key in 0..400 {
                let (value, age, _) = find(&near, key).expect("it is there");
                let aged = (key + round) % 2 == 0;
                assert_eq!((value.as_str(), age.made != 0), (if aged { "aged" } else { "for ever" }, aged));
            }
        }
        (0..400).for_each(|key| assert!(near.take(key)));
        assert_eq!(near.entries(), 0);
    });
}
