//! The directory: made, checked, locked, and the content files in it.
//!
//! What others could have planted is refused rather than used: the directory must be the user's own or root's, no
//! other may write to it or to those it stands in (`way`), and nothing in it is reached through a symbolic link. Files
//! are opened relative to the directory that was checked, so that it cannot be exchanged in between; only SQLite
//! insists on a path, gets the resolved one, and is not used where that led elsewhere.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind};

/// The layout inside the directory. Another layout gets another name, and lives beside this one.
const LAYOUT: &str = "v1";

/// The largest number of an index: one is used up by each that is damaged.
pub(super) const LAST_INDEX: u64 = u32::MAX as u64 - 1;

/// A directory that was found fit to be used.
pub(super) struct Directory {
    /// Free of symbolic links.
    path: PathBuf,
    root: platform::Dir,
    content: platform::Dir,
    /// Calls to it may hang for as long as a server or another process pleases.
    pub(super) remote: bool,
    /// As it was opened.
    pub(super) access: Access,
}

/// What may be done in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    /// Others may write there; this process may not.
    Read,
    /// The file system is mounted read-only: nobody writes.
    Frozen,
}

impl Access {
    /// Why nothing is written, and what to do about it.
    pub(super) fn problem(self) -> Option<&'static str> {
        match self {
            Self::Write => None,
            Self::Read => Some("this user may only read there; chown it, or set another path"),
            Self::Frozen => Some("its file system is mounted read-only; set another path to keep more"),
        }
    }
}

/// Why something is not used.
pub(super) enum Refusal {
    Io(io::Error),
    Because(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(unix)]
impl From<rustix::io::Errno> for Refusal {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Held by the one process that makes, or sets aside, an index.
pub(super) struct Lock {
    _file: File,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let refused = |refusal| match refusal {
            Refusal::Io(error) => Error::io(format!("open {}", path.display()), error),
            Refusal::Because(problem) => {
                let context = format!("use {}: {problem}", path.display());
                Error::new(ErrorKind::Unavailable, context)
            }
        };
        let open = || {
            let (resolved, directory) = platform::open(path)?;
            directory.check("it")?;
            let root = directory.sub(LAYOUT)?;
            root.check(LAYOUT)?;
            let content = root.sub("content")?;
            content.check("content")?;
            Ok((resolved.join(LAYOUT), root, content))
        };
        let (resolved, root, content) = open().map_err(refused)?;
        let (remote, access) = (root.is_remote(), root.access());
        Ok(Self { path: resolved, root, content, remote, access })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is still what its name leads to, and was not removed, moved away, or replaced. One that could only be
    /// read is another once it may be written.
    pub(super) fn is_in_place(&self) -> bool {
        let stands = |dir: &platform::Dir, path: &Path| {
            let (open, named) = (dir.id(), platform::id(path));
            open.is_ok_and(|open| named.is_ok_and(|named| named == open))
        };
        let thawed = self.access != Access::Write && self.root.access() != self.access;
        !thawed && stands(&self.root, &self.path) && stands(&self.content, &self.path.join("content"))
    }

    /// Waits for the lock, but no longer than `wait`.
    pub(super) fn lock(&self, wait: Duration) -> Result<Lock, Error> {
        let begun = Instant::now();
        loop {
            match self.root.try_lock("lock") {
                Ok(Some(file)) => return Ok(Lock { _file: file }),
                Ok(None) if begun.elapsed() < wait => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(Error::new(ErrorKind::Timeout, "lock the directory")),
                Err(error) => return Err(Error::io("lock the directory", error)),
            }
        }
    }

    /// The number of the newest index, 0 where there is none.
    pub(super) fn newest_index(&self) -> Result<u64, Error> {
        let list = self.root.list().map_err(|error| Error::io("list the directory", error))?;
        Ok(list.iter().filter_map(|name| index_number(name)).max().unwrap_or(0))
    }

    pub(super) fn index(&self, number: u64) -> PathBuf {
        self.path.join(index_name(number))
    }

