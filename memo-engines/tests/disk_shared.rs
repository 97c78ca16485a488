//! What others write is seen at once, also by a reader that has just read.

mod common;

use common::{flush, key, open, payload, put, version};
use memo_engines::conformance::wait;
use memo_engines::{Disk, Engine, Entry, utc_now};

fn read(disk: &Disk, number: u64) -> Option<u64> {
    let entry = wait(disk.get(&key(number))).unwrap()?;
    Some(version(number, &entry.bytes).expect("an entry that nobody wrote"))
}

#[test]
fn what_was_read_is_given_out_again_only_while_nothing_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let (here, there) = (open(directory.path()), open(directory.path()));
    let write = |at: u64| {
        put(&there, 1, &Entry::new(payload(1, at, 1000))).unwrap();
        flush(&there);
    };
    for round in 0..50 {
        write(2 * round);
        // Often enough to be found where it was read, in each way there is.
        assert!((0..5).all(|_| read(&here, 1) == Some(2 * round)), "{round}");
        match round % 3 {
            0 => drop(wait(there.remove(&key(1))).unwrap()),
            1 => wait(there.clear(&key(1).space)).unwrap(),
            _ => write(2 * round + 1),
        }
        let now = (round % 3 == 2).then_some(2 * round + 1);
        assert!((0..5).all(|_| read(&here, 1) == now), "{round}");
    }
}

#[test]
fn what_was_read_is_not_given_out_when_its_time_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let disk = open(directory.path());
    let end = utc_now() + 200;
    put(&disk, 1, &Entry::new(payload(1, 1, 1000)).expires_at(end)).unwrap();
    flush(&disk);
    while utc_now() < end {
        let found = read(&disk, 1);
        assert!(found == Some(1) || utc_now() >= end);
    }
    assert!((0..5).all(|_| read(&disk, 1).is_none()));
}

#[test]
fn promise_12_a_row_that_another_key_has_taken_over_is_not_mistaken() {
    let directory = tempfile::tempdir().unwrap();
    let (here, there) = (open(directory.path()), open(directory.path()));
    for round in 0..20 {
        for number in 0..100 {
            put(&there, number, &Entry::new(payload(number, round, 1000))).unwrap();
        }
        flush(&there);
        assert!((0..100).all(|number| read(&here, number) == Some(round)));
        // All rows go, and come back for other keys in another order.
        for number in 0..100 {
            wait(there.remove(&key(number))).unwrap();
        }
        for number in (50..150).rev() {
            put(&there, number, &Entry::new(payload(number, round, 1000))).unwrap();
        }
        flush(&there);
        assert!((0..150).all(|number| read(&here, number) == (number >= 50).then_some(round)), "{round}");
        for number in 100..150 {
            wait(there.remove(&key(number))).unwrap();
        }
    }
}
