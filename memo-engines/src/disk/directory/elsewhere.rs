//! Directories and files on systems other than Unix. The user's profile directory belongs to the user, and
//! there are no modes to check.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::access::Access;
use super::refusal::Refusal;

/// Nothing tells files apart here: a file that exists is the one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::disk) struct FileId;

/// Opens a directory. Makes it if it is missing. Returns its path.
pub(super) fn open(path: &Path) -> Result<(PathBuf, Dir), Refusal> {
    std::fs::create_dir_all(path)?;
    Dir(path.to_owned()).check("it")?;
    let path = path.canonicalize()?;
    Ok((path.clone(), Dir::open(&path)?))
}

/// The file that a path leads to.
pub(super) fn id(path: &Path) -> io::Result<FileId> {
    std::fs::read_dir(path).map(|_| FileId)
}

pub(super) struct Dir(PathBuf);

impl Dir {
    pub(super) fn access(&self) -> Access {
        let metadata = std::fs::metadata(&self.0);
        if metadata.is_ok_and(|dir| dir.permissions().readonly()) { Access::Read } else { Access::Write }
    }

    pub(super) fn id(&self) -> io::Result<FileId> {
        Ok(FileId)
    }

    fn open(path: &Path) -> io::Result<Self> {
        std::fs::read_dir(path).map(|_| Self(path.to_owned()))
    }

    /// Opens a directory in this one. Makes it if it is missing.
    pub(super) fn sub(&self, name: &str) -> Result<Self, Refusal> {
        let path = self.0.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self::open(&path)?)
    }

    pub(super) fn check(&self, name: &str) -> Result<(), Refusal> {
        match std::fs::symlink_metadata(&self.0)?.is_symlink() {
            true => Err(Refusal::Because(format!("{name} is a symbolic link"))),
            false => Ok(()),
        }
    }

    /// The names of all files in it that are text.
    pub(super) fn list(&self) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<std::fs::DirEntry>| match entry {
            Ok(entry) => entry.file_name().into_string().ok().map(Ok),
            Err(error) => Some(Err(error)),
        };
        std::fs::read_dir(&self.0)?.filter_map(name).collect()
    }

    /// The size of a file, in bytes.
    pub(super) fn len(&self, name: &str) -> io::Result<u64> {
        Ok(std::fs::symlink_metadata(self.0.join(name))?.len())
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    pub(super) fn is_remote(&self) -> bool {
        false
    }

    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
    }

    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        File::open(self.0.join(name))
    }

    /// Only one process can open this file at a time. It is the lock for as long as it is open.
    pub(super) fn try_lock(&self, name: &str) -> io::Result<Option<File>> {
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

    pub(super) fn identify(&self, name: &str) -> Result<Option<FileId>, Refusal> {
        match std::fs::symlink_metadata(self.0.join(name)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(FileId)),
            Ok(_) => Err(Refusal::Because(format!("{name} is not a plain file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Refusal::Io(error)),
        }
    }

    pub(super) fn may_write(&self, name: &str) -> bool {
        OpenOptions::new().write(true).open(self.0.join(name)).is_ok()
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The first `size` bytes of a file. Fewer if the file is shorter.
pub(super) fn read(file: File, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size);
    file.take(size as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
