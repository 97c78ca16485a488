//! Promise 13 in engines that outlive the process: keys that are equal are one entry whatever their order, and keys that
//! are not are never one, even where serde writes them alike.
#![cfg(feature = "engines")]

mod shelf;

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use shelf::Shelf;

/// A key of which serde leaves out what `Eq` sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Query {
    text: String,
    #[serde(skip)]
    page: u64,
}

fn query(page: u64) -> Query {
    Query { text: "text".to_owned(), page }
}

#[test]
fn promise_13_keys_that_serde_writes_alike_are_not_one() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    #[memo::memoize(engine = ["memory", "skipped"])]
    fn page(query: &Query) -> u64 {
        COMPUTES.fetch_add(1, Ordering::SeqCst);
        query.page
    }
    let shelf = Shelf::named("skipped");
    assert_eq!(page(&query(1)), 1);
    assert_eq!(shelf.len(), 1, "nothing is wrong yet");
    assert_eq!(page(&query(2)), 2);
    assert_eq!(shelf.len(), 0, "what is stored may be either's");
    for n in [1, 2, 3, 1, 2, 3] {
        assert_eq!(page(&query(n)), n);
    }
    assert_eq!(
        COMPUTES.load(Ordering::SeqCst),
        4,
        "hit: in memory, once what had come from the engine was dropped"
    );
    assert_eq!(shelf.len(), 0, "nothing is stored again");
}

#[test]
fn promise_13_memory_stands_in_for_engines_that_cannot_tell_keys_apart() {
    static COMPUTES: AtomicU64 = AtomicU64::new(0);
    #[memo::memoize(engine = "skipped far")]
    fn page(query: &Query) -> u64 {
        COMPUTES.fetch_add(1, Ordering::SeqCst);
        query.page
    }
    let shelf = Shelf::named("skipped far");
    assert_eq!((page(&query(1)), page(&query(2))), (1, 2));
    for n in [1, 2, 3, 1, 2, 3] {
        assert_eq!(page(&query(n)), n);
    }
    assert_eq!(COMPUTES.load(Ordering::SeqCst), 4, "hit: 2 and 3 at once, 1 since it was computed again");
    assert_eq!(shelf.len(), 0);
    assert_eq!(page::peek(&query(3)), Some(3));
    assert_eq!(page::peek(&query(4)), None);
}

#[test]
fn promise_13_peek_and_insert_tell_them_apart_too() {
    #[memo::memoize(engine = "skipped, peeked")]
    fn peeked(query: &Query) -> u64 {
        query.page
    }
    #[memo::memoize(engine = "skipped, inserted")]
    fn inserted(query: &Query) -> u64 {
        query.page
    }
    Shelf::named("skipped, peeked");
    assert_eq!(peeked(&query(1)), 1);
    assert_eq!(peeked::peek(&query(1)), Some(1));
    assert_eq!(peeked::peek(&query(2)), None);

    Shelf::named("skipped, inserted");
    assert_eq!(inserted(&query(1)), 1);
    inserted::insert(&query(2), 2).unwrap();
    assert_eq!((inserted(&query(1)), inserted(&query(2))), (1, 2));
}

/// A key with a set in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Tagged {
    name: String,
    tags: Option<HashSet<u64>>,
}

impl Hash for Tagged {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, self.tags.as_ref().map(HashSet::len)).hash(state);
    }
}

#[test]
fn promise_13_a_set_within_a_key_is_found_by_who_iterates_it_otherwise() {
    mod first {
        #[memo::memoize(engine = "sets", name = "sets::sum", code = "manual")]
        pub(super) fn sum(tagged: &super::Tagged) -> u64 {
            tagged.tags.iter().flatten().sum()
        }
    }
    mod second {
        #[memo::memoize(engine = "sets", name = "sets::sum", code = "manual")]
        pub(super) fn sum(_tagged: &super::Tagged) -> u64 {
            unreachable!("it is stored")
        }
    }
    Shelf::named("sets");
    let tagged =
        |tags: &mut dyn Iterator<Item = u64>| Tagged { name: "name".to_owned(), tags: Some(tags.collect()) };
    for most in [2, 10, 100] {
        let sum = first::sum(&tagged(&mut (0..most)));
        assert_eq!(second::sum(&tagged(&mut (0..most).rev())), sum, "hit: whatever the order of {most}");
    }
}
