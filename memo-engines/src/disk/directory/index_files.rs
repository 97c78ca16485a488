//! The files of an index.

use std::io;
use std::path::PathBuf;

use super::names::{index_name, index_number};
use super::refusal::Refusal;
use super::{Directory, FileId};
use crate::disk::failure::{self, failure};
use crate::error::{Error, ErrorKind};

impl Directory {
    /// The number of the newest index. 0 if there is none.
    pub(in crate::disk) fn newest_index(&self) -> Result<u64, Error> {
        let list = self.root.list().map_err(|error| failure::io("list the directory", error))?;
        Ok(list.iter().filter_map(|name| index_number(name)).max().unwrap_or(0))
    }

    pub(in crate::disk) fn index(&self, number: u64) -> PathBuf {
        self.path.join(index_name(number))
    }

    /// Makes the file of an index, unless it exists. Returns which file it is.
    pub(in crate::disk) fn prepare_index(&self, number: u64) -> Result<FileId, Error> {
        match self.root.create(&index_name(number)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failure::io("make the index", error)),
        }
        self.find_index(number)
    }

    /// Returns which file an index is.
    pub(in crate::disk) fn find_index(&self, number: u64) -> Result<FileId, Error> {
        let name = index_name(number);
        let refused = |refusal: Refusal| refusal.error("look at the index", "the index");
        // SQLite opens these files by name. If one were a pipe, it would wait for ever.
        for suffix in ["-journal", "-wal", "-shm"] {
            self.root.identify(&format!("{name}{suffix}")).map_err(refused)?;
        }
        // The file is not opened: closing any handle to a file that SQLite has open would drop SQLite's
        // locks.
        let missing = || failure(ErrorKind::Unavailable, "find the index");
        self.root.identify(&name).map_err(refused)?.ok_or_else(missing)
    }

    /// Whether this index is still the file that was opened.
    pub(in crate::disk) fn is_same_index(&self, number: u64, id: FileId) -> bool {
        matches!(self.root.identify(&index_name(number)), Ok(Some(now)) if now == id)
    }

    /// Renames an index and its log out of the way, or removes it if it is larger than `keep` bytes.
    /// Removes what was set aside before. Returns the new path, if the index was kept.
    pub(in crate::disk) fn set_aside(&self, number: u64, keep: u64) -> io::Result<Option<PathBuf>> {
        for old in self.root.list()?.iter().filter(|name| name.starts_with("damaged.")) {
            self.root.remove(old)?;
        }
        let index = index_name(number);
        let damaged = format!("damaged.{number}.sqlite");
        let too_large = self.root.len(&index)? > keep;
        // The index goes last: other processes notice that it is missing.
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
    pub(in crate::disk) fn may_write_index(&self, number: u64) -> bool {
        self.root.may_write(&index_name(number))
    }

    /// The size of an index, in bytes.
    pub(in crate::disk) fn index_size(&self, number: u64) -> u64 {
        self.root.len(&index_name(number)).unwrap_or(0)
    }

    /// The size of an index's log, in bytes.
    pub(in crate::disk) fn log_size(&self, number: u64) -> u64 {
        self.root.len(&format!("{}-wal", index_name(number))).unwrap_or(0)
    }
}
