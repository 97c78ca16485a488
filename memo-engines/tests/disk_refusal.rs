//! Promises 18 and 19 for the disk: what others planted is refused, and a disk that is full or read-only costs
//! nobody more than a miss.
#![cfg(unix)]

mod common;
#[allow(unreachable_pub, reason = "it is public where it stands")]
#[path = "../../tests/src/skipped.rs"]
mod skipped;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{flush, key, payload, put};
use memo_engines::conformance::wait;
use memo_engines::{
    Calls, CircuitState, Disk, DiskOptions, Engine, Entry, Error, ErrorKind, GuardOptions, Guarded,
};

/// The number of an unprivileged user.
const NOBODY: u32 = 65_534;

fn refused(path: &Path) -> Error {
    let error = Disk::open(DiskOptions::at(path)).expect_err("it must not be used");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    error
}

fn is_root() -> bool {
    // Root owns what root makes; a test that runs as another sees another's number.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::os::unix::fs::MetadataExt::uid(&file.as_file().metadata().unwrap()) == 0
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn promise_19_everything_it_makes_is_for_its_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("some/where");
    let disk = common::open(&path);
    put(&disk, 1, &Entry::new(payload(1, 1, 200_000))).unwrap();
    put(&disk, 2, &Entry::new(payload(2, 1, 200))).unwrap();
    flush(&disk);
    for directory in [path.clone(), path.join("v1"), path.join("v1/content")] {
        assert_eq!(mode(&directory), 0o700, "{}", directory.display());
        for file in fs::read_dir(directory).unwrap().flatten().filter(|file| file.path().is_file()) {
            assert_eq!(mode(&file.path()), 0o600, "{}", file.path().display());
        }
    }
    assert_eq!(fs::read_dir(path.join("v1/content")).unwrap().count(), 1);
}

#[test]
fn promise_19_a_symbolic_link_is_no_directory_of_ours() {
    let parent = tempfile::tempdir().unwrap();
    let victim = parent.path().join("victim");
    fs::create_dir(&victim).unwrap();
    symlink(&victim, parent.path().join("cache")).unwrap();
    let error = refused(&parent.path().join("cache"));
    assert!(error.to_string().contains("symbolic link"), "{error}");

    let inner = parent.path().join("inner");
    fs::create_dir(&inner).unwrap();
    symlink(&victim, inner.join("v1")).unwrap();
    refused(&inner);
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0, "nothing was written through the link");
}

#[test]
fn promise_19_an_index_that_is_a_symbolic_link_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    drop(common::open(directory.path()));
    let victim = directory.path().join("victim");
    fs::write(&victim, b"precious").unwrap();
    for name in ["index.1.sqlite", "index.7.sqlite"] {
        let index = directory.path().join("v1").join(name);
        let _ = fs::remove_file(&index);
        symlink(&victim, &index).unwrap();
        let error = refused(directory.path());
        assert!(error.to_string().contains("plain file"), "{error}");
        fs::remove_file(&index).unwrap();
    }
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn promise_19_a_content_file_that_is_a_symbolic_link_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let disk = common::open(directory.path());
    let entry = Entry::new(payload(1, 1, 200_000));
    put(&disk, 1, &entry).unwrap();
    flush(&disk);
    let content = directory.path().join("v1/content");
    let file = fs::read_dir(content).unwrap().flatten().next().unwrap().path();
    let victim = directory.path().join("victim");
    fs::write(&victim, vec![b'x'; 200_000]).unwrap();
    fs::remove_file(&file).unwrap();
    symlink(&victim, &file).unwrap();
    assert!(!matches!(wait(disk.get(&key(1))), Ok(Some(_))), "it was read through the link");
    put(&disk, 1, &entry).unwrap();
    flush(&disk);
    assert_eq!(wait(disk.get(&key(1))).unwrap(), Some(entry));
    assert_eq!(fs::read(&victim).unwrap(), vec![b'x'; 200_000]);
}

/// Something else than a file, in a file's place.
#[derive(Clone, Copy, Debug)]
enum Planted {
    Pipe,
    Directory,
    Link,
    Dangling,
    Socket,
}

