//! The sweep: deletes what nobody needs any more, a step at a time.

use super::index_writer::IndexWriter;
use crate::disk::failure;
use crate::disk::index::Transaction;
use crate::error::Error;

/// How many rows or files one transaction of a sweep handles.
const STEP: usize = 1000;

fn failed(error: rusqlite::Error) -> Error {
    failure::sqlite("sweep the index", error)
}

impl IndexWriter {
    /// Deletes expired and cleared entries, and files that no row names.
    pub(super) fn sweep(&self) -> Result<(), Error> {
        let stores = &self.shared.stores;
        if let Some(error) = stores.cannot_write() {
            return Err(error);
        }
        let _quiet = stores.quiet();
        while self.step(|transaction| transaction.drop_expired(STEP))? == STEP as u64 {}
        if self.step(|transaction| transaction.any_cleared())? {
            let mut after = Some(i64::MIN);
            while let Some(row) = after {
                after = self.step(|transaction| transaction.drop_cleared(row, STEP))?;
            }
        }
        self.step(|transaction| {
            transaction.forget()?;
            transaction.count_content()
        })?;
        self.remove_orphans()?;
        self.write_back(stores.options.log() / 2);
        Ok(())
    }

    fn step<T>(&self, work: impl FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let step = || {
            let mut transaction = self.begin()?;
            let value = work(&mut transaction)?;
            self.finish(transaction)?;
            Ok(value)
        };
        step().map_err(failed)
    }

    /// Removes content files that no row names.
    fn remove_orphans(&self) -> Result<(), Error> {
        let directory = &self.shared.stores.current().directory;
        let files = directory.contents().map_err(|error| failure::io("list the content files", error))?;
        for some in files.collect::<Vec<_>>().chunks(STEP) {
            // Nobody else writes during a transaction. So no row will name a file that has no row now.
            let transaction = self.begin().map_err(failed)?;
            for orphan in transaction.orphans(some).map_err(failed)? {
                let _ = directory.remove_content(orphan);
            }
        }
        Ok(())
    }
}
