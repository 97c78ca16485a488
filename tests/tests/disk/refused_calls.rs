//! Promise 18: whatever call of the system fails, the caller of a memoized function gets the right result, nothing is
//! left half done, and the store is whole for the next process.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use memo::Engine as _;
use memo::engine::{Disk, Entry, Key, Space};
use memo_tests::size;
use memo_tests::strace::{available, child, traced};
use smol::block_on;

use crate::workload::{LARGE, ROLE, options, store_paths};

/// Calls of the system that reach files, by kind, and how each can fail. (A name with `?` need not exist on every
/// processor.)
const FAULTS: &[(&str, &[&str])] = &[
    ("openat,?open", &["EIO", "EACCES", "EMFILE", "ENOSPC", "EROFS", "ENOENT"]),
    ("read,pread64", &["EIO"]),
    ("write", &["ENOSPC", "EIO", "EROFS"]),
    ("pwrite64", &["ENOSPC", "EIO", "EROFS"]),
    ("fsync,fdatasync", &["EIO", "ENOSPC"]),
    ("ftruncate,?fallocate", &["EIO", "ENOSPC"]),
    ("unlinkat,?unlink,?rmdir", &["EROFS", "EACCES", "EIO"]),
    ("fcntl,flock", &["EIO", "ENOLCK", "EACCES"]),
    ("newfstatat,fstat,statx,?stat,?lstat,fstatfs", &["EIO", "EACCES"]),
    ("mkdirat,?mkdir,fchmod,fchown", &["EACCES", "ENOSPC", "EROFS"]),
    ("getdents64", &["EIO"]),
    ("mmap", &["ENOMEM", "EACCES"]),
    ("close", &["EIO"]),
    ("?readlink,readlinkat", &["EIO", "EACCES"]),
];

/// The calls by which a damaged index makes way for the next.
const SETTING_ASIDE: &[(&str, &[&str])] = &[
    ("?rename,renameat,renameat2", &["EROFS", "EACCES", "EIO"]),
    ("unlinkat,?unlink", &["EROFS", "EIO"]),
    ("openat,?open", &["EIO", "EMFILE", "ENOSPC"]),
    ("getdents64", &["EIO"]),
    ("pread64", &["EIO"]),
    ("newfstatat,statx,?stat,?lstat", &["EIO"]),
];

/// What a run of a child with a fault came to.
#[derive(PartialEq, Eq)]
enum Run {
    /// There is no call of this number.
    Undisturbed,
    /// The call had nothing to do with the store.
    Elsewhere,
    /// Each call of the child gave the right result.
    Well,
    /// One did not; what it said.
    Noticed(String),
}

/// Runs a child in `path` in which calls of a kind fail: the one with number `when` of each thread, or, with `+`
/// behind it, all from that one on.
fn run(role: &str, path: &Path, calls: &str, error: &str, when: &str) -> Run {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = format!("trace={calls}");
    let inject = format!("inject={calls}:error={error}:when={when}");
    let mut args = vec!["-y", "-e", &trace, "-e", &inject];
    let paths = store_paths(path);
    // The name of a content file is not known beforehand, so all that is written is disturbed.
    for path in paths.iter().filter(|_| calls != "write") {
        args.extend(["-P", path.to_str().unwrap()]);
    }
    let role = format!("{role} {}", path.display());
    let output = traced(&child("workload::child", ROLE, role), &args, log.path()).output().unwrap();
    let (well, said) = (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned());
    let seen = fs::read_to_string(log.path()).unwrap();
    match seen.lines().find(|line| line.contains("(INJECTED)")) {
        None if well => Run::Undisturbed,
        Some(call) if !call.contains(path.to_str().unwrap()) => Run::Elsewhere,
        Some(_) if well => Run::Well,
        _ => Run::Noticed(said),
    }
}

