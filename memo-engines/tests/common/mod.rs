//! Helpers that the tests of the disk share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;
use std::process::{Child, Command};

use memo_engines::conformance::wait;
use memo_engines::entry::{Codec, Expected, Label, Stored};
use memo_engines::{Disk, DiskOptions, Engine as _, Entry, Error, ErrorKind, Key, Space};

/// Whether the nightly run with its large sizes is asked for.
pub(crate) fn nightly() -> bool {
    std::env::var_os("MEMO_TEST_NIGHTLY").is_some()
}

/// Random numbers, the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    /// A new seed. It is printed, and `MEMO_TEST_SEED` sets it.
    pub(crate) fn new() -> Self {
        let seed = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| memo_engines::utc_now() | 1);
        eprintln!("MEMO_TEST_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }
}

pub(crate) fn key(number: u64) -> Key {
    let mut digest = [0; 32];
    for (at, part) in digest.chunks_mut(8).enumerate() {
        let mixed = (number * 4 + at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        part.copy_from_slice(&mixed.to_le_bytes());
    }
    Key { space: Space([7; 16]), digest }
}

/// A payload that holds its key and shows whether it is whole.
pub(crate) fn payload(number: u64, version: u64, len: usize) -> Vec<u8> {
    let mut head = [0; 24];
    head[..8].copy_from_slice(&number.to_le_bytes());
    head[8..16].copy_from_slice(&version.to_le_bytes());
    head[16..].copy_from_slice(&(len as u64).to_le_bytes());
    head.iter().copied().cycle().take(len.max(24)).collect()
}

/// The version of a payload, if it is whole and belongs to this key.
pub(crate) fn version(number: u64, bytes: &[u8]) -> Option<u64> {
    let (head, _) = bytes.split_first_chunk::<24>()?;
    let part = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
    let whole = part(0) == number
        && bytes.len() as u64 == part(16).max(24)
        && bytes.iter().zip(head.iter().cycle()).all(|(byte, head)| byte == head);
    whole.then(|| part(8))
}

/// An entry as `memo` stores it.
pub(crate) fn sealed(number: u64, version: u64, len: usize) -> Entry {
    let label = Label {
        identity: [3; 16],
        key: key(number).digest,
        fingerprint: 4,
        created: 1,
        expires: None,
        stale: 0,
        cost: 0,
        codec: Codec::RAW,
    };
    Entry::new(label.seal(payload(number, version, len)))
}

/// What `memo` makes of what the disk returns: a version, or a miss. Anything else is a wrong value.
pub(crate) fn read(disk: &Disk, number: u64) -> Option<u64> {
    let expected = Expected {
        identity: [3; 16],
        key: key(number).digest,
        fingerprint: 4,
        codec: Codec::RAW,
        now: memo_engines::utc_now(),
    };
    let entry = wait(disk.get(&key(number))).ok()??;
    let stored = Stored::open(&entry.bytes, &expected).ok()?;
    Some(version(number, stored.payload).expect("a wrong value was taken for a right one"))
}

/// Puts an entry. Waits while there is no room.
pub(crate) fn put(disk: &Disk, number: u64, entry: &Entry) -> Result<(), Error> {
    loop {
        match wait(disk.put(&key(number), entry)) {
            Err(error) if error.kind() == ErrorKind::Full && error.to_string().contains("queue") => {
                wait(disk.flush())?;
            }
            done => return done,
        }
    }
}

pub(crate) fn flush(disk: &Disk) {
    wait(disk.flush()).expect("failed to flush");
}

pub(crate) fn open(path: &Path) -> Disk {
    Disk::open(DiskOptions::at(path)).expect("failed to open the disk")
}

/// The size of all files below a directory, in bytes.
pub(crate) fn size(path: &Path) -> u64 {
    let Ok(list) = std::fs::read_dir(path) else { return 0 };
    list.flatten()
        .map(|file| match file.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&file.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// A process that runs one test function of this binary. `MEMO_TEST_CHILD` says what it has to do.
pub(crate) fn child(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("MEMO_TEST_CHILD", role);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command
}

/// What this child has to do. `None` in a run of all tests.
pub(crate) fn role() -> Option<String> {
    std::env::var("MEMO_TEST_CHILD").ok()
}

/// Kills a child at once.
pub(crate) fn kill(mut child: Child) {
    child.kill().expect("a child of ours can be killed");
    child.wait().expect("a child of ours can be waited for");
}
