//! Promise 14: `kill -9` at any time, two writers, a reader: whole old, whole new, or a miss.

mod common;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Random, key, nightly, payload, version};
use memo_engines::conformance::wait;
use memo_engines::{Disk, DiskOptions, Engine, Entry};

const KEYS: usize = 48;

/// What the harness runs: the disk, or a naive store in which it must find errors.
trait Store {
    fn store(&self, number: u64, bytes: Vec<u8>);
    fn load(&self, number: u64) -> Option<Vec<u8>>;
}

impl Store for Disk {
    fn store(&self, number: u64, bytes: Vec<u8>) {
        // What does not fit into the queue is not stored.
        let _ = wait(self.put(&key(number), &Entry::new(bytes)));
    }

    fn load(&self, number: u64) -> Option<Vec<u8>> {
        wait(self.get(&key(number))).expect("failed to get").map(|entry| entry.bytes.into_vec())
    }
}

/// A file per key, written in place.
struct Naive(PathBuf);

impl Store for Naive {
    fn store(&self, number: u64, bytes: Vec<u8>) {
        let mut file = File::create(self.0.join(number.to_string())).unwrap();
        for part in bytes.chunks(4096) {
            file.write_all(part).unwrap();
        }
    }

    fn load(&self, number: u64) -> Option<Vec<u8>> {
        fs::read(self.0.join(number.to_string())).ok()
    }
}

fn store(kind: &str, path: &Path) -> Box<dyn Store> {
    match kind {
        "naive" => Box::new(Naive(path.to_owned())),
        _ => Box::new(
            Disk::open(DiskOptions { large_over: 16 << 10, ..DiskOptions::at(path) }).expect("opens"),
        ),
    }
}

/// A writer: "kind seed path". Writes until it is killed.
#[test]
fn writer() {
    let Some(role) = common::role() else { return };
    let mut parts = role.splitn(3, ' ');
    let (kind, seed, path) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let store = store(kind, Path::new(path));
    let mut random = Random::seeded(seed.parse().unwrap());
    for version in 0.. {
        let number = random.below(KEYS) as u64;
        let len = if random.below(4) == 0 { 30_000 } else { 24 + random.below(3000) };
        store.store(number, payload(number, version, len));
        if random.below(50) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Reads everything. Returns how many values were neither whole nor missing.
fn wrong(store: &dyn Store, found: &mut u64) -> u64 {
    (0..KEYS as u64)
        .filter(|number| {
            let bytes = store.load(*number);
            *found += u64::from(bytes.is_some());
            bytes.is_some_and(|bytes| version(*number, &bytes).is_none())
        })
        .count() as u64
}

/// Kills writers. Returns how many wrong values there were.
fn kill_writers(kind: &str, kills: usize) -> u64 {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut random = Random::new();
    let start = |random: &mut Random| {
        let role = format!("{kind} {} {}", random.next(), path.display());
        let until = Instant::now() + Duration::from_millis(15 + random.below(60) as u64);
        (common::child("writer", &role).spawn().expect("this binary runs"), until)
    };
    let mut reader = store(kind, path);
    let (mut wrongs, mut found) = (0, 0);
    let mut writers = vec![start(&mut random), start(&mut random)];
    for killed in 1..=kills {
        let next = if writers[0].1 < writers[1].1 { 0 } else { 1 };
        while Instant::now() < writers[next].1 {
            wrongs += wrong(&*reader, &mut found);
        }
        common::kill(writers.swap_remove(next).0);
        wrongs += wrong(&*reader, &mut found);
        if killed % 10 == 0 {
            // Another who opens it finds it whole too.
            reader = store(kind, path);
            wrongs += wrong(&*reader, &mut found);
        }
        writers.push(start(&mut random));
    }
    writers.into_iter().for_each(|(writer, _)| common::kill(writer));
    eprintln!("{kind}: {kills} kills, {found} values read, {wrongs} wrong");
    assert!(found > kills as u64, "the writers wrote next to nothing");
    if kind == "disk" {
        let damaged = fs::read_dir(path.join("v1")).unwrap().flatten();
        let damaged =
            damaged.filter(|file| file.file_name().to_string_lossy().starts_with("damaged")).count();
        assert_eq!(damaged, 0, "a store was given up");
        // What they left half done is swept.
        let disk = Disk::open(DiskOptions { large_over: 16 << 10, ..DiskOptions::at(path) }).unwrap();
        disk.sweep().unwrap();
        let contents = fs::read_dir(path.join("v1/content")).unwrap().count();
        assert!(contents <= KEYS, "{contents} content files for {KEYS} keys");
    }
    wrongs
}

#[test]
fn promise_14_killed_writers_leave_whole_values_or_none() {
    assert_eq!(kill_writers("disk", if nightly() { 2000 } else { 60 }), 0);
}

#[test]
fn promise_14_the_harness_catches_a_naive_writer() {
    assert!((0..5).any(|_| kill_writers("naive", 40) > 0), "the harness sees nothing");
}

/// Takes a lease and hangs: "lease path".
#[test]
fn holder() {
    let Some(role) = common::role() else { return };
    let Some(path) = role.strip_prefix("lease ") else { return };
    let disk = common::open(Path::new(path));
    wait(disk.lease(&key(1), Duration::from_secs(600))).unwrap().expect("nobody holds it");
    wait(disk.put(&key(2), &Entry::new(vec![1]))).unwrap();
    common::flush(&disk);
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn promise_14_the_lease_of_a_killed_process_is_taken_over_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let disk = common::open(directory.path());
    let role = format!("lease {}", directory.path().display());
    let holder = common::child("holder", &role).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while wait(disk.get(&key(2))).unwrap().is_none() {
        assert!(Instant::now() < until, "the other process does not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ask = || wait(disk.lease(&key(1), Duration::from_secs(1))).unwrap();
    assert_eq!(ask(), None, "it lives, and holds it");
    common::kill(holder);
    assert!(ask().is_some(), "it is dead");
    assert_eq!(ask(), None, "taken over, once");
}