    /// Makes the file of an index unless it is there, and tells which file it is.
    pub(super) fn prepare_index(&self, number: u64) -> Result<FileId, Error> {
        match self.root.create(&index_name(number)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("make the index", error)),
        }
        self.find_index(number)
    }

    /// Tells which file an index is.
    pub(super) fn find_index(&self, number: u64) -> Result<FileId, Error> {
        let name = index_name(number);
        let refused = |refusal| match refusal {
            Refusal::Io(error) => Error::io("look at the index", error),
            Refusal::Because(problem) => {
                Error::new(ErrorKind::Unavailable, format!("use the index: {problem}"))
            }
        };
        // SQLite opens these by their names, and would wait for ever at the end of a pipe.
        for suffix in ["-journal", "-wal", "-shm"] {
            self.root.identify(&format!("{name}{suffix}")).map_err(refused)?;
        }
        // Looked at, not opened: to close any handle to a file that SQLite has open drops SQLite's locks.
        let missing = || Error::new(ErrorKind::Unavailable, "find the index");
        self.root.identify(&name).map_err(refused)?.ok_or_else(missing)
    }

    /// Whether this index is still the file that was opened.
    pub(super) fn is_still(&self, number: u64, id: FileId) -> bool {
        matches!(self.root.identify(&index_name(number)), Ok(Some(now)) if now == id)
    }

