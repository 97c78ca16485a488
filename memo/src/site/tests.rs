//! Which record the code of an instantiation finds.

use std::convert::Infallible;

use super::*;

static FUNCTION: Family = Family::new("tests", "function");

type Record<K> = &'static Memo<K, u64, Infallible>;

fn site<const N: usize>() -> Site {
    Site::new(&FUNCTION, || (), Settings::new)
}

fn usual<S: Fn() -> Site, K: OwnedPart>(site: &S) -> Option<Record<K>> {
    Site::signposted(site)
}

fn come_by<S: Fn() -> Site, K: OwnedPart>(site: &S) -> Record<K> {
    site().memo_by(Code::of::<S>(), &Hooks::new)
}

/// What the code of an instantiation finds: the same each time, once it has come by. Miri gives a function another address now
/// and then, as a compiler may that makes copies of it.
fn found<S: Fn() -> Site, K: OwnedPart>(site: &S) -> Record<K> {
    let record = come_by::<S, K>(site);
    assert!(usual(site).map_or(cfg!(miri), |usual| std::ptr::eq::<Memo<K, _, _>>(usual, record)));
    record
}

/// Of this and the next instantiations: all that their code finds, by two ways each.
fn all<const N: usize>() -> [usize; 2] {
    let (one, other) = (|| site::<N>(), || site::<N>());
    let records = [found::<_, u64>(&one), found::<_, u64>(&other)];
    records.map(|record| std::ptr::from_ref(record).addr())
}

#[test]
fn each_instantiation_finds_its_record_whatever_code_looks_for_it() {
    macro_rules! instantiations {
        ($($n:literal)*) => { [$(all::<$n>),*] };
    }
    // more than there are lists
    let all =
        instantiations!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29);
    let before = all.map(|of| of());
    let distinct: std::collections::HashSet<_> = before.iter().map(|[one, _]| one).collect();
    assert_eq!(distinct.len(), all.len());
    assert!(before.iter().all(|[one, other]| one == other), "two pieces of code, one record");
    assert_eq!(all.map(|of| of()), before, "and when there are many");
}

#[test]
fn a_record_is_never_taken_for_one_of_other_types() {
    let site = || site::<1000>();
    let numbers = found::<_, u64>(&site);
    assert!(usual::<_, String>(&site).is_none());
    let texts = found::<_, String>(&site);
    assert_ne!(std::ptr::from_ref(numbers).addr(), std::ptr::from_ref(texts).addr());
    assert!(std::ptr::eq(found::<_, u64>(&site), numbers));
}

#[test]
fn threads_that_come_by_together_find_one_record() {
    let barrier = std::sync::Barrier::new(4);
    let records = std::thread::scope(|scope| {
        let come = || {
            barrier.wait();
            std::ptr::from_ref(found::<_, u64>(&|| site::<2000>())).addr()
        };
        [(); 4].map(|()| scope.spawn(come)).map(|thread| thread.join().unwrap())
    });
    assert!(records.iter().all(|record| *record == records[0]));
}
