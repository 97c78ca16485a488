//! The engine `disk`: results in a directory of this machine. Many processes can share it.
//!
//! SQLite holds the index and the small entries; a large entry is a file. Whatever happens to these files,
//! no call panics and no entry is taken for another. SQLite reports damage as an error, no file with
//! entries is mapped into memory, and every reader checks an entry by its [label](crate::entry). A damaged
//! index is set aside, and a new one is begun. `docs/decisions/0011-disk.md` says why the engine is built
//! this way.
//!
//! Puts wait in a queue. One writer thread takes what has gathered and writes it in one transaction. Reads
//! of this process see a put at once. Other processes see it when the transaction is committed: after a few
//! milliseconds, or after [`flush`](crate::Engine::flush).

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
use crate::engine::{Capability, Reach};
use crate::error::Error;

/// Stores entries in a directory of this machine: see the [module](self).
pub struct Disk {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl Disk {
    /// Opens the directory and starts the writer thread. The directory is made if it is missing.
    ///
    /// A directory may be read-only, because its file system is mounted so or because it belongs to root.
    /// If it has an index, it is opened for reading: entries are found, and every put is
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) until the directory can be written.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if the directory cannot be made or must
    /// not be used, with the reason. Other kinds if the index cannot be opened. A damaged index is no
    /// error: it is set aside.
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

    /// The capability of an engine with these options. Only an opened engine knows whether its directory is on a file
    /// system that may hang.
    pub fn capability_with(options: &DiskOptions) -> Capability {
        Capability {
            reach: Reach::Machine,
            persistent: true,
            blocking: true,
            hangs: false,
            deferred: !options.durable,
            expires: true,
            iterates: true,
            clears_cheaply: true,
            witnesses: true,
            leases: true,
            watches: false,
            largest: Some(options.largest()),
        }
    }

    /// The directory that is used.
    pub fn path(&self) -> &Path {
        &self.shared.stores.path
    }

    /// The counts so far.
    pub fn stats(&self) -> DiskStats {
        self.shared.counters.read()
    }

    /// Deletes what has expired, was cleared or was left behind, and waits until that is done.
    ///
    /// # Errors
    /// Errors of the disk. [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) after a minute.
    pub fn sweep(&self) -> Result<(), Error> {
        self.shared.ask(Duration::from_secs(60), |reply| Op::Sweep { reply })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.shared.check_process().is_err() {
            // the writer thread is not in this process, and what SQLite has open must not be closed in it
            std::mem::forget(self.shared.clone());
            std::mem::forget(self.writer.take());
            return;
        }
        self.shared.queue.close();
        if let Some(writer) = self.writer.take() {
            // If the writer panicked, it has nothing more to do.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("path", &self.path()).field("stats", &self.stats()).finish()
    }
}
