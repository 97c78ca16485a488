//! Writing: one thread, which takes what waits in the queue and writes it in one transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::failure::{self, copy, failure};
use super::index::{self, Transaction};
use super::log::Log;
use super::owner;
use super::queue::{Op, Ticket};
use super::shared::Shared;
use crate::engine::utc_now;
use crate::error::{Error, ErrorKind};
use crate::random::random;

/// How long snapshots of readers are kept at most.
const LET_GO: Duration = Duration::from_millis(200);
/// What a row takes beside its entry, in bytes.
const ROW: u64 = 256;
/// How many transactions room is made in, at most; each drops up to a batch.
const MOST_STEPS: usize = 256;
/// How much of a sweep is one transaction.
const STEP: usize = 1000;

/// What an operation answers when its transaction has been committed.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

pub(super) struct Writer {
    shared: Arc<Shared>,
    connection: Connection,
    next_sweep: Instant,
    next_let_go: Option<Instant>,
    log: Log,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        // The first sweep is at once: what was left behind is found at the beginning.
        Self { shared, connection, next_sweep: Instant::now(), next_let_go: None, log: Log::default() }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while let Some(batch) = shared.queue.take(shared.stores.options.batch(), self.until_next()) {
            if shared.damaged.swap(false, Ordering::AcqRel) {
                let why = failure(ErrorKind::Corrupt, "read the index");
                let _ = self.renew(Some(&why));
            }
            if shared.lost.swap(false, Ordering::AcqRel) && !shared.stores.is_current() {
                let _ = self.renew(None);
            }
            if !batch.is_empty() {
                let written = self.write(&batch);
                // Before anyone hears that it is done: a reader must not find in the queue what was cleared.
                shared.queue.done(&batch);
                match written {
                    Ok(answers) => answers.into_iter().for_each(|answer| answer(Ok(()))),
                    Err(error) => batch.iter().for_each(|ticket| refuse(&ticket.op, &error)),
                }
            }
            // After everyone has been answered: who asked for a write does not wait for the log.
            let bound = shared.stores.options.log() / 2;
            if (!batch.is_empty() || self.log.is_due()) && shared.stores.log_size() > bound {
                let _quiet = shared.stores.quiet();
                self.write_back(bound);
            }
            self.let_go();
            let mut asked = batch.iter().filter_map(|ticket| match &ticket.op {
                Op::Sweep { reply } => Some(reply),
                _ => None,
            });
            let first = asked.next();
            if first.is_some() || Instant::now() >= self.next_sweep {
                self.next_sweep = Instant::now() + shared.stores.options.sweep_every;
                let mut swept = self.sweep();
                let again = self.shared.stores.may_write();
                if again && swept.as_ref().is_err_and(|error| self.after(error)) {
                    swept = self.sweep();
                }
                for reply in first.into_iter().chain(asked) {
                    let _ = reply.try_send(swept.as_ref().copied().map_err(copy));
                }
            }
        }
        // Nothing that was written depends on the log any more, unless others are still using it.
        self.log = Log::default();
        self.write_back(0);
    }

    fn until_next(&mut self) -> Duration {
        let now = Instant::now();
        if self.next_let_go.is_none() && self.shared.stores.current().readers.are_holding() {
            self.next_let_go = Some(now + LET_GO);
        }
        let others = [self.next_let_go, self.log.next()];
        let next = others.into_iter().flatten().fold(self.next_sweep, Instant::min);
        next.saturating_duration_since(now)
    }

    fn let_go(&mut self) {
        if self.next_let_go.is_some_and(|at| Instant::now() >= at) {
            self.next_let_go = None;
            self.shared.stores.current().readers.let_go();
            if !self.shared.stores.is_current() {
                // Where that fails, the next batch says so.
                let _ = self.renew(None);
            }
        }
    }

    /// Writes a batch, and tries once more where that helps.
    fn write(&mut self, batch: &[Ticket]) -> Result<Vec<Answer>, Error> {
        if batch.iter().all(|ticket| matches!(ticket.op, Op::Flush { .. } | Op::Sweep { .. })) {
            return self.flushed(batch);
        }
        // What is written to an index that is not in its place any more is lost, and nobody may hear that it is done.
        let found = if self.shared.stores.is_current() { Ok(()) } else { self.renew(None) };
        let may_write = || self.shared.stores.cannot_write().map_or(Ok(()), Err);
        let mut written = found.and_then(|()| may_write()).and_then(|()| self.transaction(batch));
        if let Err(error) = &written
            && self.shared.stores.may_write()
            && self.after(error)
        {
            written = self.transaction(batch);
        }
        self.shared.trouble.note(written.as_ref().err());
        if written.is_err() {
            self.shared.counters.failed.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        written
    }

    /// Answers a flush with nothing before it: all has been committed, unless the last transaction failed. There
    /// is nothing to write, and readers keep their snapshots.
    fn flushed(&self, batch: &[Ticket]) -> Result<Vec<Answer>, Error> {
        self.shared.trouble.check()?;
        let flushes = batch.iter().filter_map(|ticket| match &ticket.op {
            Op::Flush { reply } => Some(answer(reply, ())),
            _ => None,
        });
        Ok(flushes.collect())
    }

    /// What can be done about an error; tells whether to try again.
    fn after(&mut self, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::Corrupt => self.renew(Some(error)).is_ok(),
            // Read-only, as SQLite sees it: to open it anew tells whether that is so.
            ErrorKind::Unavailable => self.renew(None).is_ok(),
            // The file may have been moved away under us.
            _ if !self.shared.stores.is_current() => self.renew(None).is_ok(),
            _ => error.retry_helps(),
        }
    }

    fn renew(&mut self, damaged: Option<&Error>) -> Result<(), Error> {
        self.connection = self.shared.stores.renew(damaged)?;
        self.log = Log::default();
        self.next_sweep = Instant::now();
        Ok(())
    }

    fn transaction(&self, batch: &[Ticket]) -> Result<Vec<Answer>, Error> {
        let _quiet = self.shared.stores.quiet();
        let mut files = Vec::new();
        let written = self.try_transaction(batch, &mut files);
        if written.is_err() {
            // No row names them.
            for file in files {
                let _ = self.shared.stores.current().directory.remove_content(file);
            }
        }
        written
    }

    fn try_transaction(&self, batch: &[Ticket], files: &mut Vec<i64>) -> Result<Vec<Answer>, Error> {
        let failed = |error| failure::sqlite("write to the index", error);
        let Shared { stores, counters, .. } = &*self.shared;
        let store = stores.current();
        let (directory, hints, options) = (&store.directory, &store.hints, &stores.options);
        let mut answers: Vec<Answer> = Vec::new();
        self.make_room(batch).map_err(failed)?;
        // An entry may be lost with the power. An invalidation may not, or what it dropped would be back.
        let drops = |ticket: &Ticket| matches!(ticket.op, Op::Remove { .. } | Op::Clear { .. });
        let sync = options.durable || batch.iter().any(drops);
        index::set_sync(&self.connection, sync).map_err(failed)?;
        let mut change = Transaction::begin(&self.connection, utc_now()).map_err(failed)?;
        for Ticket { op, .. } in batch {
            match op {
                Op::Put { key, entry, witness, reply } => {
                    let outdated = match witness {
                        Some(witness) => change.outdated(key, *witness).map_err(failed)?,
                        None => false,
                    };
                    let mut file = None;
                    if !outdated && entry.bytes.len() > options.large_over {
                        let number = random().cast_signed();
                        directory
                            .write_content(number, &entry.bytes, options.durable)
                            .map_err(|error| failure::io("write a content file", error))?;
                        files.push(number);
                        file = Some(number);
                    }
                    if !outdated {
                        let id = index::id(&key.digest);
                        let hint = hints.get(id);
                        let row = change.put(key, hint, &entry.bytes, entry.expires, file).map_err(failed)?;
                        hints.set(id, row);
                        counters.written.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Some(reply) = reply.clone() {
                        answers.push(Box::new(move |done| drop(reply.try_send(done))));
                    }
                }
                Op::Remove { key, reply } => {
                    let hint = hints.get(index::id(&key.digest));
                    let removed = change.remove(key, hint).map_err(failed)?;
                    answers.push(answer(reply, removed));
                }
                Op::Clear { space, reply } => {
                    change.clear(space).map_err(failed)?;
                    answers.push(answer(reply, ()));
                }
                Op::Lease { key, token, ttl, reply } => {
                    let taken =
                        change.lease(key, token, owner::myself(), *ttl, owner::may_live).map_err(failed)?;
                    answers.push(answer(reply, taken));
                }
                Op::Renew { key, token, ttl, reply } => {
                    let renewed = change.renew(key, token, *ttl).map_err(failed)?;
                    answers.push(answer(reply, renewed));
                }
                Op::Release { key, token, reply } => {
                    let released = change.release(key, token).map_err(failed)?;
                    answers.push(answer(reply, released));
                }
                Op::Flush { reply } => answers.push(answer(reply, ())),
                Op::Touch { row, at } => change.touch(*row, *at).map_err(failed)?,
                Op::Discard { row, seq } => change.discard(*row, *seq).map_err(failed)?,
                // The sweep comes after the transaction, and answers for itself.
                Op::Sweep { .. } => {}
            }
        }
        if options.durable && !files.is_empty() {
            directory.sync_content().map_err(|error| failure::io("sync the content directory", error))?;
        }
        change.commit().map_err(failed)?;
        counters.evicted.fetch_add(change.evicted, Ordering::Relaxed);
        counters.expired.fetch_add(change.expired, Ordering::Relaxed);
        for file in std::mem::take(&mut change.dropped) {
            // One that stays is an orphan: the next sweep finds it.
            let _ = directory.remove_content(file);
        }
        Ok(answers)
    }

    /// Finds room for a batch before it is written, so that the sum of all files stays within the cap: entries
    /// leave, and where the index has free pages that content files need, it gives them back.
    fn make_room(&self, batch: &[Ticket]) -> rusqlite::Result<()> {
        let Shared { stores, counters, .. } = &*self.shared;
        let store = stores.current();
        let (options, directory) = (&stores.options, &store.directory);
        let (mut rows, mut content) = (0, 0);
        for Ticket { op, .. } in batch {
            match op {
                Op::Put { entry, .. } if entry.bytes.len() > options.large_over => {
                    content += entry.bytes.len() as u64
                }
                Op::Put { entry, .. } => rows += entry.bytes.len() as u64 + ROW,
                _ => {}
            }
        }
        if rows + content == 0 {
            return Ok(());
        }
        // The log counts as much as it may hold, so that its ups and downs do not evict anything.
        let limit = options.limit().saturating_sub(options.log());
        let mut goal = limit;
        for _ in 0..MOST_STEPS {
            let mut change = Transaction::begin(&self.connection, utc_now())?;
            let extent = change.extent(stores.index_size())?;
            let used = extent.index.saturating_sub(extent.free) + rows;
            let live = used + extent.content + content;
            let whole = used.max(extent.index) + extent.content + content;
            if live <= goal && whole <= limit {
                return Ok(());
            }
            let mut progress = false;
            if live > goal {
                goal = limit.saturating_sub(options.slack());
                while !progress
                    || change.dropped_bytes < live.saturating_sub(goal).min(options.batch() as u64)
                {
                    if !change.evict()? {
                        break;
                    }
                    progress = true;
                }
            } else {
                let excess = (whole - limit).div_ceil(index::PAGE);
                progress = extent.free > 0;
                change.shrink(excess.clamp(64, 2048))?;
            }
            change.commit()?;
            counters.evicted.fetch_add(change.evicted, Ordering::Relaxed);
            counters.expired.fetch_add(change.expired, Ordering::Relaxed);
            for file in std::mem::take(&mut change.dropped) {
                let _ = directory.remove_content(file);
            }
            drop(change);
            if whole > limit {
                self.write_back(0);
            }
            if !progress {
                break;
            }
        }
        Ok(())
    }

    /// Writes the log back where it is larger than `bound`, as far as nobody is in the way.
    fn write_back(&self, bound: u64) {
        if !self.shared.stores.may_write() {
            return;
        }
        self.log.write_back(&self.shared.stores, &self.connection, bound);
    }

    /// Drops what has expired, what was cleared, and files that no row names, a step at a time.
    fn sweep(&self) -> Result<(), Error> {
        if let Some(error) = self.shared.stores.cannot_write() {
            return Err(error);
        }
        let _quiet = self.shared.stores.quiet();
        let failed = |error| failure::sqlite("sweep the index", error);
        let store = self.shared.stores.current();
        let directory = &store.directory;
        let step = |work: &mut dyn FnMut(&mut Transaction<'_>) -> rusqlite::Result<()>| {
            let mut change = Transaction::begin(&self.connection, utc_now()).map_err(failed)?;
            work(&mut change).map_err(failed)?;
            change.commit().map_err(failed)?;
            self.shared.counters.expired.fetch_add(change.expired, Ordering::Relaxed);
            for file in std::mem::take(&mut change.dropped) {
                let _ = directory.remove_content(file);
            }
            Ok(())
        };
        let mut more = true;
        while more {
            step(&mut |change| {
                more = change.drop_expired(STEP)? == STEP as u64;
                Ok(())
            })?;
        }
        let mut at = Some(i64::MIN);
        step(&mut |change| {
            if !change.any_cleared()? {
                at = None;
            }
            Ok(())
        })?;
        while let Some(after) = at {
            step(&mut |change| {
                at = change.drop_cleared(after, STEP)?;
                Ok(())
            })?;
        }
        step(&mut |change| {
            change.forget()?;
            change.count_content()
        })?;
        let files: Vec<i64> =
            directory.contents().map_err(|error| failure::io("list the content files", error))?.collect();
        for some in files.chunks(STEP) {
            // Nobody else writes during a transaction: a file without a row now is one that nobody will name.
            let change = Transaction::begin(&self.connection, utc_now()).map_err(failed)?;
            for orphan in change.orphans(some).map_err(failed)? {
                let _ = directory.remove_content(orphan);
            }
        }
        self.write_back(self.shared.stores.options.log() / 2);
        Ok(())
    }
}

fn answer<T: Send + 'static>(reply: &super::queue::Reply<T>, value: T) -> Answer {
    let reply = reply.clone();
    Box::new(move |done| drop(reply.try_send(done.map(|()| value))))
}

/// Tells whoever waits for an operation that it failed.
fn refuse(op: &Op, error: &Error) {
    fn tell<T>(reply: &super::queue::Reply<T>, error: &Error) {
        let _ = reply.try_send(Err(copy(error)));
    }
    match op {
        Op::Put { reply, .. } => reply.iter().for_each(|reply| tell(reply, error)),
        Op::Remove { reply, .. }
        | Op::Lease { reply, .. }
        | Op::Renew { reply, .. }
        | Op::Release { reply, .. } => tell(reply, error),
        Op::Clear { reply, .. } | Op::Flush { reply } => tell(reply, error),
        Op::Touch { .. } | Op::Discard { .. } | Op::Sweep { .. } => {}
    }
}