    /// Renames an index and what belongs to it, out of the way; drops what was set aside before, and what is
    /// larger than `keep` bytes. Tells where it is now, if it was kept.
    pub(super) fn set_aside(&self, number: u64, keep: u64) -> io::Result<Option<PathBuf>> {
        for old in self.root.list()?.iter().filter(|name| name.starts_with("damaged.")) {
            self.root.remove(old)?;
        }
        let index = index_name(number);
        let damaged = format!("damaged.{number}.sqlite");
        let too_large = self.root.len(&index)? > keep;
        // The index goes last: it is by its absence that other processes notice.
        for suffix in ["-shm", "-wal", ""] {
            let from = format!("{index}{suffix}");
            let done = if too_large || suffix == "-shm" {
                self.root.remove(&from)
            } else {
                self.root.rename(&from, &format!("{damaged}{suffix}"))
            };
            match done {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok((!too_large).then(|| self.path.join(damaged)))
    }

    /// Whether the file system lets us write to an index.
    pub(super) fn may_write_index(&self, number: u64) -> bool {
        self.root.may_write(&index_name(number))
    }

    /// The size of an index, in bytes.
    pub(super) fn index_size(&self, number: u64) -> u64 {
        self.root.len(&index_name(number)).unwrap_or(0)
    }

    /// The size of an index's log, in bytes.
    pub(super) fn log_size(&self, number: u64) -> u64 {
        self.root.len(&format!("{}-wal", index_name(number))).unwrap_or(0)
    }

    /// Writes a content file that does not exist yet. A file that could not be written whole is removed.
    pub(super) fn write_content(&self, number: i64, bytes: &[u8], sync: bool) -> io::Result<()> {
        let name = content_name(number);
        let mut file = self.content.create(&name)?;
        let written = file.write_all(bytes).and_then(|()| if sync { file.sync_all() } else { Ok(()) });
        if written.is_err() {
            let _ = self.content.remove(&name);
        }
        written
    }

    /// Makes the names of new content files as durable as their bytes.
    pub(super) fn sync_content(&self) -> io::Result<()> {
        self.content.sync()
    }

    /// The bytes of a content file, if it has exactly `size` of them.
    pub(super) fn read_content(&self, number: i64, size: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.content.open_file(&content_name(number)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // The size is that of the file before it is that of an allocation.
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() != size {
            return Ok(None);
        }
        let bytes = platform::read(file, size as usize)?;
        Ok((bytes.len() as u64 == size).then_some(bytes))
    }

    pub(super) fn remove_content(&self, number: i64) -> io::Result<()> {
        match self.content.remove(&content_name(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// The numbers of all content files. What is not named as one of ours is left alone.
    pub(super) fn contents(&self) -> io::Result<impl Iterator<Item = i64>> {
        Ok(self.content.list()?.into_iter().filter_map(|name| content_number(&name)))
    }
}

/// What tells one file from all others of the machine.
pub(super) type FileId = (u64, u64);

fn index_name(number: u64) -> String {
    format!("index.{number}.sqlite")
}

/// The number of an index by its name. One that is larger than we would ever come to, or written otherwise than we
/// write it, is not ours.
fn index_number(name: &str) -> Option<u64> {
    let number = name.strip_prefix("index.")?.strip_suffix(".sqlite")?.parse().ok()?;
    (number <= LAST_INDEX && name == index_name(number)).then_some(number)
}

fn content_name(number: i64) -> String {
    format!("{number:016x}")
}

fn content_number(name: &str) -> Option<i64> {
    let number = u64::from_str_radix(name, 16).ok()?.cast_signed();
    (name == content_name(number)).then_some(number)
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, StatVfsMountFlags};
    use rustix::io::Errno;

    use super::super::way::{self, is_trusted, rights};
    use super::{Access, FileId, Refusal};

    /// Opens a directory, made where it is missing, if nobody else could put another in its place. Tells where it is.
    pub(in super::super) fn open(path: &Path) -> Result<(PathBuf, Dir), Refusal> {
        let (path, dir) = way::open(path)?;
        Ok((path, Dir(dir)))
    }

    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ by platform")]
    fn file_id(stat: &rustix::fs::Stat) -> FileId {
        (stat.st_dev as u64, stat.st_ino as u64)
    }

    /// What a name leads to, itself and not what a symbolic link says.
    pub(in super::super) fn id(path: &Path) -> io::Result<FileId> {
        Ok(file_id(&rustix::fs::lstat(path)?))
    }

    pub(in super::super) struct Dir(rustix::fd::OwnedFd);

    impl Dir {
        pub(in super::super) fn access(&self) -> Access {
            let is_frozen = |stat: rustix::fs::StatVfs| stat.f_flag.contains(StatVfsMountFlags::RDONLY);
            if rustix::fs::fstatvfs(&self.0).is_ok_and(is_frozen) {
                return Access::Frozen;
            }
            let wanted = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
            match rustix::fs::accessat(&self.0, ".", wanted, AtFlags::EACCESS) {
                Err(Errno::ACCESS | Errno::PERM) => Access::Read,
                _ => Access::Write,
            }
        }

        pub(in super::super) fn id(&self) -> io::Result<FileId> {
            Ok(file_id(&rustix::fs::fstat(&self.0)?))
        }

        /// A directory in this one, made where it is missing.
        pub(in super::super) fn sub(&self, name: &str) -> Result<Self, Refusal> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let open = || rustix::fs::openat(&self.0, name, flags, Mode::empty());
            let mut opened = open();
            if matches!(opened, Err(Errno::NOENT)) {
                match rustix::fs::mkdirat(&self.0, name, Mode::RWXU) {
                    Ok(()) | Err(Errno::EXIST) => opened = open(),
                    Err(error) => return Err(error.into()),
                }
            }
            match opened {
                Ok(dir) => Ok(Self(dir)),
                Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {
                    Err(Refusal::Because(format!("{name} is a symbolic link, or no directory; remove it")))
                }
                Err(error) => Err(error.into()),
            }
        }

        /// Refuses a directory that is another user's, or that others may write to. `name`: what people know it by.
        pub(in super::super) fn check(&self, name: &str) -> Result<(), Refusal> {
            let stat = rustix::fs::fstat(&self.0)?;
            let rights = rights(&stat);
            if !is_trusted(stat.st_uid) {
                let cure = "chown it, or set another path";
                Err(Refusal::Because(format!("{name} belongs to another user ({rights}); {cure}")))
            } else if stat.st_mode & 0o022 != 0 {
                Err(Refusal::Because(format!("other users may write to {name} ({rights}); chmod go-w it")))
            } else {
                Ok(())
            }
        }

        /// The names of all that is in it, as far as they are text.
        pub(in super::super) fn list(&self) -> io::Result<Vec<String>> {
            let name = |entry: rustix::io::Result<rustix::fs::DirEntry>| match entry {
                Ok(entry) => entry.file_name().to_str().ok().map(|name| Ok(name.to_owned())),
                Err(error) => Some(Err(error.into())),
            };
            rustix::fs::Dir::read_from(&self.0)?.filter_map(name).collect()
        }

        /// The size of a file, in bytes.
        pub(in super::super) fn len(&self, name: &str) -> io::Result<u64> {
            let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(stat.st_size.max(0).cast_unsigned())
        }

        pub(in super::super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
        }

        /// A file system that others serve: a call may hang as long as they do.
        pub(in super::super) fn is_remote(&self) -> bool {
            #[cfg(target_os = "linux")]
            {
                const NFS: u64 = 0x6969;
                const SMB: [u64; 3] = [0x517b, 0xfe53_4d42, 0xff53_4d42];
                const FUSE: u64 = 0x6573_5546;
                const PLAN9: u64 = 0x0102_1997;
                const CEPH: u64 = 0x00c3_6400;
                const AFS: [u64; 2] = [0x5346_414f, 0x6b41_4653];
                let Ok(stat) = rustix::fs::fstatfs(&self.0) else { return false };
                // The kernel's numbers have 32 bits; the field's type differs by architecture.
                let kind = stat.f_type as u64 & 0xffff_ffff;
                [NFS, FUSE, PLAN9, CEPH].contains(&kind) || SMB.contains(&kind) || AFS.contains(&kind)
            }
            #[cfg(not(target_os = "linux"))]
            false
        }

        /// A new file, for its owner alone.
        pub(in super::super) fn create(&self, name: &str) -> io::Result<File> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?.into())
        }

        pub(in super::super) fn open_file(&self, name: &str) -> io::Result<File> {
            // A pipe in its place must not keep us waiting for a writer.
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
        }

        pub(in super::super) fn try_lock(&self, name: &str) -> io::Result<Option<File>> {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(Some(file.into())),
                Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }

        /// Which file a name stands for; refuses what is not a file of the user's own.
        pub(in super::super) fn identify(&self, name: &str) -> Result<Option<FileId>, Refusal> {
            let stat = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                Err(Refusal::Because(format!("{name} is not a plain file; remove it")))
            } else if !is_trusted(stat.st_uid) {
                let rights = rights(&stat);
                Err(Refusal::Because(format!(
                    "{name} belongs to another user ({rights}); remove or chown it"
                )))
            } else if stat.st_mode & 0o022 != 0 {
                let rights = rights(&stat);
                Err(Refusal::Because(format!("other users may write to {name} ({rights}); chmod go-w it")))
            } else {
                Ok(Some(file_id(&stat)))
            }
        }

        pub(in super::super) fn may_write(&self, name: &str) -> bool {
            rustix::fs::accessat(&self.0, name, rustix::fs::Access::WRITE_OK, AtFlags::EACCESS).is_ok()
        }

        pub(in super::super) fn remove(&self, name: &str) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
        }

        pub(in super::super) fn sync(&self) -> io::Result<()> {
            Ok(rustix::fs::fsync(&self.0)?)
        }
    }

