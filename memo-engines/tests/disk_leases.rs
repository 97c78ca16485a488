//! Leases on disk, among those who share a directory.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{key, nightly, payload};
use memo_engines::conformance::wait;
use memo_engines::{Disk, DiskOptions, Engine, Entry};

/// Takes leases, stores under them and gives them back, and looks all the time: "lease path".
#[test]
fn a_holder() {
    let Some(role) = common::role() else { return };
    let Some(path) = role.strip_prefix("lease ") else { return };
    hold(path.as_ref());
}

/// The longest that a lease took to come, under a log so small that it is written back every few leases.
fn hold(path: &std::path::Path) -> Duration {
    let disk = Disk::open(DiskOptions { max_size: 1 << 20, ..DiskOptions::at(path) }).unwrap();
    let ttl = Duration::from_secs(10);
    let mut longest = Duration::ZERO;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // readers that keep what they saw are what the others wait for
                (0..8).for_each(|number| drop(wait(disk.look(&key(number))).unwrap()));
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // also where this panics
        let _end = End(&done);
        for round in 0..if nightly() { 5000 } else { 500 } {
            let number = round % 8;
            let begun = Instant::now();
            let lease = wait(disk.lease(&key(number), ttl)).expect("the others are done in time");
            longest = longest.max(begun.elapsed());
            if let Some(lease) = lease {
                wait(disk.put(&key(number), &Entry::new(payload(number, round, 1000)))).unwrap();
                wait(disk.release(&key(number), &lease)).expect("the others are done in time");
            }
        }
    });
    longest
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nobody_waits_for_those_who_wait_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut others: Vec<_> = (0..2)
        .map(|_| common::child("a_holder", &format!("lease {}", path.display())).spawn().unwrap())
        .collect();
    let longest = hold(path);
    for other in &mut others {
        assert!(other.wait().unwrap().success(), "a lease failed there");
    }
    eprintln!("the longest lease took {longest:?}");
}
