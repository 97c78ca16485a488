//! Directories and files on Unix, with their owners and modes. Everything is opened relative to a directory
//! that was checked.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, StatVfsMountFlags};
use rustix::io::Errno;

use super::access::Access;
use super::make::open_or_make;
use super::path;
use super::refusal::Refusal;
use super::trust;

/// Identifies a file among all files of the machine.
pub(in crate::disk) type FileId = (u64, u64);

/// Opens a directory, if nobody else can replace it. Makes it if it is missing. Returns its path.
pub(super) fn open(path: &Path) -> Result<(PathBuf, Dir), Refusal> {
    let (path, dir) = path::open(path)?;
    Ok((path, Dir(dir)))
}

#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ by platform")]
fn file_id(stat: &rustix::fs::Stat) -> FileId {
    (stat.st_dev as u64, stat.st_ino as u64)
}

/// The file that a path leads to. Of a symbolic link, the link itself.
pub(super) fn id(path: &Path) -> io::Result<FileId> {
    Ok(file_id(&rustix::fs::lstat(path)?))
}

pub(super) struct Dir(rustix::fd::OwnedFd);

impl Dir {
    pub(super) fn access(&self) -> Access {
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

    pub(super) fn id(&self) -> io::Result<FileId> {
        Ok(file_id(&rustix::fs::fstat(&self.0)?))
    }

    /// Opens a directory in this one. Makes it if it is missing.
    pub(super) fn sub(&self, name: &str) -> Result<Self, Refusal> {
        match open_or_make(&self.0, name.as_ref(), OFlags::RDONLY) {
            Ok(dir) => Ok(Self(dir)),
            Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {
                Err(Refusal::Because(format!("{name} is a symbolic link, or no directory; remove it")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a directory that belongs to another user, or that others may write to. `name` is what people
    /// know it by.
    pub(super) fn check(&self, name: &str) -> Result<(), Refusal> {
        let stat = rustix::fs::fstat(&self.0)?;
        trust::check(name, &stat, "chown it, or set another path")
    }

    /// The names of all files in it that are text.
    pub(super) fn list(&self) -> io::Result<Vec<String>> {
        let name = |entry: rustix::io::Result<rustix::fs::DirEntry>| match entry {
            Ok(entry) => entry.file_name().to_str().ok().map(|name| Ok(name.to_owned())),
            Err(error) => Some(Err(error.into())),
        };
        rustix::fs::Dir::read_from(&self.0)?.filter_map(name).collect()
    }

    /// The size of a file, in bytes.
    pub(super) fn len(&self, name: &str) -> io::Result<u64> {
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(stat.st_size.max(0).cast_unsigned())
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Whether another machine or process serves the file system. Then a call may hang.
    pub(super) fn is_remote(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            const NFS: u64 = 0x6969;
            const SMB: [u64; 3] = [0x517b, 0xfe53_4d42, 0xff53_4d42];
            const FUSE: u64 = 0x6573_5546;
            const PLAN9: u64 = 0x0102_1997;
            const CEPH: u64 = 0x00c3_6400;
            const AFS: [u64; 2] = [0x5346_414f, 0x6b41_4653];
            let Ok(stat) = rustix::fs::fstatfs(&self.0) else { return false };
            // The kernel's numbers have 32 bits. The type of the field differs by architecture.
            let kind = stat.f_type as u64 & 0xffff_ffff;
            [NFS, FUSE, PLAN9, CEPH].contains(&kind) || SMB.contains(&kind) || AFS.contains(&kind)
        }
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Makes a file, for its owner alone.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        // If it is a pipe, do not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    pub(super) fn try_lock(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file.into())),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Which file a name stands for. Refuses anything but a plain file that may be trusted.
    pub(super) fn identify(&self, name: &str) -> Result<Option<FileId>, Refusal> {
        let stat = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Refusal::Because(format!("{name} is not a plain file; remove it")));
        }
        trust::check(name, &stat, "remove or chown it")?;
        Ok(Some(file_id(&stat)))
    }

    pub(super) fn may_write(&self, name: &str) -> bool {
        rustix::fs::accessat(&self.0, name, rustix::fs::Access::WRITE_OK, AtFlags::EACCESS).is_ok()
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

/// The first `size` bytes of a file, or a few more. Fewer if the file is shorter. Mostly it takes one read;
/// the standard library's bounded read begins with small ones.
pub(super) fn read(file: File, size: usize) -> io::Result<Vec<u8>> {
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
