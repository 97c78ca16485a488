//! Promise 10 for the disk: it keeps to its size under load, by several processes, and at rest.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{Random, flush, key, nightly, payload, put, size};
use memo_engines::conformance::wait;
use memo_engines::{Disk, DiskOptions, Engine, Entry, utc_now};

const CAP: u64 = 8 << 20;

fn options(path: &Path) -> DiskOptions {
    DiskOptions {
        max_size: CAP,
        large_over: 32 << 10,
        touch_after: Duration::ZERO,
        // A busy machine is not what is tested.
        wait: Duration::from_secs(60),
        busy_timeout: Duration::from_secs(30),
        ..DiskOptions::at(path)
    }
}

/// Writes much more than the cap: "fill seed path".
#[test]
fn filler() {
    let Some(role) = common::role() else { return };
    let mut parts = role.splitn(3, ' ');
    let (Some("fill"), Some(seed), Some(path)) = (parts.next(), parts.next(), parts.next()) else { return };
    fill(
        &Disk::open(options(Path::new(path))).unwrap(),
        seed.parse().unwrap(),
        if nightly() { 10 } else { 3 },
    );
}

fn fill(disk: &Disk, seed: u64, times: u64) {
    let mut random = Random::seeded(seed);
    let mut written = 0;
    for version in 0.. {
        let number = random.next() >> 8;
        let len =
            if random.below(20) == 0 { 40_000 + random.below(300_000) } else { 100 + random.below(8000) };
        put(disk, number, &Entry::new(payload(number, version, len))).unwrap();
        written += len as u64;
        if written > times * CAP {
            break;
        }
    }
    flush(disk);
}

#[test]
fn promise_10_two_processes_never_exceed_the_cap_by_a_tenth() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let disk = Disk::open(options(path)).unwrap();
    let mut fillers: Vec<_> = (1..=2)
        .map(|seed| common::child("filler", &format!("fill {seed} {}", path.display())).spawn().unwrap())
        .collect();
    let (mut most, mut parts) = (0, (0, 0, 0));
    while fillers.iter_mut().any(|filler| filler.try_wait().unwrap().is_none()) {
        let now = size(path);
        if now > most {
            most = now;
            let part =
                |name: &str| std::fs::metadata(path.join("v1").join(name)).map_or(0, |file| file.len());
            parts = (part("index.1.sqlite"), part("index.1.sqlite-wal"), size(&path.join("v1/content")));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(fillers.into_iter().all(|mut filler| filler.wait().unwrap().success()));
    eprintln!("at most {:.3} of the cap; index, log, content: {parts:?}", most as f64 / CAP as f64);
    assert!(most <= CAP / 10 * 11, "{most} bytes for a cap of {CAP}");
    assert!(most >= CAP / 2, "{most} bytes: it evicts for no reason");
    drop(disk);
}

#[test]
fn what_is_read_stays_and_what_is_not_goes() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(options(directory.path())).unwrap();
    let entry = Entry::new(vec![1; 4000]);
    for number in 0..1500 {
        put(&disk, number, &entry).unwrap();
    }
    flush(&disk);
    std::thread::sleep(Duration::from_millis(5));
    for number in 0..100 {
        assert!(wait(disk.get(&key(number))).unwrap().is_some());
    }
    flush(&disk);
    for number in 2000..3000 {
        put(&disk, number, &entry).unwrap();
    }
    flush(&disk);
    let left = |numbers: std::ops::Range<u64>| {
        numbers.filter(|number| wait(disk.get(&key(*number))).unwrap().is_some()).count()
    };
    assert_eq!(left(0..100), 100, "used lately");
    assert!(left(100..1500) < 1400, "something had to go");
    assert!(disk.stats().evicted > 0);
}

#[test]
fn promise_10_the_expired_leave_without_being_touched_and_before_others() {
    let directory = tempfile::tempdir().unwrap();
    let options = DiskOptions { sweep_every: Duration::from_millis(50), ..options(directory.path()) };
    let disk = Disk::open(options).unwrap();
    let soon = utc_now() + 100;
    for number in 0..500 {
        put(&disk, number, &Entry::new(vec![1; 1000]).expires_at(soon)).unwrap();
        put(&disk, 1000 + number, &Entry::new(vec![1; 1000])).unwrap();
    }
    flush(&disk);
    let until = Instant::now() + Duration::from_secs(10);
    while disk.stats().expired < 500 {
        assert!(Instant::now() < until, "{:?}", disk.stats());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(disk.stats().evicted, 0);
}

#[test]
fn promise_10_a_key_that_is_rewritten_does_not_grow() {
    let times = if nightly() { 100_000 } else { 10_000 };
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(DiskOptions::at(directory.path())).unwrap();
    let rewrite = |times: u64| {
        for version in 0..times {
            put(&disk, 1, &Entry::new(payload(1, version, 1000 + version as usize % 100))).unwrap();
        }
        flush(&disk);
        size(directory.path())
    };
    rewrite(100);
    let (first, then) = (rewrite(times), rewrite(times));
    // SQLite's log is its bound, whatever is written; beyond it nothing is added.
    let log = 17 << 20;
    assert!(then <= first.max(log), "{first} bytes, then {then}");
    let index = std::fs::metadata(directory.path().join("v1/index.1.sqlite")).unwrap().len();
    assert!(index < 200_000, "an index of {index} bytes for one key");
}

#[test]
fn promise_14_content_files_that_nobody_names_are_swept_and_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(options(directory.path())).unwrap();
    put(&disk, 1, &Entry::new(payload(1, 1, 100_000))).unwrap();
    flush(&disk);
    let content = directory.path().join("v1/content");
    std::fs::write(content.join("00000000000000ab"), b"left behind").unwrap();
    std::fs::write(content.join("not one of ours"), b"left alone").unwrap();
    disk.sweep().unwrap();
    assert!(!content.join("00000000000000ab").exists());
    assert!(content.join("not one of ours").exists());
    assert!(wait(disk.get(&key(1))).unwrap().is_some());
    assert!(wait(disk.remove(&key(1))).unwrap());
    flush(&disk);
    assert_eq!(std::fs::read_dir(&content).unwrap().count(), 1, "removed with its entry");
}

#[test]
fn what_was_cleared_is_swept() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(options(directory.path())).unwrap();
    for number in 0..1500 {
        put(&disk, number, &Entry::new(payload(number, 1, 2000))).unwrap();
    }
    put(&disk, 2000, &Entry::new(payload(2000, 1, 100_000))).unwrap();
    flush(&disk);
    let begun = Instant::now();
    wait(disk.clear(&key(0).space)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "clearing is one row");
    put(&disk, 5, &Entry::new(payload(5, 2, 100))).unwrap();
    disk.sweep().unwrap();
    assert_eq!(std::fs::read_dir(directory.path().join("v1/content")).unwrap().count(), 0);
    assert!(wait(disk.get(&key(5))).unwrap().is_some());
    assert_eq!(wait(disk.get(&key(6))).unwrap(), None);
    assert_eq!(wait(disk.keys(&key(0).space, None, 10)).unwrap(), [key(5)]);
}
