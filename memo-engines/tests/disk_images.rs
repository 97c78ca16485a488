//! Promise 15: the power fails. What a process asks of the system is recorded. For every moment of it,
//! images are made of what may be on the disk then. The engine opens each image and must find right values,
//! or none.
//!
//! The images follow what journalling file systems guarantee (ext4, XFS, Btrfs). Names and sizes change in
//! the order in which they were requested, up to some moment. That moment is no earlier than the last
//! `fsync` of anything. What was written to a file and not synced is there, or missing, or there in parts
//! of 512 bytes, each write by itself. A file that grew by missing bytes is shorter, or holds zeros.
#![cfg(target_os = "linux")]

mod common;
#[allow(unreachable_pub, reason = "it is public where it stands")]
#[path = "../../tests/src/skipped.rs"]
mod skipped;
#[allow(unreachable_pub, reason = "it is public where it stands")]
#[path = "../../tests/src/strace.rs"]
mod strace;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use common::{Random, flush, key, nightly, put, read, sealed, version};
use memo_engines::conformance::wait;
use memo_engines::{Disk, DiskOptions, Engine as _, Error};

const KEYS: u64 = 6;

fn options(path: &Path, durable: bool) -> DiskOptions {
    // A cap at which the log is written back often.
    DiskOptions { max_size: 2 << 20, large_over: 8 << 10, durable, ..DiskOptions::at(path) }
}

/// Marks in the recording what has happened, by a call that changes nothing.
fn mark(path: &Path, what: &str) {
    let _ = fs::remove_file(path.with_file_name(format!("mark {what}")));
}

/// The process that is recorded: "kind path".
#[test]
fn recorded() {
    let Some(role) = common::role() else { return };
    let (kind, path) = role.split_once(' ').unwrap();
    let path = Path::new(path);
    match kind {
        "naive" => record_naive(path),
        "durable" => record(path, true),
        _ => record(path, false),
    }
}

fn record(path: &Path, durable: bool) {
    let mut disk = Disk::open(options(path, durable)).unwrap();
    let mut random = Random::seeded(15);
    for version in 1..=if nightly() { 200 } else { 40 } {
        let number = random.below(KEYS as usize) as u64;
        if random.below(6) == 0 {
            mark(path, &format!("removing {number} {version}"));
            wait(disk.remove(&key(number))).unwrap();
            mark(path, &format!("removed {number} {version}"));
            continue;
        }
        let len = if random.below(5) == 0 { 9_000 } else { 30 + random.below(2000) };
        put(&disk, number, &sealed(number, version, len)).unwrap();
        if durable {
            mark(path, &format!("stored {number} {version}"));
        } else if random.below(3) == 0 {
            flush(&disk);
        }
        if version % 20 == 0 {
            drop(disk);
            disk = Disk::open(options(path, durable)).unwrap();
        }
    }
}

/// A naive store, in which the test must find errors: values in files, written in place, synced now and
/// then.
fn record_naive(path: &Path) {
    fs::create_dir(path).unwrap();
    for version in 1..=60 {
        let number = version % KEYS;
        let file = path.join(number.to_string());
        fs::write(&file, common::payload(number, version, 3000)).unwrap();
        if version % 7 == 0 {
            fs::File::open(file).unwrap().sync_all().unwrap();
        }
    }
}

/// A step: something that was asked of the system and done. Files have numbers of their own, since a name
/// may stand for one file and later for another.
enum Step {
    MakeDirectory(PathBuf),
    Create(PathBuf, usize),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
    Resize(usize, usize),
    Write(usize, usize, Vec<u8>),
    /// Of a file, or, with `None`, of a directory.
    Sync(Option<usize>),
    Mark(String),
}

impl Step {
    /// Whether the journal of a file system has it, which keeps the order.
    fn is_journalled(&self) -> bool {
        !matches!(self, Self::Write(..) | Self::Sync(_) | Self::Mark(_))
    }
}

/// The strings of one line of `strace -xx`, unescaped, and the line with each replaced by `"`.
fn strings(line: &str) -> (Vec<Vec<u8>>, String) {
    let (mut strings, mut rest) = (Vec::new(), String::new());
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 0 {
            rest.push_str(part);
            continue;
        }
        rest.push('"');
        strings.push(unescaped(part));
    }
    (strings, rest)
}

fn unescaped(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap()).collect()
}

