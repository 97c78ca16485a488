//! The index that is used now, and how another takes its place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;

use super::directory::{Access, Directory};
use super::options::DiskOptions;
use super::store::{Store, cannot_write, newest, set_aside};
use crate::error::Error;

/// See [`Stores::quiet`].
pub(super) struct Quiet(Arc<Store>);

impl Drop for Quiet {
    fn drop(&mut self) {
        self.0.readers.keep_again();
    }
}

/// The index that is used now, and the directory it is in. A directory that is removed or moved away is opened anew by
/// its name, so neither stays the same.
pub(super) struct Stores {
    /// The name of the directory, free of symbolic links as it was first opened.
    pub(super) path: PathBuf,
    /// Whether calls to it may hang.
    pub(super) remote: bool,
    pub(super) options: DiskOptions,
    current: RwLock<Arc<Store>>,
}

impl Stores {
    /// Opens the newest index of the directory, makes one where there is none, sets a damaged one aside.
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

    /// The size of the log of the index, in bytes.
    pub(super) fn log_size(&self) -> u64 {
        let store = self.current();
        store.directory.log_size(store.number)
    }

    /// The size of the index, in bytes, as the file system has it.
    pub(super) fn index_size(&self) -> u64 {
        let store = self.current();
        store.directory.index_size(store.number)
    }

    /// Whether the index that is used is still where it was. It is not after another process has set it aside,
    /// or someone has emptied the directory, removed it, or put another in its place.
    pub(super) fn is_current(&self) -> bool {
        let store = self.current();
        store.directory.is_in_place() && store.directory.is_same_index(store.number, store.file)
    }

    /// Why nothing can be written, where that is so.
    pub(super) fn cannot_write(&self) -> Option<Error> {
        let store = self.current();
        (store.directory.access != Access::Write).then(|| cannot_write(&store.directory))
    }

    /// Whether anything can be written.
    pub(super) fn may_write(&self) -> bool {
        self.current().directory.access == Access::Write
    }

    /// Goes over to the index that is now the newest; with `damaged`, after setting aside the one in use,
    /// unless another process has done so already.
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
