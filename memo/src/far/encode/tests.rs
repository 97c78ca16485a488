//! The encoding of keys.

use super::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

#[derive(serde::Serialize)]
enum Shape {
    Dot,
    Circle(f64),
    Box { wide: u8, high: u8 },
}

fn hex(value: &impl Serialize) -> String {
    encode(value).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn promise_13_the_encoding_is_pinned() {
    assert_eq!(hex(&1_u32), "0a01000000");
    assert_eq!(hex(&-1_i8), "03ff");
    assert_eq!(hex(&(true, false)), "17020100");
    assert_eq!(hex(&"ab"), "1002000000000000006162");
    assert_eq!(hex(&Some(())), "1314");
    assert_eq!(hex(&Option::<u8>::None), "12");
    assert_eq!(hex(&vec![1_u8, 2]), "160801080200");
    assert_eq!(hex(&Shape::Dot), "1a0300000000000000446f7414");
    assert_eq!(hex(&Shape::Circle(1.0)), "1a0600000000000000436972636c650e000000000000f03f");
    assert_eq!(
        hex(&Shape::Box { wide: 1, high: 2 }),
        "1a0300000000000000426f7819100400000000000000776964650801100400000000000000686967680802\
         00"
    );
    assert_eq!(hex(&BTreeMap::from([(2_u8, 'b'), (1, 'a')])), "1808010f6100000008020f6200000000");
    assert_eq!(hex(&7_usize), hex(&7_u64));
}

#[test]
fn promise_13_maps_are_equal_whatever_their_order() {
    let numbers: Vec<u32> = (0..500).collect();
    let forth: HashMap<_, _> = numbers.iter().map(|n| (*n, n.to_string())).collect();
    let back: HashMap<_, _> = numbers.iter().rev().map(|n| (*n, n.to_string())).collect();
    assert_eq!(encode(&forth).unwrap(), encode(&back).unwrap());
}

/// A set and another one that is equal and iterates in another order.
fn sets() -> (HashSet<String>, HashSet<String>) {
    let texts = || (0..100).map(|n| n.to_string());
    (texts().collect(), texts().rev().collect())
}

#[derive(serde::Serialize)]
struct Newtype<T>(T);

#[test]
fn promise_13_sets_are_equal_whatever_their_order_and_wherever_they_are() {
    let (forth, back) = sets();
    assert_ne!(forth.iter().collect::<Vec<_>>(), back.iter().collect::<Vec<_>>());

    #[derive(serde::Serialize)]
    enum Either<T> {
        One(T),
        Two(u8, T),
        Three { set: T },
    }
    fn all(set: &HashSet<String>) -> Vec<Vec<u8>> {
        let set = || set.clone();
        let plain = encode(&set()).unwrap();
        let all = [
            encode(&&set()),
            encode(&Box::new(Arc::new(set()))),
            encode(&(1, set())),
            encode(&vec![set()]),
            encode(&[set()]),
            encode(&Some(set())),
            encode(&Some(Box::new(set()))),
            encode(&Newtype(set())),
            encode(&Newtype(Some(Arc::new(set())))),
            encode(&BTreeMap::from([(1, set())])),
            encode(&Either::One(set())),
            encode(&Either::Two(1, set())),
            encode(&Either::Three { set: set() }),
        ];
        [plain].into_iter().chain(all.map(Result::unwrap)).collect()
    }
    assert_eq!(all(&forth), all(&back));
    let mut fewer = forth.clone();
    fewer.remove("7");
    assert!(all(&fewer).iter().zip(all(&forth)).all(|(fewer, all)| *fewer != all));
    // as a sequence, in the order of what its elements become
    let ordered: BTreeSet<u8> = (1..5).collect();
    assert_eq!(hex(&ordered), hex(&ordered.iter().copied().collect::<HashSet<u8>>()));
}

#[test]
fn the_order_of_what_is_no_set_counts() {
    assert_ne!(hex(&vec![1, 2]), hex(&vec![2, 1]));
    assert_ne!(hex(&Newtype(vec![1, 2])), hex(&Newtype(vec![2, 1])));
    let (forth, back) =
        (vec![HashSet::from([1]), HashSet::from([2])], vec![HashSet::from([2]), HashSet::from([1])]);
    assert_ne!(hex(&forth), hex(&back), "of the vector");
}

#[test]
fn zeros_are_one_and_nans_are_one() {
    assert_eq!(hex(&-0.0_f64), hex(&0.0_f64));
    assert_eq!(hex(&f64::from_bits(0x7ff8_0000_0000_0001)), hex(&-f64::NAN));
    assert_ne!(hex(&0.0_f32), hex(&0.0_f64));
}

#[test]
fn promise_13_what_could_run_together_does_not() {
    let all: Vec<Vec<u8>> = vec![
        encode(&("a", "bc")).unwrap(),
        encode(&("ab", "c")).unwrap(),
        encode(&vec!["a", "bc"]).unwrap(),
        encode(&(vec![1_u8], vec![2_u8])).unwrap(),
        encode(&(vec![1_u8, 2], Vec::<u8>::new())).unwrap(),
        encode(&(Some(1_u8), Option::<u8>::None)).unwrap(),
        encode(&(Option::<u8>::None, Some(1_u8))).unwrap(),
        encode(&Some(Option::<u8>::None)).unwrap(),
        encode(&Option::<Option<u8>>::None).unwrap(),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[n + 1..].contains(one), "{n}");
    }
}
