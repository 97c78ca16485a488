//! The directory of the engine: it is made, checked and locked here.
//!
//! Anything that another user could have planted is refused. The directory must belong to this user or to
//! root. No other user may write to it, or to a directory above it (`directory/path.rs`). Nothing in it is
//! reached through a symbolic link. Files are opened relative to the directory that was checked, so it
//! cannot be exchanged in between. Only SQLite insists on a path. It gets the resolved one, and its
//! connection is not used if the path led elsewhere by then.

mod access;
mod content_files;
#[cfg(not(unix))]
mod elsewhere;
mod index_files;
#[cfg(unix)]
mod make;
mod names;
#[cfg(unix)]
mod path;
mod refusal;
#[cfg(unix)]
mod trust;
#[cfg(unix)]
mod unix;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) use self::access::Access;
#[cfg(not(unix))]
use self::elsewhere as platform;
pub(super) use self::names::LAST_INDEX;
use self::names::LAYOUT;
pub(super) use self::platform::FileId;
use self::refusal::Refusal;
#[cfg(unix)]
use self::unix as platform;
use super::failure::{self, failure};
use crate::error::{Error, ErrorKind};

/// A directory that was checked and may be used.
pub(super) struct Directory {
    /// The path, free of symbolic links.
    path: PathBuf,
    root: platform::Dir,
    content: platform::Dir,
    /// Whether calls to it may hang, because a server or another process answers them.
    pub(super) remote: bool,
    /// What could be done in it when it was opened.
    pub(super) access: Access,
}

/// The lock of the directory. A process holds it while it makes an index or sets one aside.
pub(super) struct Lock {
    _file: File,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let open = || {
            let (resolved, directory) = platform::open(path)?;
            directory.check("it")?;
            let root = directory.sub(LAYOUT)?;
            root.check(LAYOUT)?;
            let content = root.sub("content")?;
            content.check("content")?;
            Ok((resolved.join(LAYOUT), root, content))
        };
        let (resolved, root, content) = open().map_err(|refusal: Refusal| {
            let path = path.display();
            refusal.error(format!("open {path}"), &path.to_string())
        })?;
        let (remote, access) = (root.is_remote(), root.access());
        Ok(Self { path: resolved, root, content, remote, access })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to this directory: it was not removed, moved or replaced. A read-only
    /// directory that has become writable counts as another one.
    pub(super) fn is_in_place(&self) -> bool {
        let stands = |dir: &platform::Dir, path: &Path| {
            let (open, named) = (dir.id(), platform::id(path));
            open.is_ok_and(|open| named.is_ok_and(|named| named == open))
        };
        let thawed = self.access != Access::Write && self.root.access() != self.access;
        !thawed && stands(&self.root, &self.path) && stands(&self.content, &self.path.join("content"))
    }

    /// Takes the lock. Waits for it no longer than `wait`.
    pub(super) fn lock(&self, wait: Duration) -> Result<Lock, Error> {
        let begun = Instant::now();
        loop {
            match self.root.try_lock("lock") {
                Ok(Some(file)) => return Ok(Lock { _file: file }),
                Ok(None) if begun.elapsed() < wait => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(failure(ErrorKind::Timeout, "lock the directory")),
                Err(error) => return Err(failure::io("lock the directory", error)),
            }
        }
    }
}
