//! Changes by other processes are seen at once, also by a reader that has just read.

mod common;

use std::time::{Duration, Instant};

use common::{flush, key, open, payload, put, version};
use memo_engines::conformance::wait;
use memo_engines::{CircuitState, Disk, DiskOptions, Engine, Entry, GuardOptions, Guarded, utc_now};

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

#[test]
fn promise_18_one_who_reads_for_long_holds_up_nobody_who_writes() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(DiskOptions {
        max_size: 32 << 20,
        queue: 256 << 10,
        // Whoever waited for the reader once would lose a put.
        busy_timeout: Duration::from_secs(5),
        put_wait: Duration::from_secs(5),
        ..DiskOptions::at(directory.path())
    })
    .unwrap();
    put(&disk, 0, &Entry::new(payload(0, 1, 1000))).unwrap();
    flush(&disk);
    let index = directory.path().join("v1/index.1.sqlite");
    // As a shell does inside a transaction.
    let other = rusqlite::Connection::open(&index).unwrap();
    other.execute_batch("BEGIN").unwrap();
    let count = || other.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 1);
    for number in 1..=5000 {
        wait(disk.put(&key(number), &Entry::new(payload(number, 1, 1000)))).unwrap();
    }
    flush(&disk);
    assert_eq!((disk.stats().refused, disk.stats().failed), (0, 0));
    assert!((0..=5000).all(|number| read(&disk, number) == Some(1)));
    assert_eq!(count(), 1, "its snapshot stands");

    // The log is started over when the reader has gone, though nobody writes any more.
    let log = || std::fs::metadata(directory.path().join("v1/index.1.sqlite-wal")).unwrap().len();
    assert!(log() > 4 << 20, "nobody read from it: {}", log());
    drop(other);
    let until = Instant::now() + Duration::from_secs(30);
    while log() > 1 << 20 {
        assert!(Instant::now() < until, "a log of {} bytes", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn promise_18_a_queue_that_is_full_is_no_trouble_of_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(DiskOptions {
        queue: 64 << 10,
        busy_timeout: Duration::from_secs(60),
        ..DiskOptions::at(directory.path())
    })
    .unwrap();
    let entry = |number| Entry::new(payload(number, 1, 10_000));
    put(&disk, 0, &entry(0)).unwrap();
    flush(&disk);
    // Another process is in a long transaction of its own.
    let other = rusqlite::Connection::open(directory.path().join("v1/index.1.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // What puts wait for has nothing to do with it.
    let options = GuardOptions { budget: Duration::from_secs(30), ..GuardOptions::default() };
    let guarded = Guarded::new(disk, options);
    let mut dropped = 0;
    for number in 1..100 {
        dropped += u64::from(wait(guarded.put(&key(number), &entry(number))).is_err());
        assert_eq!(wait(guarded.get(&key(0))).unwrap(), Some(entry(0)));
    }
    assert!(dropped > 10, "only {dropped} did not fit");
    assert_eq!(guarded.circuit(), CircuitState::Closed);
    assert_eq!((guarded.stats().dropped, guarded.stats().failures), (dropped, 0));
    drop(other);
    wait(guarded.flush()).unwrap();
    wait(guarded.put(&key(200), &entry(200))).unwrap();
}
