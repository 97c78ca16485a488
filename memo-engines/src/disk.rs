//! The engine `disk`: results in a directory of this machine, which many processes may share.
//!
//! SQLite keeps the index and small entries; large entries are files. Whatever happens to these files, no call
//! panics and no entry is mistaken for another: SQLite reports damage as an error, nothing is mapped that holds
//! entries, and what is read is checked by its [label](crate::entry). A damaged index is set aside and begun
//! anew. `docs/decisions/0011-disk.md` says why it is built so.
//!
//! Puts wait in a queue for one writer thread, which writes what has gathered in one transaction; reads see
//! them at once. Other processes see them when the transaction has been committed, a few milliseconds later at
//! most, or after [`flush`](crate::Engine::flush).

mod checkpoint;
mod directory;
mod failure;
mod index;
mod methods;
mod operation;
mod options;
mod owner;
mod queue;
mod reader;
mod readers;
mod shared;
mod stats;
mod store;
mod stores;
mod trouble;
mod wal_index;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use self::operation::Op;
pub use self::options::DiskOptions;
use self::shared::Shared;
pub use self::stats::DiskStats;
use self::stores::Stores;
use self::writer::Writer;
use crate::error::Error;

/// Entries in a directory of this machine: see the [module](self).
pub struct Disk {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl Disk {
    /// Opens the directory, makes it where it is missing, and starts the writer.
    ///
    /// A directory that may only be read (its file system is mounted read-only, or it is root's) and has an index
    /// is opened to be read: what is there is found, and every put is [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) until it may be
    /// written.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) where the directory cannot be made or must not be used, saying why; other
    /// kinds where the index cannot be opened. A damaged index is no error: it is set aside.
    pub fn open(options: DiskOptions) -> Result<Self, Error> {
        let (stores, connection) = Stores::open(options)?;
        let shared = Arc::new(Shared::new(stores));
        let writer = Writer::new(Arc::clone(&shared), connection);
        let writer = std::thread::Builder::new()
            .name("memo-disk".into())
            .spawn(|| writer.run())
            .map_err(|error| failure::io("start the writer", error))?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// The directory that is used.
    pub fn path(&self) -> &Path {
        &self.shared.stores.path
    }

    /// What it has done so far.
    pub fn stats(&self) -> DiskStats {
        self.shared.counters.read()
    }

    /// Looks now for what has expired, was cleared, or was left behind, and waits until it is gone.
    ///
    /// # Errors
    /// Those of the disk; [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) after a minute.
    pub fn sweep(&self) -> Result<(), Error> {
        self.shared.ask(Duration::from_secs(60), |reply| Op::Sweep { reply })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.shared.check_process().is_err() {
            // the writer is not here, and what SQLite has open must not be closed here
            std::mem::forget(self.shared.clone());
            std::mem::forget(self.writer.take());
            return;
        }
        self.shared.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to say.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("path", &self.path()).field("stats", &self.stats()).finish()
    }
}
