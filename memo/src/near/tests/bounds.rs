//! Stores keep to their bounds.

use super::*;

#[test]
fn a_capacity_of_none_holds_none_and_of_one_the_last() {
    each(&[entries(0), Limits { max_weight: Some(5), ..entries(0) }, weight(0)], |near, _| {
        for key in 0..10_u64 {
            near.put(key, key);
            assert_eq!((near.look(key), near.entries()), (None, 0));
        }
    });
    each(&[entries(1), Limits { max_weight: Some(5), ..entries(1) }, weight(1)], |near, _| {
        for key in 0..10_u64 {
            near.put(key, key);
            assert_eq!((near.look(key), near.entries()), (Some(key), 1));
            assert_eq!(near.look(key.wrapping_sub(1)), None);
        }
        assert_eq!(near.counts().evicted, 9);
    });
}

#[test]
fn a_small_store_holds_as_many_as_it_says_and_the_newest_always() {
    for capacity in [2, 3, 10, 33, 63] {
        let both = Limits { max_weight: Some(1_000_000), ..entries(capacity) };
        each(&[entries(capacity), both], |near: Near<u64, u64>, _| {
            for key in 0..capacity {
                near.put(key, key);
                assert_eq!(near.entries(), key + 1);
            }
            assert_eq!(near.counts().evicted, 0);
            for key in 0..10 * capacity {
                // Some are used, so that the newcomer has competition.
                for old in 0..capacity / 2 {
                    near.look(old);
                    near.look(old);
                }
                near.put(key, key);
                assert_eq!(near.look(key), Some(key));
                assert_eq!(near.entries(), capacity);
            }
        });
    }
}

#[test]
fn what_is_used_outlasts_a_scan() {
    each(&[entries(100), entries(1000)], |near: Near<u64, u64>, limits| {
        let hot = limits.capacity.unwrap_or(0) / 10;
        for key in 0..hot {
            near.put(key, key);
        }
        for key in 1_000_000..1_020_000 {
            near.look(key % hot);
            near.put(key, key);
        }
        let left = (0..hot).filter(|&key| near.look(key).is_some()).count() as u64;
        assert!(left * 10 >= hot * 9, "{left} of {hot} left");
    });
}

#[test]
fn bounds_hold_while_threads_insert() {
    for capacity in [1, 2, 10, 100, 511, 512, 1000, 10_000, 12_345] {
        for kind in shared_kinds() {
            let near = make::<u64, Arc<u64>>(kind, &entries(capacity));
            // What moka holds beyond its bound is one entry for each thread inserting just now.
            let most = match kind {
                Kind::Memory => capacity,
                #[cfg(feature = "moka")]
                Kind::Moka => capacity + capacity / 10 + 4,
                Kind::Thread => unreachable!("threads do not share it"),
            };
            // moka's counting and maintenance take their time.
            let rounds = if matches!(kind, Kind::Memory) { 20_000 } else { 4 * capacity.min(1000) };
            thread::scope(|scope| {
                for thread in 0..4 {
                    let near = &near;
                    scope.spawn(move || {
                        let mut random = 1 + thread;
                        for round in 0..rounds {
                            random ^= random << 13;
                            random ^= random >> 7;
                            random ^= random << 17;
                            // Reuse of keys among what is new.
                            near.put(random % (3 * capacity), Arc::new(round));
                            near.look(random % 1009);
                            if round % 64 == 0 {
                                assert!(near.entries() <= most, "{} of {capacity}", near.entries());
                            }
                        }
                    });
                }
            });
            let counts = near.counts();
            assert!(counts.entries <= capacity, "{counts:?}");
            if matches!(kind, Kind::Memory) {
                assert!(counts.entries * 10 >= capacity * 9, "{counts:?} of {capacity}");
            }
            assert!(counts.evicted > 0 || rounds < 2 * capacity);
        }
    }
}

#[test]
fn without_a_bound_nothing_is_evicted() {
    each(&[Limits::default()], |near: Near<u64, u64>, _| {
        for key in 0..50_000 {
            near.put(key, key);
        }
        assert!((0..50_000).all(|key| near.look(key) == Some(key)));
        assert_eq!(near.counts(), NearCounts { entries: 50_000, weight: 50_000, ..NearCounts::default() });
    });
}