/// What `strace` saw, in order, of what concerns files below `path`.
fn steps(log: &str, path: &Path) -> Vec<Step> {
    let mut recorder = Recorder { path, files: HashMap::new(), steps: Vec::new(), next: 0 };
    let mut unfinished = HashMap::new();
    for line in log.lines() {
        let (thread, line) = line.split_once(char::is_whitespace).unwrap();
        let line = line.trim_start();
        if let Some(begin) = line.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, begin.to_owned());
        } else if let Some(end) = line.strip_prefix("<... ") {
            let end = end.split_once("resumed>").unwrap().1;
            let begin = unfinished.remove(thread).expect("it was begun");
            recorder.see(&format!("{begin}{end}"));
        } else {
            recorder.see(line);
        }
    }
    recorder.steps
}

struct Recorder<'p> {
    path: &'p Path,
    /// The files that the names stand for.
    files: HashMap<PathBuf, usize>,
    steps: Vec<Step>,
    next: usize,
}

impl Recorder<'_> {
    fn see(&mut self, line: &str) {
        let Some((call, rest)) = line.split_once('(') else { return };
        let (strings, rest) = strings(rest);
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { return };
        let arguments: Vec<&str> = arguments.trim_end().trim_end_matches(')').split(", ").collect();
        // The path of a descriptor stands behind it: 7<\x2f..>.
        let descriptor = |at: usize| {
            let path = arguments[at].split_once('<')?.1.strip_suffix('>')?;
            Some(PathBuf::from(String::from_utf8(unescaped(path)).unwrap()))
        };
        let text = |at: usize| String::from_utf8(strings[at].clone()).unwrap();
        if result.starts_with('-') {
            let mark = |name: &str| name.rsplit_once("/mark ").map(|mark| mark.1.to_owned());
            if call.starts_with("unlink")
                && let Some(mark) = mark(&text(0))
            {
                self.steps.push(Step::Mark(mark));
            }
            return;
        }
        match call {
            "mkdir" | "mkdirat" => {
                let at = if call == "mkdirat" { descriptor(0) } else { None };
                let path = at.unwrap_or_default().join(text(0));
                self.change(path, |path, _| Step::MakeDirectory(path));
            }
            "openat" | "open" => {
                let at = if call == "openat" { descriptor(0) } else { None };
                let path = at.unwrap_or_default().join(text(0));
                let flags = arguments[if call == "openat" { 2 } else { 1 }];
                if !path.starts_with(self.path) {
                    return;
                }
                if let Some(file) = self.files.get(&path) {
                    if flags.contains("O_TRUNC") {
                        self.steps.push(Step::Resize(*file, 0));
                    }
                } else if flags.contains("O_CREAT") {
                    self.next += 1;
                    self.files.insert(path.clone(), self.next);
                    self.steps.push(Step::Create(path, self.next));
                }
            }
            "unlink" | "unlinkat" => {
                let at = if call == "unlinkat" { descriptor(0) } else { None };
                let path = at.unwrap_or_default().join(text(0));
                self.files.remove(&path);
                self.change(path, |path, _| Step::Remove(path));
            }
            "rename" | "renameat" | "renameat2" => {
                let at = |place| if call == "rename" { None } else { descriptor(place) };
                let from = at(0).unwrap_or_default().join(text(0));
                let to = at(2).unwrap_or_default().join(text(1));
                if let Some(file) = self.files.remove(&from) {
                    self.files.insert(to.clone(), file);
                }
                self.change(from, |path, _| Step::Rename(path, to));
            }
            "ftruncate" => {
                self.in_file(descriptor(0), |file| Step::Resize(file, arguments[1].parse().unwrap()))
            }
            "write" | "pwrite64" => {
                let length = |recorder: &Self, file: usize| recorder.length(file);
                let path = descriptor(0);
                let file = path.and_then(|path| self.files.get(&path).copied());
                if let Some(file) = file {
                    let mut bytes = strings.into_iter().next().unwrap();
                    bytes.truncate(result.parse().unwrap());
                    // All files that are written without an offset are written once, from their beginning.
                    let at = match call {
                        "write" => length(self, file),
                        _ => arguments[3].parse().unwrap(),
                    };
                    self.steps.push(Step::Write(file, at, bytes));
                }
            }
            "fsync" | "fdatasync" => {
                if let Some(path) = descriptor(0).filter(|path| path.starts_with(self.path)) {
                    let file = self.files.get(&path).copied();
                    self.steps.push(Step::Sync(file));
                }
            }
            other => panic!("{other} is not known: {line}"),
        }
    }

    /// The present length of a file.
    fn length(&self, file: usize) -> usize {
        self.steps.iter().fold(0, |length, step| match step {
            Step::Resize(resized, len) if *resized == file => *len,
            Step::Write(written, at, bytes) if *written == file => length.max(at + bytes.len()),
            _ => length,
        })
    }

    fn change(&mut self, path: impl Into<PathBuf>, step: impl FnOnce(PathBuf, &Self) -> Step) {
        let path = path.into();
        if path.starts_with(self.path) {
            let step = step(path, self);
            self.steps.push(step);
        }
    }

    fn in_file(&mut self, path: Option<PathBuf>, step: impl FnOnce(usize) -> Step) {
        if let Some(file) = path.and_then(|path| self.files.get(&path)) {
            self.steps.push(step(*file));
        }
    }
}