impl Planted {
    const ALL: [Self; 5] = [Self::Pipe, Self::Directory, Self::Link, Self::Dangling, Self::Socket];

    fn plant(self, place: &Path, victim: &Path) {
        let _ = fs::remove_file(place);
        match self {
            Self::Pipe => assert!(Command::new("mkfifo").arg(place).status().unwrap().success()),
            Self::Directory => fs::create_dir(place).unwrap(),
            Self::Link => symlink(victim, place).unwrap(),
            Self::Dangling => symlink(victim.with_file_name("nothing"), place).unwrap(),
            Self::Socket => drop(std::os::unix::net::UnixListener::bind(place).unwrap()),
        }
    }

    fn uproot(self, place: &Path) {
        let removed = match self {
            Self::Directory => fs::remove_dir(place),
            _ => fs::remove_file(place),
        };
        // What was set aside, or swept, is gone by itself.
        assert!(removed.is_ok() || fs::symlink_metadata(place).is_err(), "{self:?} {}", place.display());
    }
}

#[test]
fn promise_19_what_is_planted_in_place_of_a_file_is_neither_used_nor_waited_for() {
    for name in
        ["lock", "index.1.sqlite", "index.1.sqlite-wal", "index.1.sqlite-shm", "index.1.sqlite-journal"]
    {
        for planted in Planted::ALL {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("cache");
            let victim = directory.path().join("victim");
            fs::write(&victim, b"precious").unwrap();
            {
                let disk = common::open(&path);
                put(&disk, 1, &Entry::new(payload(1, 1, 100))).unwrap();
                flush(&disk);
            }
            let place = path.join("v1").join(name);
            planted.plant(&place, &victim);
            let begun = Instant::now();
            // Whether it can do without is its own affair; it must not hang, and what it gives must be right.
            if let Ok(disk) = Disk::open(DiskOptions::at(&path)) {
                let found = wait(disk.get(&key(1))).ok().flatten();
                assert!(found.is_none_or(|entry| common::version(1, &entry.bytes) == Some(1)));
                let _ = put(&disk, 1, &Entry::new(payload(1, 2, 100)));
                let _ = wait(disk.flush());
                let found = wait(disk.get(&key(1))).ok().flatten();
                assert!(found.is_none_or(|entry| common::version(1, &entry.bytes).is_some()));
            }
            let what = format!("{planted:?} as {name}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{what}: {:?}", begun.elapsed());
            assert_eq!(fs::read(&victim).unwrap(), b"precious", "{what}");
            assert!(
                fs::symlink_metadata(directory.path().join("nothing")).is_err(),
                "{what}: made through a link"
            );
            planted.uproot(&place);
            let disk = common::open(&path);
            let entry = Entry::new(payload(2, 1, 100));
            put(&disk, 2, &entry).unwrap();
            flush(&disk);
            assert_eq!(wait(disk.get(&key(2))).unwrap(), Some(entry), "{what}: well again");
        }
    }
}

#[test]
fn promise_19_what_is_planted_in_place_of_a_content_file_is_neither_read_nor_waited_for() {
    for planted in Planted::ALL {
        let directory = tempfile::tempdir().unwrap();
        let victim = directory.path().join("victim");
        let entry = Entry::new(payload(1, 1, 200_000));
        fs::write(&victim, &entry.bytes[..]).unwrap();
        let path = directory.path().join("cache");
        let disk = common::open(&path);
        put(&disk, 1, &entry).unwrap();
        flush(&disk);
        let file = fs::read_dir(path.join("v1/content")).unwrap().flatten().next().unwrap().path();
        planted.plant(&file, &victim);
        let (sender, answer) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| sender.send(wait(disk.get(&key(1))).ok().flatten()).unwrap());
            let answer = answer.recv_timeout(Duration::from_secs(20));
            // So that the test ends: a reader of a pipe waits for a writer.
            let _writer = answer.is_err().then(|| fs::OpenOptions::new().read(true).write(true).open(&file));
            assert_eq!(answer.expect("it hangs"), None, "{planted:?} was read");
        });
        // Whatever it is, writing the entry anew makes it whole.
        put(&disk, 1, &entry).unwrap();
        flush(&disk);
        assert_eq!(wait(disk.get(&key(1))).unwrap().as_ref(), Some(&entry), "{planted:?}");
        assert_eq!(fs::read(&victim).unwrap(), &entry.bytes[..], "{planted:?}");
    }
}

