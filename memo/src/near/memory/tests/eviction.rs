//! What leaves a full store, as far as users notice.

use super::*;

/// Asks for these, and stores what is not there; how many of a hundred were found.
fn asked(store: &Memory<u64, u64>, keys: impl Iterator<Item = u64>) -> u64 {
    let (mut calls, mut hits) = (0, 0);
    for key in keys {
        calls += 1;
        match store.get(hash(key), By(key)) {
            Some(_) => hits += 1,
            None => store.insert(hash(key), key, key, 1, None),
        }
    }
    100 * hits / calls
}

/// Whether that comes true: what is stored is refused for a while where another test's reader sleeps.
#[cfg(not(miri))]
fn in_the_end(mut is_so: impl FnMut() -> bool) -> bool {
    (0..200).any(|_| is_so())
}

#[cfg(not(miri))]
#[test]
fn a_loop_longer_than_the_store_does_not_wash_itself_out() {
    for length in [210, 300, 400, 800] {
        let store = Memory::<u64, u64>::new(&entries(200));
        let most = 100 * 200 / length;
        // And another loop takes over.
        for from in [0, 10_000] {
            let around = |times: u64| (0..times * length).map(move |at| from + at % length);
            asked(&store, around(40));
            let kept = in_the_end(|| asked(&store, around(20)) + 3 >= most);
            assert!(kept, "less than {most} of 100 in a loop of {length}");
        }
    }
}

#[cfg(not(miri))]
#[test]
fn what_comes_again_soon_or_never_is_found() {
    let store = Memory::<u64, u64>::new(&entries(400));
    // The main queue is full of what is never asked for again.
    asked(&store, 0..400);
    let mut random = Random(3);
    let mut from = 1_000;
    let mut half_are_found = || {
        from += 20_000;
        let soon = (from..from + 20_000).flat_map(|key| [key, key - 1 - random.next() % 50]);
        asked(&store, soon) >= 48
    };
    assert!(in_the_end(&mut half_are_found));
    // And back to what is used often.
    let mut random = Random(5);
    assert!(in_the_end(|| asked(&store, (0..20_000).map(|_| random.next() % 100)) >= 99));
}

#[test]
fn the_heavy_do_not_drive_out_what_is_used() {
    let store = Memory::<u64, u64>::new(&Limits { max_weight: Some(1000), ..Limits::default() });
    let weight = |key: u64| if key < 50 { 10 } else { 300 };
    let ask = |key: u64| {
        let found = store.get(hash(key), By(key)).is_some();
        if !found {
            store.insert(hash(key), key, key, weight(key), None);
        }
        assert!(store.counts().weight <= 1000);
        found
    };
    let mut hits = 0;
    for round in 0..times(200, 4) {
        hits += (0..50).filter(|&key| ask(key)).count() as u64;
        // Twice each, so that they have been used.
        ask(100 + round);
        ask(100 + round);
    }
    assert!(cfg!(miri) || hits > 200 * 50 * 8 / 10, "{hits}");
}
