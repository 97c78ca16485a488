//! Opens the engine's directory by its path. A user who may write to a directory above it could replace it.
//! So each directory on the path is checked, from the root of the file system on, before the next one is
//! opened or made in it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::make::open_or_make;
use super::refusal::Refusal;
use super::trust::{is_trusted, rights};

/// How many symbolic links are followed. Linux follows as many.
const MOST_LINKS: usize = 40;

/// The flag to open a directory only to go on from there. This needs no right to list it.
#[cfg(target_os = "linux")]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASS: OFlags = OFlags::RDONLY;

/// Opens a directory. It and those above it are made, for their owner alone, if they are missing. Returns
/// its path, free of symbolic links. A link on the path is followed if it belongs to this user or to root.
/// The directory itself must not be a link.
pub(super) fn open(path: &Path) -> Result<(PathBuf, OwnedFd), Refusal> {
    let mut descent = Descent::new()?;
    let mut ahead = names(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == ".." {
            descent.up();
            continue;
        }
        descent.check()?;
        let Some(target) = descent.enter(&name)? else { continue };
        links += 1;
        if ahead.is_empty() {
            return Err(Refusal::Because("it is a symbolic link; set the path that it leads to".to_owned()));
        }
        if links > MOST_LINKS {
            return Err(Refusal::Because("there are too many symbolic links on the way to it".to_owned()));
        }
        if target.is_absolute() {
            descent = Descent::new()?;
        }
        names(&target).into_iter().rev().for_each(|name| ahead.push_front(name));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(descent.here(), ".", flags, Mode::empty())?;
    Ok((descent.path(), dir))
}

/// The names that a path consists of, without `.` and the root.
fn names(path: &Path) -> VecDeque<OsString> {
    let named = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(named).map(|part| part.as_os_str().to_owned()).collect()
}

/// The directories that were opened so far, from the root on.
struct Descent {
    root: OwnedFd,
    below: Vec<(OsString, OwnedFd)>,
}

impl Descent {
    fn new() -> io::Result<Self> {
        let flags = PASS | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: rustix::fs::open("/", flags, Mode::empty())?, below: Vec::new() })
    }

    fn here(&self) -> &OwnedFd {
        self.below.last().map_or(&self.root, |(_, dir)| dir)
    }

    fn path(&self) -> PathBuf {
        let mut path = PathBuf::from("/");
        path.extend(self.below.iter().map(|(name, _)| name));
        path
    }

    fn up(&mut self) {
        self.below.pop();
    }

    /// Refuses a directory in which other users may replace what is there.
    fn check(&self) -> Result<(), Refusal> {
        let stat = rustix::fs::fstat(self.here())?;
        let others = match (stat.st_mode & 0o020 != 0, stat.st_mode & 0o002 != 0) {
            (true, true) => "go-w",
            (true, false) => "g-w",
            (false, true) => "o-w",
            (false, false) => "",
        };
        // In a sticky directory, each user can remove only their own files.
        let is_sticky = stat.st_mode & 0o1000 != 0;
        let (problem, cure) = if !is_trusted(stat.st_uid) {
            ("belongs to another user, who could put another directory in its place", "chown it".to_owned())
        } else if !others.is_empty() && !is_sticky {
            (
                "may be written to by other users, who could put another directory in its place",
                format!("chmod {others} it"),
            )
        } else {
            return Ok(());
        };
        let (above, rights) = (self.path(), rights(&stat));
        Err(Refusal::Because(format!(
            "{} above it {problem} ({rights}); {cure}, or set another path",
            above.display()
        )))
    }

    /// Opens the next directory. Makes it if it is missing. If it is a symbolic link, returns where the
    /// link leads.
    fn enter(&mut self, name: &OsStr) -> Result<Option<PathBuf>, Refusal> {
        match open_or_make(self.here(), name, PASS) {
            Ok(dir) => {
                self.below.push((name.to_owned(), dir));
                Ok(None)
            }
            Err(Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => self.follow(name).map(Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns where a symbolic link leads.
    fn follow(&self, name: &OsStr) -> Result<PathBuf, Refusal> {
        let here = self.here().as_fd();
        let stat = rustix::fs::statat(here, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let path = self.path().join(name);
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Err(Refusal::Because(format!("{} is not a directory", path.display())));
        }
        if !is_trusted(stat.st_uid) {
            return Err(Refusal::Because(format!(
                "{} on the way to it is a symbolic link of another user ({}); remove it, or set another path",
                path.display(),
                rights(&stat)
            )));
        }
        let target = rustix::fs::readlinkat(here, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }
}