    /// The first `size` bytes of a file, or a few more; fewer where it has fewer. One read where there is no
    /// trouble: std's, where it is bounded, begins with small ones.
    pub(in super::super) fn read(file: File, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(bytes)
    }
}

/// Elsewhere the user's profile directory is the user's own, and there are no modes to check.
#[cfg(not(unix))]
mod platform {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read as _};
    use std::path::{Path, PathBuf};

    use super::{Access, FileId, Refusal};

    /// Opens a directory, made where it is missing. Tells where it is.
    pub(in super::super) fn open(path: &Path) -> Result<(PathBuf, Dir), Refusal> {
        std::fs::create_dir_all(path)?;
        Dir(path.to_owned()).check("it")?;
        let path = path.canonicalize()?;
        Ok((path.clone(), Dir::open(&path)?))
    }

    /// There are no numbers to tell directories apart by: one that is there is the one.
    pub(in super::super) fn id(path: &Path) -> io::Result<FileId> {
        std::fs::read_dir(path).map(|_| (0, 0))
    }

    pub(in super::super) struct Dir(PathBuf);

    impl Dir {
        pub(in super::super) fn access(&self) -> Access {
            let metadata = std::fs::metadata(&self.0);
            if metadata.is_ok_and(|dir| dir.permissions().readonly()) { Access::Read } else { Access::Write }
        }

