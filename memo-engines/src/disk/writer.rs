//! The writer thread. It takes the operations that wait in the queue and writes them in one transaction.

mod answers;
mod batch;
mod index_writer;
mod room;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::answers::{Answer, answer, copy, refuse};
use self::index_writer::IndexWriter;
use super::checkpoint::Checkpoint;
use super::failure::failure;
use super::operation::{Op, Ticket};
use super::shared::Shared;
use crate::error::{Error, ErrorKind};

/// How long readers may keep a snapshot.
const LET_GO: Duration = Duration::from_millis(200);
pub(super) struct Writer {
    shared: Arc<Shared>,
    index: IndexWriter,
    next_sweep: Instant,
    next_let_go: Option<Instant>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        // The first sweep is at once, to delete what was left behind.
        let index = IndexWriter::new(Arc::clone(&shared), connection);
        Self { shared, index, next_sweep: Instant::now(), next_let_go: None }
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while let Some(batch) = shared.queue.take(shared.stores.options.batch(), self.until_next()) {
            self.check_suspects();
            if !batch.is_empty() {
                let written = self.write(&batch);
                // This comes before anyone is answered: after a clear is answered, a reader must not find
                // the entry in the queue.
                shared.queue.done(&batch);
                match written {
                    Ok(answers) => answers.into_iter().for_each(|answer| answer(Ok(()))),
                    Err(error) => batch.iter().for_each(|ticket| refuse(&ticket.op, &error)),
                }
            }
            // This comes after everyone is answered: nobody waits for the log.
            let bound = shared.stores.options.log() / 2;
            if (!batch.is_empty() || self.index.checkpoint.is_due()) && shared.stores.log_size() > bound {
                let _quiet = shared.stores.quiet();
                self.index.write_back(bound);
            }
            self.let_go();
            self.sweep(&batch);
        }
        // Now nothing depends on the log, unless other processes use it.
        self.index.checkpoint = Checkpoint::default();
        self.index.write_back(0);
    }

    /// Checks an index that a reader found damaged or did not find.
    fn check_suspects(&mut self) {
        if self.shared.damaged.swap(false, Ordering::AcqRel) {
            let why = failure(ErrorKind::Corrupt, "read the index");
            let _ = self.renew(Some(&why));
        }
        if self.shared.lost.swap(false, Ordering::AcqRel) && !self.shared.stores.is_current() {
            let _ = self.renew(None);
        }
    }

    /// Sweeps if it is time or if the batch asks for it. Answers those who asked.
    fn sweep(&mut self, batch: &[Ticket]) {
        let mut asked = batch.iter().filter_map(|ticket| match &ticket.op {
            Op::Sweep { reply } => Some(reply),
            _ => None,
        });
        let first = asked.next();
        if first.is_none() && Instant::now() < self.next_sweep {
            return;
        }
        self.next_sweep = Instant::now() + self.shared.stores.options.sweep_every;
        let mut swept = self.index.sweep();
        let again = self.shared.stores.may_write();
        if again && swept.as_ref().is_err_and(|error| self.recovers(error)) {
            swept = self.index.sweep();
        }
        for reply in first.into_iter().chain(asked) {
            let _ = reply.try_send(swept.as_ref().copied().map_err(copy));
        }
    }

    fn until_next(&mut self) -> Duration {
        let now = Instant::now();
        if self.next_let_go.is_none() && self.shared.stores.current().readers.are_holding() {
            self.next_let_go = Some(now + LET_GO);
        }
        let others = [self.next_let_go, self.index.checkpoint.next()];
        let next = others.into_iter().flatten().fold(self.next_sweep, Instant::min);
        next.saturating_duration_since(now)
    }

    fn let_go(&mut self) {
        if self.next_let_go.is_some_and(|at| Instant::now() >= at) {
            self.next_let_go = None;
            self.shared.stores.current().readers.let_go();
            if !self.shared.stores.is_current() {
                // If this fails, the next batch reports it.
                let _ = self.renew(None);
            }
        }
    }

    /// Writes a batch. Tries once more if that may help.
    fn write(&mut self, batch: &[Ticket]) -> Result<Vec<Answer>, Error> {
        if batch.iter().all(|ticket| matches!(ticket.op, Op::Flush { .. } | Op::Sweep { .. })) {
            return self.flushed(batch);
        }
        // What is written to an index that is not in its place is lost, so nobody may be told that it is
        // done.
        let found = if self.shared.stores.is_current() { Ok(()) } else { self.renew(None) };
        let may_write = || self.shared.stores.cannot_write().map_or(Ok(()), Err);
        let mut written = found.and_then(|()| may_write()).and_then(|()| self.index.write(batch));
        if let Err(error) = &written
            && self.shared.stores.may_write()
            && self.recovers(error)
        {
            written = self.index.write(batch);
        }
        self.shared.trouble.note(written.as_ref().err());
        if written.is_err() {
            self.shared.counters.failed.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        written
    }

    /// Answers a batch of flushes. Everything has been committed, unless the last transaction failed. There
    /// is nothing to write, and readers keep their snapshots.
    fn flushed(&self, batch: &[Ticket]) -> Result<Vec<Answer>, Error> {
        self.shared.trouble.check()?;
        let flushes = batch.iter().filter_map(|ticket| match &ticket.op {
            Op::Flush { reply } => Some(answer(reply, ())),
            _ => None,
        });
        Ok(flushes.collect())
    }

    /// Does what may help against an error. Returns whether to try again.
    fn recovers(&mut self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Corrupt => self.renew(Some(error)).is_ok(),
            // SQLite says that the index is read-only. Opening it again tells whether it is.
            ErrorKind::Unavailable => self.renew(None).is_ok(),
            // The file may have been moved away.
            _ if !self.shared.stores.is_current() => self.renew(None).is_ok(),
            _ => error.retry_helps(),
        }
    }

    fn renew(&mut self, damaged: Option<&Error>) -> Result<(), Error> {
        self.index.renew(damaged)?;
        self.next_sweep = Instant::now();
        Ok(())
    }
}
