//! The way to the directory: who may write to any directory above it can put another in its place, so each is looked at,
//! from the root of the file system on, before the next is opened relative to it or made in it.

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

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

/// To open a directory in order to go on from there, which takes no right to list it.
#[cfg(target_os = "linux")]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASS: OFlags = OFlags::RDONLY;

/// Opens a directory, and makes it and those it stands in where they are missing, for their owner alone. Tells where it is,
/// free of symbolic links. Links are followed where they are this user's or root's, but none in place of the directory
/// itself.
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

/// What a path goes through, without what says nothing.
fn names(path: &Path) -> VecDeque<OsString> {
    let named = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(named).map(|part| part.as_os_str().to_owned()).collect()
}

/// How far we are: the directories from the root on.
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

    /// Refuses to go on from a directory in which others may put something else in the place of what is there.
    fn check(&self) -> Result<(), Refusal> {
        let stat = rustix::fs::fstat(self.here())?;
        let others = match (stat.st_mode & 0o020 != 0, stat.st_mode & 0o002 != 0) {
            (true, true) => "go-w",
            (true, false) => "g-w",
            (false, true) => "o-w",
            (false, false) => "",
        };
        // In a sticky directory each can remove only what is theirs.
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

    /// Goes into a directory, which is made where it is missing; or tells where a symbolic link leads.
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

    /// Where a symbolic link leads.
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
