//! Writes a batch of operations in one transaction.

use std::sync::atomic::Ordering;

use super::answers::{Answer, answer};
use super::index_writer::IndexWriter;
use crate::disk::failure;
use crate::disk::index::{self, Transaction};
use crate::disk::operation::{Op, Ticket};
use crate::disk::owner;
use crate::disk::store::Store;
use crate::engine::{Entry, Key, Witness};
use crate::error::Error;
use crate::random::random;

fn failed(error: rusqlite::Error) -> Error {
    failure::sqlite("write to the index", error)
}

impl IndexWriter {
    /// Writes a batch. Returns the answers to its operations.
    pub(super) fn write(&self, batch: &[Ticket]) -> Result<Vec<Answer>, Error> {
        let _quiet = self.shared.stores.quiet();
        let mut files = Vec::new();
        let written = self.try_write(batch, &mut files);
        if written.is_err() {
            // No row names these files.
            for file in files {
                let _ = self.shared.stores.current().directory.remove_content(file);
            }
        }
        written
    }

    /// Adds the content files that it has written to `files`.
    fn try_write(&self, batch: &[Ticket], files: &mut Vec<i64>) -> Result<Vec<Answer>, Error> {
        let stores = &self.shared.stores;
        let store = stores.current();
        self.make_room(batch).map_err(failed)?;
        // An entry may be lost when the power fails. An invalidation may not: the entry would be back.
        let drops = |ticket: &Ticket| matches!(ticket.op, Op::Remove { .. } | Op::Clear { .. });
        let sync = stores.options.durable || batch.iter().any(drops);
        index::set_sync(&self.connection, sync).map_err(failed)?;
        let mut transaction = self.begin().map_err(failed)?;
        let mut answers = Vec::new();
        for Ticket { op, .. } in batch {
            answers.extend(self.apply(&mut transaction, &store, op, files)?);
        }
        if stores.options.durable && !files.is_empty() {
            let synced = store.directory.sync_content();
            synced.map_err(|error| failure::io("sync the content directory", error))?;
        }
        self.finish(transaction).map_err(failed)?;
        Ok(answers)
    }

    fn apply(
        &self,
        transaction: &mut Transaction<'_>,
        store: &Store,
        op: &Op,
        files: &mut Vec<i64>,
    ) -> Result<Option<Answer>, Error> {
        let answered = match op {
            Op::Put { key, entry, witness, reply } => {
                self.put(transaction, store, (key, entry, *witness), files)?;
                Ok(reply.as_ref().map(|reply| answer(reply, ())))
            }
            Op::Remove { key, reply } => {
                let hint = store.hints.get(index::id(&key.digest));
                transaction.remove(key, hint).map(|removed| Some(answer(reply, removed)))
            }
            Op::Clear { space, reply } => transaction.clear(space).map(|()| Some(answer(reply, ()))),
            Op::Lease { key, token, ttl, reply } => {
                let taken = transaction.lease(key, token, owner::this_process(), *ttl, owner::may_live);
                taken.map(|taken| Some(answer(reply, taken)))
            }
            Op::Renew { key, token, ttl, reply } => {
                transaction.renew(key, token, *ttl).map(|renewed| Some(answer(reply, renewed)))
            }
            Op::Release { key, token, reply } => {
                transaction.release(key, token).map(|released| Some(answer(reply, released)))
            }
            Op::Flush { reply } => Ok(Some(answer(reply, ()))),
            Op::Touch { row, at } => transaction.touch(*row, *at).map(|()| None),
            Op::Discard { row, seq } => transaction.discard(*row, *seq).map(|()| None),
            // The sweep comes after the transaction, and answers itself.
            Op::Sweep { .. } => Ok(None),
        };
        answered.map_err(failed)
    }

    /// Stores an entry, unless it is outdated.
    fn put(
        &self,
        transaction: &mut Transaction<'_>,
        store: &Store,
        (key, entry, witness): (&Key, &Entry, Option<Witness>),
        files: &mut Vec<i64>,
    ) -> Result<(), Error> {
        if let Some(witness) = witness
            && transaction.outdated(key, witness).map_err(failed)?
        {
            return Ok(());
        }
        let options = &self.shared.stores.options;
        let mut file = None;
        if entry.bytes.len() > options.large_over {
            let number = random().cast_signed();
            let written = store.directory.write_content(number, &entry.bytes, options.durable);
            written.map_err(|error| failure::io("write a content file", error))?;
            files.push(number);
            file = Some(number);
        }
        let id = index::id(&key.digest);
        let row = transaction.put(key, store.hints.get(id), &entry.bytes, entry.expires, file);
        store.hints.set(id, row.map_err(failed)?);
        self.shared.counters.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
