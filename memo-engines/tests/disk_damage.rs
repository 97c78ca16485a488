//! Promise 16 for the disk: whatever bit is flipped in its files, wherever they are cut, closed or open: no
//! crash, no wrong value, and the store heals.

mod common;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Random, flush, key, nightly, put, read, sealed};
use memo_engines::conformance::wait;
use memo_engines::{Disk, DiskOptions, Engine as _};

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

/// Checks that every value is right or missing, and that every value is there after it was written again.
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

/// Damages the files of a store and uses it. The store is closed meanwhile, or open all the time.
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

/// A nightly run of the tests above found this.
#[test]
fn promise_16_damage_that_was_found_once() {
    for bit in [130_554, 130_872] {
        for open in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path();
            restore(path, &make(path));
            let index = path.join("v1/index.1.sqlite");
            let early = open.then(|| Disk::open(options(path)).unwrap());
            Damage::Flip(bit).inflict(&index);
            let disk = early.unwrap_or_else(|| Disk::open(options(path)).unwrap());
            survives(&disk, &format!("bit {bit}, open: {open}"));
        }
    }
}

/// The index over the keys loses or mistakes a key after this process has read it, and the key is removed.
#[test]
fn promise_16_what_was_removed_does_not_come_back_by_damage() {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = directory.path();
    drop(make(path));
    drop(Disk::open(options(path)).unwrap());
    let whole = files(path);
    // The end of the page where SQLite keeps that index: twelve keys and rows.
    let step = if nightly() { 1 } else { 7 };
    for bit in ((16_384 - 200) * 8..16_384 * 8).step_by(step) {
        restore(path, &whole);
        let disk = Disk::open(options(path)).unwrap();
        assert!((0..KEYS).all(|number| read(&disk, number) == Some(1)), "bit {bit}");
        Damage::Flip(bit).inflict(&path.join("v1/index.1.sqlite"));
        for number in 0..KEYS {
            if memo_engines::conformance::wait(memo_engines::Engine::remove(&disk, &common::key(number)))
                .is_ok()
            {
                assert_eq!(read(&disk, number), None, "bit {bit}, key {number}");
            }
        }
    }
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

#[test]
fn promise_14_a_directory_that_is_removed_or_moved_away_is_opened_anew_by_its_name() {
    for moved in [false, true] {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("cache");
        let vanish = || match moved {
            false => fs::remove_dir_all(&path).unwrap(),
            true => {
                let away = parent.path().join("away");
                let _ = fs::remove_dir_all(&away);
                fs::rename(&path, away).unwrap();
            }
        };
        let disk = Disk::open(options(&path)).unwrap();
        put(&disk, 1, &sealed(1, 1, 100)).unwrap();
        put(&disk, 2, &sealed(2, 1, 200_000)).unwrap();
        flush(&disk);
        assert_eq!(read(&disk, 1), Some(1));
        vanish();
        // What is written next is written where others find it.
        put(&disk, 3, &sealed(3, 1, 100)).unwrap();
        put(&disk, 4, &sealed(4, 1, 200_000)).unwrap();
        flush(&disk);
        let other = Disk::open(options(&path)).unwrap();
        assert_eq!([1, 2, 3, 4].map(|number| read(&other, number)), [None, None, Some(1), Some(1)]);
        assert_eq!([1, 2, 3, 4].map(|number| read(&disk, number)), [None, None, Some(1), Some(1)]);
        drop(other);

        // One that only reads finds what others write in the new one.
        vanish();
        let other = Disk::open(options(&path)).unwrap();
        put(&other, 5, &sealed(5, 1, 100)).unwrap();
        flush(&other);
        let until = Instant::now() + Duration::from_secs(20);
        while read(&disk, 5) != Some(1) {
            assert!(Instant::now() < until, "it still reads what was removed");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(read(&disk, 3), None);
    }
}

#[test]
fn promise_14_nothing_is_said_to_be_done_in_a_directory_that_is_gone() {
    let parent = tempfile::tempdir().unwrap();
    let above = parent.path().join("above");
    let path = above.join("cache");
    let disk = Disk::open(options(&path)).unwrap();
    put(&disk, 1, &sealed(1, 1, 100)).unwrap();
    flush(&disk);
    fs::remove_dir_all(&above).unwrap();
    // It cannot be made anew either.
    fs::write(&above, b"in the way").unwrap();
    assert!(wait(disk.remove(&key(1))).is_err(), "an invalidation that reaches nobody");
    fs::remove_file(&above).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while put(&disk, 1, &sealed(1, 2, 100)).is_err() || wait(disk.flush()).is_err() {
        assert!(Instant::now() < until, "it could be made again, and is not");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(read(&Disk::open(options(&path)).unwrap(), 1), Some(2));
}

/// A small store with all kinds of rows, in as few pages as possible.
fn make_small(path: &Path, written_back: bool) -> Vec<(PathBuf, Vec<u8>)> {
    let disk = Disk::open(options(path)).unwrap();
    for number in 0..SMALL_KEYS {
        put(&disk, number, &sealed(number, 1, if number == 0 { 9_000 } else { 60 })).unwrap();
    }
    flush(&disk);
    if written_back {
        drop(disk);
    }
    files(path)
}

const SMALL_KEYS: u64 = 3;

/// Opens a damaged store. Checks that what is found is right, and that what is written again is found.
fn is_survived(path: &Path, what: &str) {
    let disk = Disk::open(options(path)).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    for number in 0..SMALL_KEYS {
        assert!(read(&disk, number).is_none_or(|version| version == 1), "{what}");
    }
    for turn in 2..8 {
        for number in 0..SMALL_KEYS {
            let _ = put(&disk, number, &sealed(number, turn, 60));
        }
        let _ = memo_engines::conformance::wait(memo_engines::Engine::flush(&disk));
        if (0..SMALL_KEYS).all(|number| read(&disk, number) == Some(turn)) {
            return;
        }
    }
    panic!("it does not heal: {what}");
}

/// Each damage of one flipped bit or one cut to each file of a small store: every `flips`th bit and every
/// `cuts`th length, from a random one on. (A nightly run flips one bit of each byte, another one each
/// night.)
fn all_damage(written_back: bool, flips: usize, cuts: usize) {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = directory.path();
    let whole = make_small(path, written_back);
    let mut random = Random::new();
    let mut done = 0;
    for (file, bytes) in &whole {
        let flips = (random.below(flips)..bytes.len() * 8).step_by(flips).map(Damage::Flip);
        let cuts = (random.below(cuts)..bytes.len()).step_by(cuts).map(Damage::Cut);
        for damage in flips.chain(cuts).chain([Damage::Gone]) {
            restore(path, &whole);
            if matches!(damage, Damage::Flip(bit) if bit / 8 >= bytes.len()) || bytes.is_empty() {
                continue;
            }
            damage.inflict(file);
            is_survived(path, &format!("{damage:?} in {} of {}", file.display(), bytes.len()));
            done += 1;
        }
    }
    eprintln!("{done} times damaged: {:?}", whole.iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>());
    assert!(done > 100, "next to nothing was damaged");
}

#[test]
fn promise_16_any_bit_and_any_length_of_an_index_that_was_written_back() {
    let (flips, cuts) = if nightly() { (8, 1) } else { (613, 499) };
    all_damage(true, flips, cuts);
}

/// The test above found this: SQLite only reads a file whose header says that it has a later format.
#[test]
fn promise_16_a_header_of_another_format_is_damage() {
    for bit in 18 * 8..20 * 8 {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let path = directory.path();
        make_small(path, true);
        Damage::Flip(bit).inflict(&path.join("v1/index.1.sqlite"));
        is_survived(path, &format!("bit {bit}"));
    }
}

/// Another process that keeps the store open and idle until it is told to go on: "idle path".
#[test]
fn idle() {
    let Some(role) = common::role() else { return };
    let Some(path) = role.strip_prefix("idle ").map(Path::new) else { return };
    let disk = Disk::open(options(path)).unwrap();
    assert!((0..SMALL_KEYS).all(|number| read(&disk, number) == Some(1)));
    fs::write(path.join("idle"), "").unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !path.join("go").exists() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // What it has read before may be right yet; what the other wrote is of versions up to 8.
    assert!((0..SMALL_KEYS).all(|number| read(&disk, number).is_none_or(|version| version < 8)));
    let _ = put(&disk, 0, &sealed(0, 9, 60));
    let _ = memo_engines::conformance::wait(memo_engines::Engine::flush(&disk));
    let _ = put(&disk, 0, &sealed(0, 10, 60));
    flush(&disk);
    assert_eq!(read(&disk, 0), Some(10));
}

/// SQLite takes the index for one without a log. To change that, it waits for all other processes.
#[test]
fn promise_16_a_header_that_is_damaged_while_another_process_has_it_open() {
    let bits = if nightly() { 0..100 * 8 } else { 18 * 8..20 * 8 };
    for bit in bits {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let path = directory.path();
        make_small(path, true);
        let mut other = common::child("idle", &format!("idle {}", path.display()));
        let mut other = other.stderr(std::process::Stdio::piped()).spawn().unwrap();
        while !path.join("idle").exists() && other.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        Damage::Flip(bit).inflict(&path.join("v1/index.1.sqlite"));
        is_survived(path, &format!("bit {bit}"));
        fs::write(path.join("go"), "").unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut other.stderr.take().unwrap(), &mut said).unwrap();
        assert!(other.wait().unwrap().success(), "bit {bit}: {said}");
    }
}

#[test]
fn promise_16_any_bit_and_any_length_of_a_log_that_was_left() {
    let (flips, cuts) = if nightly() { (8, 1) } else { (1217, 997) };
    all_damage(false, flips, cuts);
}

/// Another process that uses the store while it is damaged and set aside: "user seed path".
#[test]
fn user() {
    let Some(role) = common::role() else { return };
    let Some(role) = role.strip_prefix("user ") else { return };
    let (seed, path) = role.split_once(' ').unwrap();
    let mut random = Random::seeded(seed.parse().unwrap());
    let disk = Disk::open(options(Path::new(path))).unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !Path::new(path).join("stop").exists() && std::time::Instant::now() < until {
        let number = random.below(KEYS as usize) as u64;
        // `read` panics at a wrong value.
        let _ = read(&disk, number);
        let _ = put(&disk, number, &sealed(number, random.next() >> 1, len(number)));
        if random.below(10) == 0 {
            let _ = memo_engines::conformance::wait(memo_engines::Engine::flush(&disk));
        }
    }
    // And in the end it works.
    for _ in 0..100 {
        let own = 1000 + seed.parse::<u64>().unwrap();
        let _ = put(&disk, own, &sealed(own, 1, 100));
        let _ = memo_engines::conformance::wait(memo_engines::Engine::flush(&disk));
        if read(&disk, own) == Some(1) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("it does not get well");
}

#[test]
fn promise_16_two_processes_use_a_store_that_is_damaged_under_them_again_and_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    drop(Disk::open(options(path)).unwrap());
    let mut users: Vec<_> = (1..=2)
        .map(|seed| {
            let mut user = common::child("user", &format!("user {seed} {}", path.display()));
            user.stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut random = Random::new();
    let begun = std::time::Instant::now();
    let indexes = || {
        let names = fs::read_dir(path.join("v1")).unwrap().flatten();
        let names = names.filter_map(|file| file.file_name().into_string().ok());
        let mut numbers: Vec<u64> = names
            .filter_map(|name| name.strip_prefix("index.")?.strip_suffix(".sqlite")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    };
    let rounds = if nightly() { 200 } else { 15 };
    for round in 0..rounds {
        let Some(newest) = indexes().pop() else { continue };
        // The header, or the root of a table, or all of it.
        let index = path.join(format!("v1/index.{newest}.sqlite"));
        if let Ok(file) = OpenOptions::new().write(true).open(&index) {
            match round % 3 {
                0 => drop(file.write_all_at(&[0x5a; 100], 0)),
                1 => drop(file.set_len(4096 * (1 + random.below(5) as u64))),
                _ => drop(file.write_all_at(&[0xa5; 4096], 4096 * (1 + random.below(12) as u64))),
            }
        }
        // A process that comes new finds the damage at once.
        let disk = Disk::open(options(path)).unwrap();
        let _ = read(&disk, random.below(KEYS as usize) as u64);
    }
    fs::write(path.join("stop"), "").unwrap();
    for user in &mut users {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut user.stderr.take().unwrap(), &mut said).unwrap();
        assert!(user.wait().unwrap().success(), "{said}");
    }
    eprintln!("{rounds} times damaged in {:?}; index {:?}", begun.elapsed(), indexes());
    assert!(indexes().last().is_some_and(|newest| *newest > 1), "it was never set aside");
    // All have come to one index, and one that was set aside is kept.
    let one = Disk::open(options(path)).unwrap();
    let other = Disk::open(options(path)).unwrap();
    put(&one, 1, &sealed(1, 77, 100)).unwrap();
    flush(&one);
    assert_eq!(read(&other, 1), Some(77));
    let damaged = fs::read_dir(path.join("v1")).unwrap().flatten();
    let damaged = damaged.filter(|file| {
        let name = file.file_name().into_string().unwrap();
        name.starts_with("damaged.") && name.ends_with(".sqlite")
    });
    assert!(damaged.count() <= 1);
}
