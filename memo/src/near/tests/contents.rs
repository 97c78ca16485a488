//! What is stored is found, and what is removed is not.

use super::*;

#[test]
fn what_is_inserted_is_found_until_it_is_removed() {
    each(&[Limits::default(), entries(1000), weight(1000)], |near: Near<String, u64>, _| {
        assert_eq!(near.look("a".into()), None);
        assert!(!near.take("a".into()));
        near.put("a".into(), 1);
        near.put("b".into(), 2);
        assert_eq!((near.look("a".into()), near.glance("b".into())), (Some(1), Some(2)));
        assert_eq!(near.entries(), 2);
        assert!(near.take("a".into()));
        assert!(!near.take("a".into()));
        assert_eq!((near.look("a".into()), near.look("b".into())), (None, Some(2)));
        near.clear();
        assert_eq!((near.glance("b".into()), near.entries()), (None, 0));
        assert_eq!(near.counts(), NearCounts::default());
        near.put("b".into(), 3);
        assert_eq!(near.look("b".into()), Some(3));
    });
}

#[test]
fn an_insert_replaces_and_is_no_eviction() {
    each(&[Limits::default(), entries(10), weight(10)], |near: Near<u64, String>, _| {
        for round in 0..100 {
            for key in 0..10 {
                near.put(key, format!("{round}"));
            }
        }
        assert_eq!(near.counts(), NearCounts { entries: 10, weight: 10, ..NearCounts::default() });
        for key in 0..10 {
            assert_eq!(near.look(key), Some("99".into()));
        }
    });
}

#[test]
fn keys_of_one_hash_are_told_apart() {
    each(&[Limits::default(), entries(1000)], |near: Near<u64, u64>, _| {
        for key in 0..20 {
            near.insert(7, key, key * 10, 1, None);
        }
        for key in 0..20 {
            assert_eq!(near.get(7, Same(&key)), Some(key * 10));
        }
        assert!(near.remove(7, &Same(&5)));
        assert_eq!(near.get(7, Same(&5)), None);
        assert_eq!(near.get(7, Same(&6)), Some(60));
        assert_eq!(near.get(7, Same(&20)), None);
        assert_eq!(near.entries(), 19);
    });
}

/// The seam asks no more of its types than this.
#[test]
fn stores_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Near<String, Vec<u8>>>();
    fn told<T: Debug>(_: T) {}
    told((Kind::Memory, Limits::default(), NearCounts::default()));
}