/// Runs a child of this kind in `path` and records it.
fn recording(kind: &str, path: &Path) -> Vec<Step> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let trace = "trace=openat,?open,write,pwrite64,ftruncate,fsync,fdatasync,unlinkat,?unlink,?rename,?renameat,?renameat2,?mkdir,mkdirat";
    let role = format!("{kind} {}", path.display());
    let child = strace::child("recorded", "MEMO_TEST_CHILD", role);
    let args = ["-y", "-xx", "-s", "10000000", "-e", trace];
    let output = strace::traced(&child, &args, log.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = fs::read_to_string(log.path()).unwrap();
    let steps = steps(&log, path);
    let synced = steps.iter().filter(|step| matches!(step, Step::Sync(_))).count();
    let written = steps.iter().filter(|step| matches!(step, Step::Write(..))).count();
    eprintln!("{kind}: {} steps, {written} of them writes, {synced} syncs", steps.len());
    assert!(written > 50 && synced > 3, "next to nothing was recorded");
    steps
}

/// How the recording ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The process ended and the system went on: nothing is lost.
    Process,
    /// The power failed.
    Power,
}

/// Makes in `to` what may be on the disk after `count` steps.
fn make_image(steps: &[Step], count: usize, loss: Loss, random: &mut Random, from: &Path, to: &Path) {
    let steps = &steps[..count];
    let last_sync = steps.iter().rposition(|step| matches!(step, Step::Sync(_))).unwrap_or(0);
    let journal_end = match loss {
        Loss::Process => count,
        Loss::Power => last_sync + random.below(count - last_sync + 1),
    };
    let (mut names, mut contents) = (HashMap::new(), HashMap::<usize, Vec<u8>>::new());
    let mut directories = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        if step.is_journalled() && place >= journal_end {
            continue;
        }
        match step {
            Step::MakeDirectory(path) => directories.push(path),
            Step::Create(path, file) => drop(names.insert(path.clone(), *file)),
            Step::Remove(path) => drop(names.remove(path)),
            Step::Rename(path, to) => {
                if let Some(file) = names.remove(path) {
                    names.insert(to.clone(), file);
                }
            }
            Step::Resize(file, len) => contents.entry(*file).or_default().resize(*len, 0),
            Step::Write(file, at, bytes) => {
                let synced =
                    steps[place..].iter().any(|step| matches!(step, Step::Sync(Some(f)) if f == file));
                let content = contents.entry(*file).or_default();
                let certain = synced || loss == Loss::Process;
                let fate = if certain { 0 } else { random.below(4) };
                let grown = at + bytes.len();
                for (part, sector) in bytes.chunks(512).enumerate() {
                    let is_there = match fate {
                        0 | 1 => true,
                        2 => random.below(2) == 0,
                        _ => false,
                    };
                    if is_there {
                        let at = at + part * 512;
                        content.resize(content.len().max(at + sector.len()), 0);
                        content[at..at + sector.len()].copy_from_slice(sector);
                    }
                }
                if fate > 1 && random.below(2) == 0 {
                    content.resize(content.len().max(grown), 0);
                }
            }
            Step::Sync(_) | Step::Mark(_) => {}
        }
    }
    let place = |path: &Path| to.join(path.strip_prefix(from).unwrap());
    for directory in directories {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(place(directory)).unwrap();
    }
    for (path, file) in names {
        let content = contents.remove(&file).unwrap_or_default();
        let mut options = fs::OpenOptions::new();
        let file = options.create_new(true).write(true).mode(0o600).open(place(&path));
        std::io::Write::write_all(&mut file.unwrap(), &content).unwrap();
    }
}