/// Whether the store is as good as new: it opens, serves, and keeps no file that nobody names.
fn is_whole(path: &Path) -> Result<(), String> {
    let disk = Disk::open(options(path)).map_err(|error| format!("it does not open: {error:?}"))?;
    disk.sweep().map_err(|error| format!("it is not swept: {error:?}"))?;
    let key = Key { space: Space([1; 16]), digest: [2; 32] };
    let entry = Entry::new(vec![3; 100]);
    block_on(disk.put(&key, &entry)).map_err(|error| format!("nothing can be put: {error:?}"))?;
    block_on(disk.flush()).map_err(|error| format!("nothing is written: {error:?}"))?;
    if block_on(disk.get(&key)).ok().flatten() != Some(entry) {
        return Err("what was put is not there".into());
    }
    let mut set_aside = None;
    for file in fs::read_dir(path.join("v1")).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        let ours = ["content", "lock"].contains(&&*name) || name.starts_with("index.");
        // One damaged index is kept, the last, where there was one.
        let number = name.strip_prefix("damaged.").and_then(|rest| Some(rest.split_once('.')?.0.to_owned()));
        let is_one = number.is_some_and(|number| *set_aside.get_or_insert_with(|| number.clone()) == number);
        if !ours && !is_one {
            return Err(format!("left behind: {name}"));
        }
    }
    let contents = fs::read_dir(path.join("v1/content")).unwrap().count();
    if contents as u64 > LARGE {
        return Err(format!("{contents} content files for {LARGE} results"));
    }
    Ok(())
}

/// A store that the child finds, and that is damaged.
fn damaged(path: &Path) {
    drop(Disk::open(options(path)).unwrap());
    fs::write(path.join("v1/index.1.sqlite"), "no index at all".repeat(1000)).unwrap();
}

/// One kind of call, failing at every `every`th place in turn until there is no such place. Tells how many places it
/// were, and what was wrong at which.
fn at_all_places(
    before: fn(&Path),
    calls: &str,
    error: &str,
    every: usize,
    lasting: bool,
) -> (usize, Vec<String>) {
    let (mut runs, mut wrong) = (0, Vec::new());
    for place in (1..).step_by(every) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        before(&path);
        let when = format!("{place}{}", if lasting { "+" } else { "" });
        let problem = match run("workload", &path, calls, error, &when) {
            Run::Undisturbed => break,
            Run::Elsewhere => continue,
            Run::Noticed(said) => Err(format!("a caller noticed: {said}")),
            Run::Well => is_whole(&path),
        };
        runs += 1;
        if let Err(problem) = problem {
            wrong.push(format!("{error} from {calls}, number {when}: {problem}"));
        }
    }
    (runs, wrong)
}

/// All of `kinds`, by two children at a time.
fn with_all(before: fn(&Path), kinds: &[(&str, &[&str])], every: usize) {
    if !available() {
        return;
    }
    let kinds: Vec<_> = kinds
        .iter()
        .flat_map(|(calls, errors)| errors[..size(1, errors.len())].iter().map(move |error| (*calls, *error)))
        .flat_map(|(calls, error)| [(calls, error, false), (calls, error, true)])
        .collect();
    let (next, all) = (AtomicUsize::new(0), Mutex::new((0, Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((calls, error, lasting)) = kinds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (runs, wrong) = at_all_places(before, calls, error, every, *lasting);
                    let mut all = all.lock().unwrap();
                    all.0 += runs;
                    all.1.extend(wrong);
                }
            });
        }
    });
    let (runs, wrong) = all.into_inner().unwrap();
    eprintln!("{runs} faults");
    assert!(runs > kinds.len() / 2, "{runs} runs for {} kinds: most faults did not happen", kinds.len());
    assert!(wrong.is_empty(), "{} of {runs} runs:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn promise_18_whatever_call_fails_the_caller_has_the_result_and_the_store_is_whole() {
    with_all(|_| {}, FAULTS, size(13, 1));
}

#[test]
fn promise_18_whatever_call_fails_while_a_damaged_store_is_set_aside() {
    with_all(damaged, SETTING_ASIDE, size(7, 1));
}

#[test]
fn promise_18_the_harness_notices_a_naive_cache() {
    if !available() {
        return;
    }
    let noticed = (1..).map(|place| {
        let directory = tempfile::tempdir().unwrap();
        run("naive", directory.path(), "write", "ENOSPC", &place.to_string())
    });
    let noticed: Vec<_> = noticed.take_while(|run| *run != Run::Undisturbed).collect();
    assert!(
        noticed.iter().any(|run| matches!(run, Run::Noticed(_))),
        "the harness sees nothing in {} runs",
        noticed.len()
    );
}

#[test]
fn promise_18_a_warning_that_cannot_be_written_is_no_panic() {
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
    let directory = tempfile::tempdir().unwrap();
    let no_directory = directory.path().join("file");
    fs::write(&no_directory, "").unwrap();
    let role = format!("workload {}", no_directory.join("store").display());
    let status = child("workload::child", ROLE, role).stderr(full).status().unwrap();
    assert!(status.success(), "{status}");
}