#[test]
fn promise_19_hostile_names_beside_ours_are_left_alone() {
    use std::os::unix::ffi::OsStrExt as _;
    let names: [&[u8]; 14] = [
        b"index.18446744073709551615.sqlite",
        b"index.4294967295.sqlite",
        b"index.01.sqlite",
        b"index.+7.sqlite",
        b"index.99999999999999999999.sqlite",
        b"index.-1.sqlite",
        b"index..sqlite",
        b"index.1.sqlite.sqlite",
        b"\xff\xfe not utf-8",
        b"line\nbreak",
        b"-rf",
        b"00000000000000AB",
        b"+000000000000001",
        b"%2e%2e",
    ];
    let directory = tempfile::tempdir().unwrap();
    let disk = common::open(directory.path());
    put(&disk, 2, &Entry::new(payload(2, 1, 200))).unwrap();
    flush(&disk);
    drop(disk);
    let v1 = directory.path().join("v1");
    for name in names {
        for place in [v1.clone(), v1.join("content")] {
            fs::write(place.join(std::ffi::OsStr::from_bytes(name)), b"not ours").unwrap();
        }
    }
    let disk = common::open(directory.path());
    put(&disk, 1, &Entry::new(payload(1, 1, 200_000))).unwrap();
    flush(&disk);
    disk.sweep().unwrap();
    assert!(wait(disk.get(&key(1))).unwrap().is_some());
    assert!(wait(disk.get(&key(2))).unwrap().is_some(), "what was stored before them is lost");
    for name in names {
        for place in [v1.clone(), v1.join("content")] {
            let file = place.join(std::ffi::OsStr::from_bytes(name));
            assert_eq!(fs::read(&file).unwrap(), b"not ours", "{}", file.display());
        }
    }
}