/// For each key the versions that it may have at a moment: none before the first of the range. It may be
/// missing only if that is allowed.
#[derive(Clone, Copy, Default, Debug)]
struct Must {
    /// A version up to this was removed, and the removal was acknowledged.
    removed: u64,
    /// This version was acknowledged as stored, and no removal was begun since.
    stored: Option<u64>,
}

fn musts(steps: &[Step]) -> HashMap<u64, Must> {
    let mut musts = HashMap::<u64, Must>::new();
    for step in steps {
        let Step::Mark(mark) = step else { continue };
        let words: Vec<_> = mark.split(' ').collect();
        let must = musts.entry(words[1].parse().unwrap()).or_default();
        let version = words[2].parse().unwrap();
        match words[0] {
            "removing" => must.stored = None,
            "removed" => must.removed = version,
            "stored" => must.stored = Some(version),
            other => panic!("{other}"),
        }
    }
    musts
}

/// Opens an image and checks all keys.
fn inspect(path: &Path, durable: bool, musts: &HashMap<u64, Must>, what: &str) -> Result<u64, Error> {
    let disk = Disk::open(options(path, durable))?;
    let mut found = 0;
    for number in 0..KEYS {
        // `read` panics at a wrong value.
        let version = read(&disk, number);
        found += u64::from(version.is_some());
        let must = musts.get(&number).copied().unwrap_or_default();
        assert!(
            version.is_none_or(|version| version > must.removed),
            "{number} is back: {version:?} {must:?} {what}"
        );
        assert!(
            must.stored.is_none() || version >= must.stored,
            "{number} is lost: {version:?} {must:?} {what}"
        );
    }
    put(&disk, 0, &sealed(0, 1_000_000, 500))?;
    wait(disk.flush())?;
    assert_eq!(read(&disk, 0), Some(1_000_000), "{what}");
    Ok(found)
}

/// How many images of a power failure are made for each moment.
fn each() -> usize {
    if nightly() { 20 } else { 1 }
}

/// A directory in memory, if there is one: thousands of images are opened, and their syncs need not be
/// real.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn power_goes_at_every_moment(durable: bool) {
    if !strace::available() {
        return;
    }
    let place = in_memory();
    let from = place.path().join("recorded");
    let steps = recording(if durable { "durable" } else { "disk" }, &from);
    let mut random = Random::new();
    let (mut images, mut found) = (0, 0);
    for count in (0..=steps.len()).filter(|count| *count == 0 || !matches!(steps[count - 1], Step::Sync(_))) {
        for loss in std::iter::once(Loss::Process).chain(std::iter::repeat_n(Loss::Power, each())) {
            let to = place.path().join("image");
            make_image(&steps, count, loss, &mut random, &from, &to);
            let what = format!("after {count} of {} steps", steps.len());
            found += inspect(&to, durable, &musts(&steps[..count]), &what).unwrap_or_else(|error| {
                panic!("{what}: {error:?}");
            });
            fs::remove_dir_all(&to).unwrap();
            images += 1;
        }
    }
    eprintln!("{images} images, {found} values found in them");
    assert!(found > images, "hardly a value was found: the images are not what they should be");
}

#[test]
fn promise_15_power_loss_yields_no_wrong_value_and_nothing_removed_comes_back() {
    power_goes_at_every_moment(false);
}

#[test]
fn promise_15_what_was_stored_durably_outlives_the_power() {
    power_goes_at_every_moment(true);
}

#[test]
fn promise_15_the_images_show_a_naive_cache_up() {
    if !strace::available() {
        return;
    }
    let place = in_memory();
    let from = place.path().join("recorded");
    let steps = recording("naive", &from);
    let mut random = Random::new();
    let mut wrong = 0;
    for count in 0..=steps.len() {
        let to = place.path().join("image");
        make_image(&steps, count, Loss::Power, &mut random, &from, &to);
        for number in 0..KEYS {
            let value = fs::read(to.join(number.to_string())).ok();
            wrong += u32::from(value.is_some_and(|value| version(number, &value).is_none()));
        }
        let _ = fs::remove_dir_all(&to);
    }
    assert!(wrong > 0, "the images are all too good");
}
