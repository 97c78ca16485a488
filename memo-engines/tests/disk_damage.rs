//! Promise 16 for the disk: whatever bit is flipped in its files, wherever they are cut, closed or open: no
//! crash, no wrong value, and the store heals.

mod common;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use common::{Random, flush, nightly, put, read, sealed};
use memo_engines::{Disk, DiskOptions};

const KEYS: u64 = 12;

fn options(path: &Path) -> DiskOptions {
    DiskOptions { max_size: 16 << 20, large_over: 8 << 10, ..DiskOptions::at(path) }
}

fn len(number: u64) -> usize {
    if number == 0 { 20_000 } else { 900 }
}

/// A store whose content is in the index itself, in its log, and in a content file.
fn make(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let disk = Disk::open(options(path)).unwrap();
    for number in 0..KEYS {
        put(&disk, number, &sealed(number, 1, len(number))).unwrap();
    }
    flush(&disk);
    drop(disk);
    let disk = Disk::open(options(path)).unwrap();
    for number in KEYS / 2..KEYS {
        put(&disk, number, &sealed(number, 1, len(number))).unwrap();
    }
    flush(&disk);
    files(path)
}

fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for directory in [path.join("v1"), path.join("v1/content")] {
        for file in fs::read_dir(directory).unwrap().flatten() {
            if file.metadata().unwrap().is_file() {
                files.push((file.path(), fs::read(file.path()).unwrap()));
            }
        }
    }
    files
}

/// Puts the files back as they were.
fn restore(path: &Path, files: &[(PathBuf, Vec<u8>)]) {
    fs::remove_dir_all(path.join("v1")).unwrap();
    for directory in ["v1", "v1/content"] {
        fs::create_dir(path.join(directory)).unwrap();
    }
    for (file, bytes) in files {
        fs::write(file, bytes).unwrap();
    }
}

#[derive(Debug)]
enum Damage {
    Flip(usize),
    Cut(usize),
    Gone,
}

impl Damage {
    fn of(random: &mut Random, len: usize) -> Self {
        match random.below(10) {
            0 => Self::Gone,
            1..3 => Self::Cut(random.below(len)),
            _ => Self::Flip(random.below(len * 8)),
        }
    }

    fn inflict(&self, file: &Path) {
        match self {
            Self::Flip(bit) => {
                let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
                let mut byte = [0];
                file.read_exact_at(&mut byte, (bit / 8) as u64).unwrap();
                file.write_all_at(&[byte[0] ^ 1 << (bit % 8)], (bit / 8) as u64).unwrap();
            }
            Self::Cut(len) => {
                OpenOptions::new().write(true).open(file).unwrap().set_len(*len as u64).unwrap()
            }
            Self::Gone => fs::remove_file(file).unwrap(),
        }
    }
}

/// Every value is right or missing, and after writing anew every value is there.
fn survives(disk: &Disk, what: &str) {
    // `read` panics at a wrong value.
    for number in 0..KEYS {
        assert!(read(disk, number).is_none_or(|version| version == 1), "{what}");
    }
    // What was damaged is found while it is used: healing may take more than one turn.
    for turn in 2..8 {
        for number in 0..KEYS {
            let _ = put(disk, number, &sealed(number, turn, len(number)));
        }
        let _ = memo_engines::conformance::wait(memo_engines::Engine::flush(disk));
        let right = (0..KEYS).filter(|number| read(disk, *number) == Some(turn)).count();
        if right as u64 == KEYS {
            return;
        }
    }
    panic!("it does not heal: {what}");
}

/// Damages files of a store and uses it: with it closed meanwhile, or open all the time.
fn damaged(open: bool, rounds: usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let whole = make(path);
    // SQLite's shared memory holds nothing that outlives its users, and is mapped: see the decision.
    let targets: Vec<_> = whole
        .iter()
        .filter(|(file, bytes)| !bytes.is_empty() && !file.to_string_lossy().ends_with("-shm"))
        .collect();
    assert!(targets.len() >= 3, "an index, its log, and a content file");
    let mut random = Random::new();
    for round in 0..rounds {
        restore(path, &whole);
        let (file, bytes) = targets[random.below(targets.len())];
        let damage = Damage::of(&mut random, bytes.len());
        let what = format!("round {round}: {damage:?} in {}, open: {open}", file.display());
        if open {
            let disk = Disk::open(options(path)).unwrap();
            assert_eq!(read(&disk, random.below(KEYS as usize) as u64), Some(1));
            damage.inflict(file);
            survives(&disk, &what);
        } else {
            damage.inflict(file);
            survives(&Disk::open(options(path)).expect("it opens, damaged or not"), &what);
        }
        // And once more from the beginning.
        let disk = Disk::open(options(path)).expect("it opens again");
        // (A flip in the log while it is open is found by the next who opens it, and ends the log there: an
        // older value may come back, but never a wrong one.)
        assert!((0..KEYS).all(|number| read(&disk, number).is_none_or(|version| version < 8)), "{what}");
    }
}

#[test]
fn promise_16_damage_while_it_was_closed() {
    damaged(false, if nightly() { 20_000 } else { 200 });
}

#[test]
fn promise_16_damage_while_it_is_open() {
    damaged(true, if nightly() { 20_000 } else { 200 });
}

#[test]
fn promise_16_what_is_no_index_at_all_is_set_aside_with_one_warning() {
    use std::sync::{Arc, Mutex};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    make(path);
    let index = path.join("v1/index.1.sqlite");
    let _ = fs::remove_file(path.join("v1/index.1.sqlite-wal"));
    fs::write(&index, b"this was written by an editor that should not have".repeat(100)).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let warn = {
        let told = Arc::clone(&told);
        move |message: &str| told.lock().unwrap().push(message.to_owned())
    };
    let disk = Disk::open(DiskOptions { warn: Some(Arc::new(warn)), ..options(path) }).unwrap();
    assert_eq!(read(&disk, 1), None);
    put(&disk, 1, &sealed(1, 2, 100)).unwrap();
    assert_eq!(read(&disk, 1), Some(2));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("damaged.1.sqlite"), "{told:?}");
    assert!(path.join("v1/damaged.1.sqlite").exists());
}

#[test]
fn promise_16_a_directory_that_is_emptied_under_it_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::open(options(directory.path())).unwrap();
    put(&disk, 1, &sealed(1, 1, 100)).unwrap();
    flush(&disk);
    fs::remove_dir_all(directory.path().join("v1")).unwrap();
    for _ in 0..3 {
        let _ = put(&disk, 1, &sealed(1, 2, 100));
        let _ = memo_engines::conformance::wait(memo_engines::Engine::flush(&disk));
    }
    // Either it works again, or it says that it cannot: the files are gone while it is open.
    assert!(matches!(read(&disk, 1), None | Some(2)));
}
