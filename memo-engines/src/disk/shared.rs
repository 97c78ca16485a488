//! What callers and the writer share, and what callers do with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::failure::{self, failure};
use super::index::{self, Content, Found, Hints, View};
use super::operation::{Op, Reply};
use super::queue::{Pending, Queue};
use super::stats::Counters;
use super::stores::Stores;
use super::trouble::{Admission, Trouble};
use crate::engine::{Bytes, Entry, Key, Witness, utc_now};
use crate::error::{Error, ErrorKind};
use crate::fork;

/// What callers and the writer share.
pub(super) struct Shared {
    pub(super) stores: Stores,
    pub(super) queue: Queue,
    pub(super) counters: Counters,
    pub(super) trouble: Trouble,
    /// Set by a reader that found the index damaged.
    pub(super) damaged: AtomicBool,
    /// Set by a reader that could not open the index: the directory may have been removed.
    pub(super) lost: AtomicBool,
    /// The generation of the process that opened it.
    generation: u64,
}

impl Shared {
    pub(super) fn new(stores: Stores) -> Self {
        let trouble = Trouble::new(stores.cannot_write().as_ref());
        fork::watch();
        Self {
            stores,
            trouble,
            queue: Queue::default(),
            counters: Counters::default(),
            damaged: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            generation: fork::generation(),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Result<Option<Entry>, Error> {
        Ok(self.look(key)?.0)
    }

    /// Fails in a forked child. The child has no writer, and SQLite allows it neither to use what its
    /// parent opened nor to open the same file itself, because what it knows of locks is the parent's.
    /// (<https://sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_>)
    pub(super) fn check_process(&self) -> Result<(), Error> {
        if self.generation == fork::generation() {
            return Ok(());
        }
        let context = "use a directory in a forked child that was opened before the fork; first use the engine after it, or \
                       start the child by `exec`";
        Err(failure(ErrorKind::Unavailable, context))
    }

    pub(super) fn look(&self, key: &Key) -> Result<(Option<Entry>, Witness), Error> {
        self.check_process()?;
        let now = utc_now();
        match self.queue.pending(key) {
            Some(Pending::Put(entry)) if !entry.is_expired(now) => {
                return Ok((Some(entry), self.read(|view, _| Ok(view.known.witness))?));
            }
            Some(_) => return Ok((None, self.read(|view, _| Ok(view.known.witness))?)),
            None => {}
        }
        // A content file may be removed between the look at the row and the opening of the file. If that
        // happens twice, it is no coincidence.
        for last in [false, true] {
            let (found, witness) =
                self.read(|view, hints| Ok((view.get(hints, key)?, view.known.witness)))?;
            let found = found.filter(|found| found.expires.is_none_or(|end| end > index::moment(now)));
            let Some(found) = found else { return Ok((None, witness)) };
            let Found { row, seq, expires, used, size, content } = found;
            let bytes = match content {
                Content::Here(bytes) => (bytes.len() as u64 == size).then_some(bytes),
                Content::File(file) => self
                    .stores
                    .current()
                    .directory
                    .read_content(file, size)
                    .map_err(|error| failure::io("read a content file", error))?
                    .map(Bytes::from),
            };
            if let Some(bytes) = bytes {
                if now.saturating_sub(used.cast_unsigned())
                    > self.stores.options.touch_after.as_millis() as u64
                    && self.stores.may_write()
                {
                    // If the queue is full, the time of use is not updated. Nothing else is lost.
                    let _ = self.push(Op::Touch { row, at: now }, Duration::ZERO);
                }
                let expires = expires.map(i64::cast_unsigned);
                return Ok((Some(Entry { bytes, expires }), witness));
            }
            if last {
                let _ = self.push(Op::Discard { row, seq }, Duration::ZERO);
            }
        }
        Ok((None, self.read(|view, _| Ok(view.known.witness))?))
    }

    pub(super) fn read<T>(
        &self,
        read: impl Fn(&mut View<'_, '_>, &Hints) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.check_process()?;
        let store = self.stores.current();
        let held = store.readers.are_holding();
        let value = store.readers.read(|view| read(view, &store.hints));
        if !held && store.readers.are_holding() {
            // The writer wakes, and later has the snapshots released.
            self.queue.nudge();
        }
        // The writer checks an index that a reader found damaged or did not find.
        let suspect = match value.as_ref().map_err(Error::kind) {
            Err(ErrorKind::Corrupt) => &self.damaged,
            Err(ErrorKind::Unavailable | ErrorKind::Io) => &self.lost,
            _ => return value,
        };
        suspect.store(true, Ordering::Release);
        self.queue.nudge();
        value
    }

    pub(super) fn push(&self, op: Op, wait: Duration) -> Result<(), Error> {
        self.check_process()?;
        self.queue.push(op, self.stores.options.queue, wait)
    }

    pub(super) fn put(&self, key: &Key, entry: &Entry, witness: Option<Witness>) -> Result<(), Error> {
        self.check_process()?;
        let options = &self.stores.options;
        if entry.bytes.len() as u64 > options.largest() {
            let context = format!("store {} bytes in a cache of {}", entry.bytes.len(), options.max_size);
            return Err(failure(ErrorKind::TooLarge, context));
        }
        let refuse = |error| {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            Err(error)
        };
        let tries = match self.trouble.admit() {
            Ok(admission) => matches!(admission, Admission::Probe),
            Err(error) => return refuse(error),
        };
        let (key, entry) = (*key, entry.clone());
        if options.durable || tries {
            return self.ask(options.wait, |reply| Op::Put { key, entry, witness, reply: Some(reply) });
        }
        self.push(Op::Put { key, entry, witness, reply: None }, options.put_wait).or_else(refuse)
    }

    /// Queues an operation and waits for the writer's answer.
    pub(super) fn ask<T>(&self, wait: Duration, op: impl FnOnce(Reply<T>) -> Op) -> Result<T, Error> {
        let (reply, answer) = mpsc::sync_channel(1);
        let until = Instant::now() + wait;
        self.push(op(reply), wait)?;
        match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(failure(ErrorKind::Timeout, "write to the index")),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(failure(ErrorKind::Unavailable, "write: the writer has ended"))
            }
        }
    }

    pub(super) fn wait(&self) -> Duration {
        self.stores.options.wait
    }
}
