//! A disk that hangs: calls of one kind to the system take seconds, for a while. Nobody who calls a memoized function
//! waits for it, and when it is well again it is used again. (A read that hangs without warning keeps who is inside it,
//! unless the guard is strict: see `memo_engines::guarded`.)

use std::path::Path;
use std::time::{Duration, Instant};

use memo::engine::{CircuitState, GuardOptions};
use memo::memoize;
use memo_tests::strace::{available, child, traced};

use crate::workload::{ROLE, options, register, store_paths};

/// How long the first call takes that a thread makes to the store.
const HANGS: Duration = Duration::from_secs(3);
/// What no call of a function takes, with a budget of 100 ms: it did not wait for the disk.
const PATIENCE: Duration = Duration::from_millis(1500);

#[memoize(engine = "disk", name = "hanging::slowly", code = "manual")]
fn slowly(n: u64) -> u64 {
    n * n
}

/// Calls until the disk has hung and is well again; panics at a call that took too long.
pub(crate) fn run(path: &Path, strict: bool) {
    let guard = GuardOptions { budget: Duration::from_millis(100), strict, ..Default::default() };
    let guarded = register(options(path), guard);
    let until = Instant::now() + Duration::from_secs(40);
    let (mut opened, mut n) = (false, 0);
    while Instant::now() < until {
        n += 1;
        let begun = Instant::now();
        assert_eq!(slowly(n), n * n);
        let took = begun.elapsed();
        assert!(took < PATIENCE, "call {n} took {took:?}");
        opened |= guarded.circuit() == CircuitState::Open;
        if opened && guarded.circuit() == CircuitState::Closed && memo::engines().flush().is_ok() {
            let hits = || slowly::stats().tiers.iter().map(|tier| tier.hits).sum::<u64>();
            let before = hits();
            assert_eq!(slowly(n), n * n);
            if hits() > before {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("opened: {opened}; {:?}; {:?}", guarded.circuit(), guarded.stats());
}

/// The control: who writes to a file of the store by itself.
pub(crate) fn run_naive(path: &Path) {
    std::fs::create_dir_all(path.join("v1")).unwrap();
    let file = std::fs::File::create(path.join("v1/lock")).unwrap();
    let begun = Instant::now();
    std::os::unix::fs::FileExt::write_all_at(&file, b"result", 0).unwrap();
    assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
}

/// Whether a child ends well where one kind of call hangs, and what it said. (One kind at a time: strace 6.1 loses a
/// thread for which it delays several.)
fn hung(role: &str, calls: &str, path: &Path) -> (bool, String) {
    let trace = format!("trace={calls}");
    let inject = format!("inject={calls}:delay_enter={}:when=1", HANGS.as_micros());
    let mut args = vec!["-e", &trace, "-e", &inject];
    let paths = store_paths(path);
    args.extend(paths.iter().flat_map(|path| ["-P", path.to_str().unwrap()]));
    let role = format!("{role} {}", path.display());
    let child = child("workload::child", ROLE, role);
    let output = traced(&child, &args, Path::new("/dev/null")).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn promise_18_nobody_waits_for_a_disk_that_hangs_and_it_is_used_when_it_is_back() {
    if !available() {
        return;
    }
    // The lock is taken as the store is opened, on the thread of who asks; what is written, by the writer.
    std::thread::scope(|scope| {
        for calls in ["flock", "pwrite64"] {
            scope.spawn(move || {
                let directory = tempfile::tempdir().unwrap();
                let (well, said) = hung("hanging", calls, &directory.path().join("store"));
                assert!(well, "{calls}: {said}");
            });
        }
    });
}

/// Every thread's first read of the index hangs, that of each helper too.
#[test]
fn promise_18_a_strict_guard_waits_for_no_read_either() {
    if !available() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (well, said) = hung("hanging-strict", "pread64", &directory.path().join("store"));
    assert!(well, "{said}");
}

/// What a guard cannot do that is not strict, so that it is known when it can.
#[test]
fn promise_18_a_read_that_hangs_is_noticed_where_the_guard_is_not_strict() {
    if !available() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (well, said) = hung("hanging", "pread64", &directory.path().join("store"));
    assert!(!well && said.contains("took"), "{said}");
}

#[test]
fn promise_18_who_waits_for_a_disk_that_hangs_is_noticed() {
    if !available() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (well, said) = hung("hanging-naive", "pwrite64", directory.path());
    assert!(!well && said.contains("it took"), "{said}");
}