#[test]
fn weights_are_bounded_and_the_oversized_not_stored() {
    for bound in [10, 99, 100, 101, 5000, 1 << 26, 1 << 40] {
        let all = u32::try_from(bound).unwrap_or(u32::MAX);
        each(&[weight(bound)], |near: Near<u64, String>, _| {
            // The whole bound may be one entry.
            near.put_heavy(0, "all".into(), all);
            assert_eq!(near.look(0), Some("all".into()));
            assert_eq!(near.counts().weight, u64::from(all));
            near.put_heavy(1, "little".into(), 1);
            assert!(near.counts().weight <= bound + bound / 50);
            near.put_heavy(2, "replaced".into(), 1);
            near.put_heavy(2, "replaced".into(), 3);
            near.clear();
            assert_eq!(near.counts().weight, 0);
            near.put_heavy(3, "small".into(), 1);
            if let Some(more) = all.checked_add(1) {
                near.put_heavy(3, "too much".into(), more);
                assert_eq!(near.look(3), None);
                assert_eq!(near.counts().weight, 0);
            }
            for key in 0..3000 {
                near.put_heavy(key, "some".into(), (key % 7) as u32 * (all / 70).max(1));
                assert!(near.counts().weight <= bound + bound / 50, "{:?}", near.counts());
            }
        });
    }
}

#[test]
fn entries_that_weigh_nothing_are_bounded_as_well() {
    each(&[weight(100)], |near: Near<u64, u64>, _| {
        for key in 0..10_000 {
            near.put_heavy(key, key, 0);
        }
        assert!(near.entries() <= 110);
    });
}

#[test]
fn a_bound_on_both_bounds_both() {
    let both = |capacity, max_weight| Limits { max_weight: Some(max_weight), ..entries(capacity) };
    each(&[both(60, 100), both(3, 100), both(1000, 1 << 40), both(7, 70)], |near, limits| {
        let (most, heaviest) = (limits.capacity.unwrap_or(0), limits.max_weight.unwrap_or(0));
        for key in 0..20_000_u64 {
            near.put_heavy(key, key, (key % 11) as u32);
            if key % 64 == 0 {
                let counts = near.counts();
                assert!(counts.entries * 10 <= most * 11, "{counts:?}");
                assert!(counts.weight * 10 <= heaviest * 11, "{counts:?}");
            }
        }
        assert!(near.entries() > 0);
    });
}

#[test]
fn bounds_are_told_from_limits() {
    let bound = |limits, fine| Bound::new(&limits, fine);
    let free = bound(Limits::default(), true);
    assert!(free.admits(u32::MAX) && !free.weighs());
    let heavy = bound(weight(5), true);
    assert!(heavy.admits(5) && !heavy.admits(6) && heavy.weighs());
    assert_eq!((heavy.counts(0), heavy.counts(3)), (1, 3));
    let both = bound(Limits { capacity: Some(3), ..weight(100) }, true);
    assert_eq!((both.limit / both.counts(0), both.limit % both.counts(0)), (3, 0));
    assert!(both.admits(100) && !both.admits(101));
    let huge = bound(Limits { capacity: Some(10), ..weight(u64::MAX) }, true);
    assert_eq!(huge.limit / huge.counts(u32::MAX), 9);
    let coarse = bound(Limits { capacity: Some(10), ..weight(u64::MAX) }, false);
    assert_eq!((coarse.limit, coarse.counts(u32::MAX)), (10, 1));
}

/// Where a store says that it has taken other limits, it keeps to them, and what fits has stayed; where it says no, it
/// is as it was.
#[cfg(feature = "config")]
#[test]
fn limits_can_be_moved_or_stay() {
    let bounds = [entries(1000), weight(1000), Limits::default(), idle(HOUR)];
    each(&bounds, |near: Near<u64, u64>, before| {
        (0..500).for_each(|n| near.put(n, n));
        let full = near.entries();
        for after in [entries(2000), entries(100), Limits::default(), weight(5000), idle(HOUR), entries(700)]
        {
            let stored = near.entries();
            let moved = near.resize(&after);
            if !moved {
                assert_eq!(near.entries(), stored, "{after:?}");
                continue;
            }
            let most = after.capacity.unwrap_or(u64::MAX);
            assert!(near.entries() <= most, "{after:?}: {}", near.entries());
            if before.tti.is_none() && after.tti.is_none() && most >= full {
                assert!((0..500).all(|n| near.glance(n).is_none_or(|found| found == n)));
            }
            (0..500).for_each(|n| near.put(n, n));
            assert!(
                near.entries() <= most && near.entries() >= most.min(500) * 2 / 3,
                "{after:?}: {}",
                near.entries()
            );
        }
        assert_eq!(near.resize(&entries(300)), matches!(near.kind(), Kind::Memory | Kind::Thread));
    });
}
