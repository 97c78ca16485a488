//! Transactions on the index, by the one writer of this process.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use crate::disk::checkpoint::Checkpoint;
use crate::disk::index::Transaction;
use crate::disk::shared::Shared;
use crate::engine::utc_now;
use crate::error::Error;

pub(super) struct IndexWriter {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: Connection,
    pub(super) checkpoint: Checkpoint,
}

impl IndexWriter {
    pub(super) fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        Self { shared, connection, checkpoint: Checkpoint::default() }
    }

    /// Opens the index that is the newest now. With `damaged`, first sets the one in use aside.
    pub(super) fn renew(&mut self, damaged: Option<&Error>) -> Result<(), Error> {
        self.connection = self.shared.stores.renew(damaged)?;
        self.checkpoint = Checkpoint::default();
        Ok(())
    }

    pub(super) fn begin(&self) -> rusqlite::Result<Transaction<'_>> {
        Transaction::begin(&self.connection, utc_now())
    }

    /// Commits a transaction, counts what it deleted, and removes the files that no row names any more.
    pub(super) fn finish(&self, mut transaction: Transaction<'_>) -> rusqlite::Result<()> {
        transaction.commit()?;
        let Shared { stores, counters, .. } = &*self.shared;
        counters.evicted.fetch_add(transaction.evicted, Ordering::Relaxed);
        counters.expired.fetch_add(transaction.expired, Ordering::Relaxed);
        let directory = &stores.current().directory;
        for file in std::mem::take(&mut transaction.dropped) {
            // If a file stays, the next sweep finds it.
            let _ = directory.remove_content(file);
        }
        Ok(())
    }

    /// Writes the log back if it is larger than `bound`, as far as nobody is in the way.
    pub(super) fn write_back(&self, bound: u64) {
        self.checkpoint.write_back(&self.shared.stores, &self.connection, bound);
    }
}
