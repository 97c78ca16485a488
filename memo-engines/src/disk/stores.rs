//! The index that is in use, and how another replaces it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use super::directory::{Access, Directory};
use super::options::DiskOptions;
use super::store::{Store, cannot_write, newest, set_aside};
use crate::error::Error;

/// While this lives, readers keep no snapshots.
pub(super) struct Quiet(Arc<Store>);

impl Drop for Quiet {
    fn drop(&mut self) {
        self.0.readers.keep_again();
    }
}

/// The index that is in use, and its directory. If the directory is removed or moved, it is opened again by
/// its name. So neither stays the same.
pub(super) struct Stores {
    /// The path of the directory, free of symbolic links when it was first opened.
    pub(super) path: PathBuf,
    /// Whether calls to it may hang.
    pub(super) remote: bool,
    pub(super) options: DiskOptions,
    current: RwLock<Arc<Store>>,
}

impl Stores {
    /// Opens the newest index of the directory. Makes one if there is none, and sets a damaged one aside.
    pub(super) fn open(options: DiskOptions) -> Result<(Self, Connection), Error> {
        let directory = Arc::new(Directory::open(&options.directory()?)?);
        let path = directory.path().parent().map(Path::to_owned).unwrap_or_default();
        let remote = directory.remote;
        let (store, connection) = newest(&directory, &options)?;
        Ok((Self { path, remote, options, current: RwLock::new(Arc::new(store)) }, connection))
    }

    pub(super) fn current(&self) -> Arc<Store> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// While this lives, readers keep no snapshots.
    pub(super) fn quiet(&self) -> Quiet {
        let store = self.current();
        store.readers.keep_none();
        Quiet(store)
    }

    /// The size of the index's log, in bytes.
    pub(super) fn log_size(&self) -> u64 {
        let store = self.current();
        store.directory.log_size(store.number)
    }

    /// The size of the index, in bytes, as the file system has it.
    pub(super) fn index_size(&self) -> u64 {
        let store = self.current();
        store.directory.index_size(store.number)
    }

    /// Whether the index in use is still in its place. It is not if another process has set it aside, or if
    /// the directory was emptied, removed or replaced.
    pub(super) fn is_current(&self) -> bool {
        let store = self.current();
        store.directory.is_in_place() && store.directory.is_same_index(store.number, store.file)
    }

    /// Why nothing can be written, if that is so.
    pub(super) fn cannot_write(&self) -> Option<Error> {
        let store = self.current();
        (store.directory.access != Access::Write).then(|| cannot_write(&store.directory))
    }

    /// Whether anything can be written.
    pub(super) fn may_write(&self) -> bool {
        self.current().directory.access == Access::Write
    }

    /// Opens the index that is the newest now, and uses it from now on. With `damaged`, first sets the
    /// index in use aside, unless another process has done so.
    pub(super) fn renew(&self, damaged: Option<&Error>) -> Result<Connection, Error> {
        let old = self.current();
        old.readers.let_go();
        let directory = if old.directory.is_in_place() {
            Arc::clone(&old.directory)
        } else {
            Arc::new(Directory::open(&self.options.directory()?)?)
        };
        if let Some(why) = damaged {
            let _lock = match directory.access {
                Access::Write => directory.lock(self.options.wait)?,
                Access::Read | Access::Frozen => return Err(cannot_write(&directory)),
            };
            if self.is_current() {
                set_aside(&directory, &self.options, old.number, why)?;
            }
        }
        let (store, connection) = newest(&directory, &self.options)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(store);
        Ok(connection)
    }
}