        pub(in super::super) fn id(&self) -> io::Result<FileId> {
            Ok((0, 0))
        }

        fn open(path: &Path) -> io::Result<Self> {
            std::fs::read_dir(path).map(|_| Self(path.to_owned()))
        }

        /// A directory in this one, made where it is missing.
        pub(in super::super) fn sub(&self, name: &str) -> Result<Self, Refusal> {
            let path = self.0.join(name);
            std::fs::create_dir_all(&path)?;
            Ok(Self::open(&path)?)
        }

        pub(in super::super) fn check(&self, name: &str) -> Result<(), Refusal> {
            match std::fs::symlink_metadata(&self.0)?.is_symlink() {
                true => Err(Refusal::Because(format!("{name} is a symbolic link"))),
                false => Ok(()),
            }
        }

        /// The names of all that is in it, as far as they are text.
        pub(in super::super) fn list(&self) -> io::Result<Vec<String>> {
            let name = |entry: io::Result<std::fs::DirEntry>| match entry {
                Ok(entry) => entry.file_name().into_string().ok().map(Ok),
                Err(error) => Some(Err(error)),
            };
            std::fs::read_dir(&self.0)?.filter_map(name).collect()
        }

        /// The size of a file, in bytes.
        pub(in super::super) fn len(&self, name: &str) -> io::Result<u64> {
            Ok(std::fs::symlink_metadata(self.0.join(name))?.len())
        }

        pub(in super::super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            std::fs::rename(self.0.join(from), self.0.join(to))
        }

        pub(in super::super) fn is_remote(&self) -> bool {
            false
        }

        pub(in super::super) fn create(&self, name: &str) -> io::Result<File> {
            OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
        }

        pub(in super::super) fn open_file(&self, name: &str) -> io::Result<File> {
            File::open(self.0.join(name))
        }

        /// A file that only one can make stands for the lock, and is gone with its handle.
        pub(in super::super) fn try_lock(&self, name: &str) -> io::Result<Option<File>> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            #[cfg(windows)]
            std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 0);
            match options.open(self.0.join(name)) {
                Ok(file) => Ok(Some(file)),
                // ERROR_SHARING_VIOLATION
                Err(error) if error.raw_os_error() == Some(32) => Ok(None),
                Err(error) => Err(error),
            }
        }

        pub(in super::super) fn identify(&self, name: &str) -> Result<Option<FileId>, Refusal> {
            match std::fs::symlink_metadata(self.0.join(name)) {
                Ok(metadata) if metadata.is_file() => Ok(Some((0, 0))),
                Ok(_) => Err(Refusal::Because(format!("{name} is not a plain file"))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Refusal::Io(error)),
            }
        }

        pub(in super::super) fn may_write(&self, name: &str) -> bool {
            OpenOptions::new().write(true).open(self.0.join(name)).is_ok()
        }

        pub(in super::super) fn remove(&self, name: &str) -> io::Result<()> {
            std::fs::remove_file(self.0.join(name))
        }

        pub(in super::super) fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The first `size` bytes of a file; fewer where it has fewer.
    pub(in super::super) fn read(file: File, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(size);
        file.take(size as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
