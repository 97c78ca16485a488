//! A directory as this version leaves it. Every later version must read it, or begin another layout beside
//! it.
//!
//! `MEMO_GOLDEN=write cargo test -p memo-engines --all-features --test disk_golden` writes the directory if
//! it is missing. One that is there is never written again.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{flush, key, put, read, sealed};
use memo_engines::conformance::wait;
use memo_engines::{Disk, DiskOptions, Engine as _, Entry, Key, Space};

fn options(path: &Path) -> DiskOptions {
    DiskOptions { large_over: 8 << 10, ..DiskOptions::at(path) }
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/store-v1")
}

/// A key of a space that is cleared before the directory is closed.
fn cleared() -> Key {
    Key { space: Space([8; 16]), digest: [9; 32] }
}

fn write(path: &Path) {
    let disk = Disk::open(options(path)).unwrap();
    for number in 0..6 {
        let len = if number == 0 { 9_000 } else { 100 * number as usize };
        put(&disk, number, &sealed(number, 10 + number, len)).unwrap();
    }
    let over = Entry::new(vec![1]).expires_at(1);
    put(&disk, 6, &over).unwrap();
    wait(disk.put(&cleared(), &Entry::new(vec![2]))).unwrap();
    wait(disk.clear(&cleared().space)).unwrap();
    assert!(wait(disk.remove(&key(5))).unwrap());
    flush(&disk);
}

/// Copies the directory and sets the modes, which a repository does not keep.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, Permissions::from_mode(0o700)).unwrap();
    for file in fs::read_dir(from).unwrap().flatten() {
        let place = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &place);
        } else {
            fs::copy(file.path(), &place).unwrap();
            fs::set_permissions(&place, Permissions::from_mode(0o600)).unwrap();
        }
    }
}

#[test]
fn a_directory_of_the_first_version_is_read() {
    let golden = golden();
    if !golden.exists() && std::env::var_os("MEMO_GOLDEN").is_some_and(|value| value == "write") {
        let place = tempfile::tempdir().unwrap();
        write(&place.path().join("store"));
        copy(&place.path().join("store"), &golden);
        // What a process makes for as long as it is there.
        for name in ["lock", "index.1.sqlite-shm", "index.1.sqlite-wal"] {
            let _ = fs::remove_file(golden.join("v1").join(name));
        }
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    copy(&golden, &path);
    let disk = Disk::open(options(&path)).unwrap();
    for number in 0..5 {
        assert_eq!(read(&disk, number), Some(10 + number));
    }
    assert_eq!(read(&disk, 5), None, "removed");
    assert_eq!(wait(disk.get(&key(6))).unwrap(), None, "expired");
    assert_eq!(wait(disk.get(&cleared())).unwrap(), None, "cleared");
    // It is written to as well.
    put(&disk, 5, &sealed(5, 100, 100)).unwrap();
    flush(&disk);
    disk.sweep().unwrap();
    assert_eq!(read(&disk, 5), Some(100));
    assert_eq!(read(&disk, 0), Some(10), "the content file has its row");
    let names = fs::read_dir(path.join("v1")).unwrap().flatten();
    let names: Vec<_> = names.filter_map(|file| file.file_name().into_string().ok()).collect();
    assert!(!names.iter().any(|name| name.starts_with("damaged")), "{names:?}");
}
