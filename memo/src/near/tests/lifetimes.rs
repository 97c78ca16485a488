//! Lifetimes and idle times end, also when nobody looks.

use super::*;

#[test]
fn a_lifetime_ends() {
    let _alone = clock::alone();
    each(&[Limits::default(), entries(1000)], |near: Near<u64, String>, _| {
        near.put_for(1, "short".into(), 10 * HOUR);
        near.put_for(2, "long".into(), 20 * HOUR);
        near.put(3, "for ever".into());
        clock::advance(9 * HOUR);
        assert_eq!(near.look(1), Some("short".into()));
        clock::advance(2 * HOUR);
        assert_eq!(near.counts().entries, 3);
        assert_eq!(near.glance(1), None);
        assert_eq!(near.look(1), None);
        assert_eq!(near.counts(), NearCounts { entries: 2, weight: 2, expired: 1, ..NearCounts::default() });
        clock::advance(10 * HOUR);
        assert!(!near.take(2), "what has expired is not there");
        assert_eq!(near.look(3), Some("for ever".into()));
        assert_eq!(near.entries(), 1);
        // A new entry has a new lifetime, or none.
        near.put_for(1, "again".into(), HOUR / 2);
        near.put(1, "for ever".into());
        clock::advance(HOUR);
        assert_eq!(near.look(1), Some("for ever".into()));
    });
}

#[test]
fn a_short_lifetime_is_exact() {
    let _alone = clock::alone();
    each(&[entries(1000), idle(HOUR)], |near: Near<u64, u64>, _| {
        for length in [Duration::from_nanos(1), Duration::from_millis(1), Duration::from_millis(249)] {
            near.put_for(1, 1, length);
            let until = std::time::Instant::now() + length;
            while std::time::Instant::now() < until {
                std::hint::spin_loop();
            }
            assert_eq!(near.look(1), None, "{length:?}");
        }
    });
    each(&[idle(Duration::from_millis(200))], |near: Near<u64, u64>, _| {
        near.put(1, 1);
        near.look(1);
        clock::advance(Duration::from_millis(200));
        assert_eq!(near.look(1), None);
    });
}

#[test]
fn a_lifetime_of_zero_stores_nothing_and_removes_what_was_there() {
    let _alone = clock::alone();
    each(&[entries(1000), idle(HOUR)], |near: Near<u64, u64>, _| {
        near.put(1, 1);
        near.put_for(1, 2, Duration::ZERO);
        assert_eq!((near.look(1), near.entries()), (None, 0));
        near.put_for(1, 2, Duration::ZERO);
        assert_eq!((near.look(1), near.entries()), (None, 0));
    });
    each(&[idle(Duration::ZERO)], |near: Near<u64, u64>, _| {
        near.put(1, 1);
        near.put_for(2, 2, HOUR);
        assert_eq!((near.look(1), near.look(2), near.entries()), (None, None, 0));
    });
}

#[test]
fn absurd_lifetimes_never_end() {
    let _alone = clock::alone();
    let long = [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX - 1)];
    each(&[entries(1000), idle(Duration::MAX), idle(Duration::from_nanos(u64::MAX - 1))], |near, _| {
        for (key, length) in long.into_iter().enumerate() {
            near.put_for(key, key, length);
        }
        clock::advance(10_000 * HOUR);
        near.sweep();
        for key in 0..long.len() {
            assert_eq!((near.look(key), near.glance(key)), (Some(key), Some(key)));
        }
        assert_eq!(near.counts().entries, 3);
    });
}

#[test]
fn an_idle_time_starts_anew_with_each_read_but_not_with_a_peek() {
    let _alone = clock::alone();
    let tti = 10 * HOUR;
    each(&[idle(tti)], |near: Near<u64, u64>, _| {
        near.put(1, 1);
        near.put(2, 2);
        near.put_for(3, 3, tti * 2);
        for _ in 0..3 {
            clock::advance(tti * 6 / 10);
            assert_eq!(near.look(1), Some(1));
            near.glance(2);
            near.look(3);
        }
        assert_eq!(near.look(2), None, "only peeked at");
        assert_eq!(near.glance(1), Some(1));
        assert_eq!(near.look(3), Some(3));
        clock::advance(tti * 3 / 10);
        assert_eq!(near.look(3), None, "its lifetime is over, read or not");
        clock::advance(tti);
        assert_eq!(near.look(1), None);
        assert_eq!(near.counts(), NearCounts { expired: 3, ..NearCounts::default() });
    });
}

#[test]
fn expired_entries_leave_without_being_touched() {
    let _alone = clock::alone();
    for kind in shared_kinds() {
        let near: &'static Near<u64, Arc<u64>> = Box::leak(Box::new(make(kind, &entries(10_000))));
        sweep::register(near);
        let kept = Arc::new(0);
        for key in 0..1000 {
            near.put_for(key, kept.clone(), HOUR);
        }
        for key in 1000..1500 {
            near.put_for(key, kept.clone(), 3 * HOUR);
        }
        near.put(2000, kept.clone());
        assert_eq!(near.due().map(|due| due > clock::exact()), Some(true));
        sweep::sweep_now();
        assert_eq!(near.entries(), 1501);
        clock::advance(2 * HOUR);
        sweep::sweep_now();
        assert_eq!((near.entries(), near.counts().expired), (501, 1000));
        clock::advance(2 * HOUR);
        sweep::sweep_now();
        assert_eq!((near.entries(), near.counts().expired), (1, 1500));
        assert_eq!(near.due(), None);
        near.settle();
        if kind == Kind::Memory {
            assert_eq!(Arc::strong_count(&kept), 2);
        }
    }
}

#[test]
fn the_thread_sweeps_a_store_at_rest() {
    let _alone = clock::alone();
    for kind in shared_kinds() {
        let near: &'static Near<u64, u64> = Box::leak(Box::new(make(kind, &idle(HOUR))));
        // Before it is registered, too.
        near.put(0, 0);
        sweep::register(near);
        for key in 1..100 {
            near.put(key, key);
        }
        clock::advance(2 * HOUR);
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while near.entries() != 0 {
            assert!(std::time::Instant::now() < until, "{:?}", near.counts());
            thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(near.counts().expired, 100);
    }
}