#[test]
fn promise_19_a_directory_that_others_may_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    fs::create_dir(&path).unwrap();
    for open in [0o777, 0o1777, 0o770, 0o722] {
        fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
        let error = refused(&path);
        assert!(error.to_string().contains("chmod go-w"), "{error}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    drop(common::open(&path));

    let above = directory.path().join("above");
    fs::create_dir(&above).unwrap();
    fs::set_permissions(&above, Permissions::from_mode(0o777)).unwrap();
    let error = refused(&above.join("cache"));
    assert!(error.to_string().contains("above it"), "{error}");
    fs::set_permissions(&above, Permissions::from_mode(0o1777)).unwrap();
    drop(common::open(&above.join("cache")));
}

#[test]
fn promise_19_another_users_directory_is_refused() {
    if !is_root() {
        skipped::skipped("only root can make another's directory");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    fs::create_dir(&path).unwrap();
    chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    let error = refused(&path);
    assert!(error.to_string().contains("another user"), "{error}");

    let path = directory.path().join("mine");
    drop(common::open(&path));
    chown(path.join("v1/index.1.sqlite"), Some(NOBODY), None).unwrap();
    let error = refused(&path);
    assert!(error.to_string().contains("another user"), "{error}");
}

#[test]
fn promise_19_who_may_replace_the_directory_is_root_or_this_user() {
    if !is_root() {
        skipped::skipped("only root can make another's directory");
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let above = parent.path().join("above");
    fs::create_dir_all(above.join("between")).unwrap();
    let path = above.join("between/cache");
    let anew = |owner: Option<u32>, mode: u32| {
        chown(&above, Some(owner.unwrap_or(0)), None).unwrap();
        fs::set_permissions(&above, Permissions::from_mode(mode)).unwrap();
    };
    let another = Some(NOBODY);
    for (owner, mode, cure) in [
        (another, 0o755, "chown"),
        (another, 0o1755, "chown"),
        (another, 0o1777, "chown"),
        (None, 0o775, "chmod g-w"),
        (None, 0o757, "chmod o-w"),
        (None, 0o777, "chmod go-w"),
    ] {
        anew(owner, mode);
        let error = refused(&path).to_string();
        let owner = owner.unwrap_or(0);
        for part in [&above.display().to_string(), &format!("user {owner}"), &format!("{mode:04o}"), cure] {
            assert!(error.contains(part), "no {part:?} in {error}");
        }
        assert_eq!(fs::read_dir(above.join("between")).unwrap().count(), 0, "something was made there");
    }
    for mode in [0o755, 0o1777, 0o1775, 0o711] {
        anew(None, mode);
        drop(common::open(&path));
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn promise_19_a_symbolic_link_on_the_way_is_followed_if_root_or_this_user_made_it() {
    if !is_root() {
        skipped::skipped("only root can make another's link");
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let real = parent.path().join("real");
    fs::create_dir(&real).unwrap();
    let link = parent.path().join("link");
    for target in [&real, Path::new("real"), Path::new("./real/../real")] {
        symlink(target, &link).unwrap();
        let disk = common::open(&link.join("cache"));
        assert_eq!(disk.path(), real.canonicalize().unwrap().join("cache"));
        drop(disk);
        std::os::unix::fs::lchown(&link, Some(NOBODY), None).unwrap();
        let error = refused(&link.join("cache")).to_string();
        assert!(error.contains(&link.display().to_string()) && error.contains("symbolic link"), "{error}");
        fs::remove_file(&link).unwrap();
    }
    symlink("link", &link).unwrap();
    refused(&link.join("cache"));
}

/// Plays a role as an unprivileged user: "role path". Succeeds if all was as it should be.
#[test]
fn unprivileged() {
    let Some(role) = common::role() else { return };
    let (what, path) = role.split_once(' ').unwrap();
    let path = Path::new(path);
    match what {
        // Another's directory, a directory without the right to write, one that cannot be made.
        "refused" => drop(refused(path)),
        "only-reads" => only_reads(&common::open(path), "may only read there"),
        "read-only-later" => {
            let disk = common::open(path);
            let entry = Entry::new(payload(1, 1, 200_000));
            put(&disk, 1, &entry).unwrap();
            flush(&disk);
            fs::set_permissions(path.join("v1/content"), Permissions::from_mode(0o500)).unwrap();
            let _ = put(&disk, 2, &Entry::new(payload(2, 1, 200_000)));
            let _ = wait(disk.flush());
            assert_eq!(wait(disk.get(&key(1))).unwrap(), Some(entry), "what is there is still read");
            assert_eq!(wait(disk.get(&key(2))).unwrap(), None);
            assert!(disk.stats().failed > 0);
            fs::set_permissions(path.join("v1/content"), Permissions::from_mode(0o700)).unwrap();
            std::thread::sleep(Duration::from_millis(600));
            put(&disk, 2, &Entry::new(payload(2, 1, 200_000))).unwrap();
            flush(&disk);
            assert!(wait(disk.get(&key(2))).unwrap().is_some(), "it is well again");
        }
        other => panic!("no role {other}"),
    }
}

/// Has an unprivileged user play this role of [`unprivileged`], in a directory that everybody may read.
fn as_nobody(parent: &Path, what: &str, path: &Path) {
    // The binary stands where nobody may look; a copy of it does not.
    let binary = parent.join("binary");
    if !binary.exists() {
        fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    }
    let output = Command::new(&binary)
        .args(["--exact", "unprivileged", "--nocapture", "--test-threads=1"])
        .env("MEMO_TEST_CHILD", format!("{what} {}", path.display()))
        .current_dir(parent)
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{what} {}: {said}", path.display());
}

#[test]
fn promise_19_an_unprivileged_user_is_kept_out_and_survives_losing_the_right_to_write() {
    if !is_root() {
        skipped::skipped("only root can become another user");
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), Permissions::from_mode(0o755)).unwrap();
    let root = parent.path().join("root");
    drop(common::open(&root));
    let closed = parent.path().join("closed");
    fs::create_dir(&closed).unwrap();
    chown(&closed, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o500)).unwrap();
    let own = parent.path().join("own");
    fs::create_dir(&own).unwrap();
    chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
    for (what, path) in [
        ("refused", root.clone()),
        ("refused", root.join("below")),
        ("refused", closed.clone()),
        ("read-only-later", own.join("cache")),
    ] {
        as_nobody(parent.path(), what, &path);
    }
}

/// A file system of two megabytes, unmounted when it is dropped.
struct Small<'p>(&'p Path);

impl<'p> Small<'p> {
    fn mount(path: &'p Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs"]).arg(path);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn promise_18_a_full_disk_costs_a_miss_and_is_used_again_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_mounted) = Small::mount(directory.path()) else {
        skipped::skipped("this process may not mount a tmpfs");
        return;
    };
    let disk = common::open(directory.path());
    put(&disk, 0, &Entry::new(payload(0, 1, 1000))).unwrap();
    flush(&disk);
    let mut failures = 0;
    for number in 1..400 {
        // Small ones into the index, large ones as files: both meet the end of the disk.
        let len = if number % 10 == 0 { 100_000 } else { 5_000 };
        let begun = Instant::now();
        failures += u32::from(put(&disk, number, &Entry::new(payload(number, 1, len))).is_err());
        failures += u32::from(number % 20 == 0 && wait(disk.flush()).is_err());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    assert!(failures > 0, "two megabytes held three");
    assert!(disk.stats().failed + disk.stats().refused > 0);
    for number in 0..400 {
        if let Ok(Some(entry)) = wait(disk.get(&key(number))) {
            assert_eq!(common::version(number, &entry.bytes), Some(1), "a wrong value");
        }
    }
    // Nothing was left behind that no row names.
    let content = directory.path().join("v1/content");
    let files = || fs::read_dir(&content).unwrap().count();
    let _ = disk.sweep();
    for file in fs::read_dir(&content).unwrap().flatten() {
        fs::remove_file(file.path()).unwrap();
    }
    assert_eq!(files(), 0);
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let entry = Entry::new(payload(1, 2, 1000));
        if put(&disk, 1, &entry).is_ok() && wait(disk.flush()).is_ok() {
            assert_eq!(wait(disk.get(&key(1))).unwrap(), Some(entry));
            break;
        }
        assert!(Instant::now() < until, "there is room again, and it is not used");
    }
}

#[test]
fn promise_18_a_full_disk_is_read_all_the_while_and_opens_the_circuit_of_writes_once() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_mounted) = Small::mount(directory.path()) else {
        skipped::skipped("this process may not mount a tmpfs");
        return;
    };
    let disk = common::open(&directory.path().join("cache"));
    let entry = Entry::new(payload(0, 1, 5000));
    put(&disk, 0, &entry).unwrap();
    flush(&disk);
    // Time is not what is tested.
    let guarded =
        Guarded::new(disk, GuardOptions { budget: Duration::from_secs(20), ..GuardOptions::default() });
    assert!(wait(guarded.get(&key(0))).unwrap().is_some());
    let ballast = directory.path().join("ballast");
    assert!(fs::write(&ballast, vec![0; 4 << 20]).is_err(), "two megabytes held four");
    let until = Instant::now() + Duration::from_secs(3);
    let mut number = 0;
    while Instant::now() < until {
        number += 1;
        let _ = wait(guarded.put(&key(number), &Entry::new(payload(number, 1, 50_000))));
        assert_eq!(wait(guarded.get(&key(0))).unwrap().as_ref(), Some(&entry));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(guarded.stats().opened, 1);
    assert_eq!(guarded.circuit_of(Calls::Reads), CircuitState::Closed);
    fs::remove_file(&ballast).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while guarded.circuit() != CircuitState::Closed {
        assert!(Instant::now() < until, "there is room again, and it is not used");
        let _ = wait(guarded.put(&key(1), &Entry::new(payload(1, 1, 50_000))));
        std::thread::sleep(Duration::from_millis(50));
    }
    wait(guarded.flush()).unwrap();
    assert!(wait(guarded.get(&key(1))).unwrap().is_some());
}

#[test]
fn promise_19_a_damaged_index_of_the_last_number_is_told_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    drop(common::open(directory.path()));
    let last = directory.path().join("v1/index.4294967294.sqlite");
    fs::write(&last, [b'x'; 8192]).unwrap();
    fs::set_permissions(&last, Permissions::from_mode(0o600)).unwrap();
    let error = Disk::open(DiskOptions::at(directory.path())).unwrap_err();
    assert!(error.to_string().contains("index.4294967294.sqlite"), "{error}");
    fs::remove_file(&last).unwrap();
    drop(common::open(directory.path()));
}

/// Puts one entry into the index and one into a file, and closes.
fn fill(path: &Path) {
    let disk = common::open(path);
    put(&disk, 1, &Entry::new(payload(1, 1, 200))).unwrap();
    put(&disk, 2, &Entry::new(payload(2, 1, 200_000))).unwrap();
    flush(&disk);
}

/// Checks that entries are found, and that a put is refused with the reason.
fn only_reads(disk: &Disk, why: &str) {
    for (number, len) in [(1, 200), (2, 200_000), (1, 200)] {
        let found = wait(disk.get(&key(number))).unwrap();
        assert_eq!(found, Some(Entry::new(payload(number, 1, len))), "{number}");
    }
    assert_eq!(wait(disk.get(&key(3))).unwrap(), None);
    for _ in 0..3 {
        let error = put(disk, 3, &Entry::new(payload(3, 1, 200))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(wait(disk.remove(&key(1))).is_err());
    assert!(wait(disk.get(&key(1))).unwrap().is_some());
}

#[test]
fn promise_18_a_store_on_a_file_system_that_is_mounted_read_only_is_read() {
    let mounted = tempfile::tempdir().unwrap();
    let Some(_mounted) = Small::mount(mounted.path()) else {
        skipped::skipped("this process may not mount a tmpfs");
        return;
    };
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{how}")]).arg(mounted.path());
        assert!(mount.status().unwrap().success());
    };
    // A name that is none in a URI.
    let closed = mounted.path().join("ca?che #1%41");
    fill(&closed);
    // One whose process was killed: there is something in its log.
    let killed = mounted.path().join("killed");
    let elsewhere = tempfile::tempdir().unwrap();
    let disk = common::open(elsewhere.path());
    put(&disk, 1, &Entry::new(payload(1, 1, 200))).unwrap();
    put(&disk, 2, &Entry::new(payload(2, 1, 200_000))).unwrap();
    flush(&disk);
    assert!(Command::new("cp").arg("-a").arg(elsewhere.path()).arg(&killed).status().unwrap().success());
    drop(disk);
    assert!(fs::metadata(killed.join("v1/index.1.sqlite-wal")).unwrap().len() > 0);
    let empty = mounted.path().join("empty");
    fs::create_dir(&empty).unwrap();

    remount("ro");
    refused(&empty);
    let disk = common::open(&closed);
    only_reads(&disk, "mounted read-only");
    only_reads(&common::open(&killed), "mounted read-only");

    // It is written as soon as it may be.
    remount("rw");
    let until = Instant::now() + Duration::from_secs(20);
    let entry = Entry::new(payload(3, 1, 200));
    while put(&disk, 3, &entry).is_err() {
        assert!(Instant::now() < until, "it may be written, and is not");
        std::thread::sleep(Duration::from_millis(50));
    }
    flush(&disk);
    assert_eq!(wait(common::open(&closed).get(&key(3))).unwrap(), Some(entry));
    assert!(wait(disk.get(&key(2))).unwrap().is_some());
}

#[test]
fn promise_18_a_store_of_roots_is_read_by_others() {
    if !is_root() {
        skipped::skipped("only root can become another user");
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), Permissions::from_mode(0o755)).unwrap();
    let path = parent.path().join("cache");
    fill(&path);
    assert!(Command::new("chmod").args(["-R", "a+rX"]).arg(&path).status().unwrap().success());
    as_nobody(parent.path(), "only-reads", &path);
    // While root has it open, too.
    let disk = common::open(&path);
    assert!(wait(disk.get(&key(1))).unwrap().is_some());
    as_nobody(parent.path(), "only-reads", &path);
    put(&disk, 1, &Entry::new(payload(1, 1, 200))).unwrap();
    flush(&disk);
    as_nobody(parent.path(), "only-reads", &path);
}
