//! What values tell of themselves.

use super::*;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

fn kept(value: &impl Serialize) -> Vec<u8> {
    content(value, Order::InSequences).unwrap()
}

fn told(value: &impl Serialize) -> Vec<u8> {
    content(value, Order::Everywhere).unwrap()
}

fn any(value: &impl Serialize) -> Vec<u8> {
    content(value, Order::InTuples).unwrap()
}

#[test]
fn promise_24_what_differs_tells_differently() {
    #[derive(serde::Serialize)]
    struct Sparse {
        #[serde(skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<u8>,
    }
    let all = [
        kept(&Option::<()>::None),
        kept(&Some(())),
        kept(&Some(Some(()))),
        kept(&Some(Option::<()>::None)),
        kept(&0.0_f64),
        kept(&-0.0_f64),
        kept(&f64::NAN),
        kept(&-f64::NAN),
        kept(&(vec![1_u8], vec![2_u8])),
        kept(&(vec![1_u8, 2], Vec::<u8>::new())),
        kept(&vec![1_u8, 2]),
        kept(&vec![2_u8, 1]),
        kept(&BTreeSet::from([1_u8, 3])),
        kept(&Sparse { a: Some(1), b: None }),
        kept(&Sparse { a: None, b: Some(1) }),
        kept(&HashMap::from([(1_u8, 2_u8)])),
        kept(&HashMap::from([(2_u8, 1_u8)])),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[n + 1..].contains(one), "{n}");
    }
}

#[test]
fn order_does_not_count_where_there_is_none() {
    let numbers: Vec<u32> = (0..3_000).collect();
    let forth: HashSet<u32> = numbers.iter().copied().collect();
    let back: HashSet<u32> = numbers.iter().rev().copied().collect();
    assert_eq!(kept(&forth), kept(&back));
    assert_eq!(kept(&Some(Arc::new(forth.clone()))), kept(&Some(Arc::new(back.clone()))));
    let by = |numbers: &HashSet<u32>| -> HashMap<u32, Vec<u32>> {
        numbers.iter().map(|n| (*n, (0..n % 7).collect())).collect()
    };
    assert_eq!(kept(&by(&forth)), kept(&by(&back)));

    let reversed: Vec<_> = numbers.iter().rev().collect();
    assert_ne!(kept(&numbers), kept(&reversed));
    assert_eq!(any(&numbers), any(&reversed));
    assert_ne!(told(&by(&forth)), told(&by(&back)));
    assert_ne!(any(&vec![1_u8, 1, 2]), any(&vec![1_u8, 2, 2]), "how often counts");
    assert_ne!(any(&(1_u8, 2_u8)), any(&(2_u8, 1_u8)), "a tuple has an order");
}

#[test]
fn what_is_long_is_hashed_as_it_comes() {
    let long = vec!["some text".to_owned(); 20_000];
    let mut other = long.clone();
    assert_eq!(kept(&long), kept(&other));
    other[19_999].push('!');
    assert_ne!(kept(&long), kept(&other));
    assert_ne!(any(&long), any(&other));
    let within = |texts: &[String]| HashMap::from([(1_u8, texts.to_vec()), (2, texts.to_vec())]);
    assert_eq!(kept(&within(&long)), kept(&within(&long)));
    assert_ne!(kept(&within(&long)), kept(&within(&other)));
}
