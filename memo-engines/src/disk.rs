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

mod directory;
mod hints;
mod index;
mod log;
mod options;
mod owner;
mod queue;
mod reader;
mod recent;
mod store;
mod wal_index;
#[cfg(unix)]
mod way;
mod writer;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use options::DiskOptions;

use self::hints::Hints;
use self::index::{Content, Found, View};
use self::queue::{Op, Pending, Queue, Reply};
use self::store::Stores;
use self::writer::Writer;
use crate::engine::{
    Bytes, Capability, Engine, EngineFuture, Entry, Key, Lease, Reach, Space, Witness, utc_now,
};
use crate::error::{Error, ErrorKind};
use crate::fork;

const NAME: &str = "disk";

/// Entries in a directory of this machine: see the [module](self).
pub struct Disk {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    stores: Stores,
    queue: Queue,
    counters: Counters,
    in_trouble: AtomicBool,
    /// Set by a reader that found the index damaged.
    damaged: AtomicBool,
    /// Set by a reader that could not open the index: the directory may have been removed.
    lost: AtomicBool,
    /// Why the last transaction failed, and until when puts are refused because of it.
    trouble: Mutex<Option<(Instant, ErrorKind, String)>>,
    /// Of the process that opened it.
    generation: u64,
}

#[derive(Default)]
struct Counters {
    written: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    evicted: AtomicU64,
    expired: AtomicU64,
}

/// What a [`Disk`] has done since it was opened, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskStats {
    /// Entries that were written.
    pub written: u64,
    /// Entries that were given up because the queue was full or the disk in trouble.
    pub refused: u64,
    /// Operations whose transaction failed.
    pub failed: u64,
    /// Entries that left for room.
    pub evicted: u64,
    /// Entries that left because their time was over.
    pub expired: u64,
}

impl Disk {
    /// Opens the directory, makes it where it is missing, and starts the writer.
    ///
    /// A directory that may only be read (its file system is mounted read-only, or it is root's) and has an index
    /// is opened to be read: what is there is found, and every put is [`ErrorKind::Unavailable`] until it may be
    /// written.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] where the directory cannot be made or must not be used, saying why; other
    /// kinds where the index cannot be opened. A damaged index is no error: it is set aside.
    pub fn open(options: DiskOptions) -> Result<Self, Error> {
        let named = |error: Error| error.of(NAME);
        let (stores, connection) = Stores::open(options).map_err(named)?;
        // The first put tries, and says why nothing can be written.
        let trouble = stores.cannot_write().map(|error| (Instant::now(), error.kind(), error.to_string()));
        let shared = Arc::new(Shared {
            stores,
            queue: Queue::default(),
            counters: Counters::default(),
            in_trouble: AtomicBool::new(trouble.is_some()),
            damaged: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            trouble: Mutex::new(trouble),
            generation: {
                fork::watch();
                fork::generation()
            },
        });
        let writer = Writer::new(Arc::clone(&shared), connection);
        let writer = std::thread::Builder::new()
            .name("memo-disk".into())
            .spawn(|| writer.run())
            .map_err(|error| Error::io("start the writer", error).of(NAME))?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// The directory that is used.
    pub fn path(&self) -> &Path {
        &self.shared.stores.path
    }

    /// What it has done so far.
    pub fn stats(&self) -> DiskStats {
        let Counters { written, refused, failed, evicted, expired } = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DiskStats {
            written: read(written),
            refused: read(refused),
            failed: read(failed),
            evicted: read(evicted),
            expired: read(expired),
        }
    }

    /// Looks now for what has expired, was cleared, or was left behind, and waits until it is gone.
    ///
    /// # Errors
    /// Those of the disk; [`ErrorKind::Timeout`] after a minute.
    pub fn sweep(&self) -> Result<(), Error> {
        self.shared.ask(Duration::from_secs(60), |reply| Op::Sweep { reply })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.shared.here().is_err() {
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

impl Shared {
    fn get(&self, key: &Key) -> Result<Option<Entry>, Error> {
        Ok(self.look(key)?.0)
    }

    /// Whether this is the process that opened it. A forked child has no writer, and SQLite allows it neither to use what
    /// its parent opened nor to open the same file itself: what is known of locks there is the parent's.
    /// (<https://sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_>)
    fn here(&self) -> Result<(), Error> {
        if self.generation == fork::generation() {
            return Ok(());
        }
        let context = "use a directory in a forked child that was opened before the fork; first use the engine after it, or \
                       start the child by `exec`";
        Err(Error::new(ErrorKind::Unavailable, context).of(NAME))
    }

    fn look(&self, key: &Key) -> Result<(Option<Entry>, Witness), Error> {
        self.here()?;
        let now = utc_now();
        match self.queue.pending(key) {
            Some(Pending::Put(entry)) if !entry.is_expired(now) => {
                return Ok((Some(entry), self.read(|view, _| Ok(view.known.witness))?));
            }
            Some(_) => return Ok((None, self.read(|view, _| Ok(view.known.witness))?)),
            None => {}
        }
        // A content file may go between the look at the row and the opening of the file: once is chance.
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
                    .map_err(|error| Error::io("read a content file", error).of(NAME))?
                    .map(Bytes::from),
            };
            if let Some(bytes) = bytes {
                if now.saturating_sub(used.cast_unsigned())
                    > self.stores.options.touch_after.as_millis() as u64
                    && self.stores.may_write()
                {
                    // No place in the queue, no refreshed place in the order: that is all.
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

    fn read<T>(&self, read: impl Fn(&mut View<'_, '_>, &Hints) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.here()?;
        let store = self.stores.current();
        let held = store.readers.are_holding();
        let value = store.readers.read(|view| read(view, &store.hints));
        if !held && store.readers.are_holding() {
            // So that the writer wakes in time to have the snapshots let go of.
            self.queue.nudge();
        }
        // The writer looks at an index that a reader found damaged, or did not find.
        let suspect = match value.as_ref().map_err(Error::kind) {
            Err(ErrorKind::Corrupt) => &self.damaged,
            Err(ErrorKind::Unavailable | ErrorKind::Io) => &self.lost,
            _ => return value,
        };
        suspect.store(true, Ordering::Release);
        self.queue.nudge();
        value
    }

    fn push(&self, op: Op, wait: Duration) -> Result<(), Error> {
        self.here()?;
        self.queue.push(op, self.stores.options.queue, wait)
    }

    fn put(&self, key: &Key, entry: &Entry, witness: Option<Witness>) -> Result<(), Error> {
        self.here()?;
        let options = &self.stores.options;
        if entry.bytes.len() as u64 > options.largest() {
            let context = format!("store {} bytes in a cache of {}", entry.bytes.len(), options.max_size);
            return Err(Error::new(ErrorKind::TooLarge, context).of(NAME));
        }
        let refuse = |error| {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            Err(error)
        };
        let mut tries = false;
        if self.in_trouble.load(Ordering::Acquire)
            && let Some((until, kind, why)) =
                &mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
        {
            if Instant::now() < *until {
                return refuse(Error::new(*kind, why.clone()).of(NAME));
            }
            // One entry tries whether the disk is well again, and waits for the answer; others do not meanwhile.
            *until = Instant::now() + writer::REFUSE;
            tries = true;
        }
        let (key, entry) = (*key, entry.clone());
        if options.durable || tries {
            return self.ask(options.wait, |reply| Op::Put { key, entry, witness, reply: Some(reply) });
        }
        self.push(Op::Put { key, entry, witness, reply: None }, options.put_wait).or_else(refuse)
    }

    /// Hands the writer an operation and waits for its answer.
    fn ask<T>(&self, wait: Duration, op: impl FnOnce(Reply<T>) -> Op) -> Result<T, Error> {
        let (reply, answer) = mpsc::sync_channel(1);
        let until = Instant::now() + wait;
        self.push(op(reply), wait)?;
        match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(Error::new(ErrorKind::Timeout, "write to the index").of(NAME))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(Error::new(ErrorKind::Unavailable, "write: the writer has ended").of(NAME))
            }
        }
    }

    fn wait(&self) -> Duration {
        self.stores.options.wait
    }
}

/// A number that another process, or this one a moment ago, does not come upon too.
fn random() -> u64 {
    RandomState::new().hash_one(utc_now())
}

impl Engine for Disk {
    fn name(&self) -> &str {
        NAME
    }

    fn capability(&self) -> Capability {
        Capability {
            reach: Reach::Machine,
            persistent: true,
            blocking: true,
            hangs: self.shared.stores.remote,
            deferred: !self.shared.stores.options.durable,
            expires: true,
            iterates: true,
            clears_cheaply: true,
            witnesses: true,
            leases: true,
            watches: false,
            largest: Some(self.shared.stores.options.largest()),
        }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::ready(self.shared.get(key))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        EngineFuture::ready(self.shared.put(key, entry, None))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Remove { key: *key, reply }))
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        let shared = &self.shared;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Clear { space: *space, reply }))
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        EngineFuture::ready(self.shared.look(key))
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        // The writer asks again; here it keeps what is outdated from being seen in the queue.
        let stored =
            shared.read(|view, _| index::outdated(view.connection, key, witness)).and_then(|outdated| {
                match outdated {
                    true => Ok(false),
                    false => shared.put(key, entry, Some(witness)).map(|()| true),
                }
            });
        EngineFuture::ready(stored)
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        // All are handed over before the first is waited for: they share transactions.
        let shared = &self.shared;
        let until = Instant::now() + shared.wait();
        let removed = keys
            .iter()
            .map(|key| {
                let (reply, answer) = mpsc::sync_channel(1);
                shared.push(Op::Remove { key: *key, reply }, shared.wait()).map(|()| answer)
            })
            .collect::<Result<Vec<_>, _>>()
            .and_then(|answers| {
                answers.into_iter().try_fold(0, |removed, answer| {
                    let left = until.saturating_duration_since(Instant::now());
                    let there = answer
                        .recv_timeout(left)
                        .map_err(|_| Error::new(ErrorKind::Timeout, "write to the index").of(NAME))??;
                    Ok(removed + usize::from(there))
                })
            });
        EngineFuture::ready(removed)
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        let shared = &self.shared;
        // What waits in the queue has no place in the order yet.
        let keys = shared.ask(shared.wait(), |reply| Op::Flush { reply }).and_then(|()| {
            shared.read(|view, _| index::keys(view.connection, space, after, limit, utc_now()))
        });
        EngineFuture::ready(keys)
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        let shared = &self.shared;
        // Those who wait for another's lease ask often: they must not be in the way of those who write. Where the
        // look fails, the writer says why.
        let held = shared.read(|view, _| index::holder(view.connection, key, utc_now()));
        if held.is_ok_and(|holder| holder.is_some_and(|holder| owner::may_live(&holder))) {
            return EngineFuture::ready(Ok(None));
        }
        let mut token = [0; 16];
        token[..8].copy_from_slice(&random().to_le_bytes());
        token[8..].copy_from_slice(&random().to_le_bytes());
        let taken = shared.ask(shared.wait(), |reply| Op::Lease { key: *key, token, ttl, reply });
        EngineFuture::ready(taken.map(|taken| taken.then_some(Lease { token })))
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        let token = lease.token;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Renew { key: *key, token, ttl, reply }))
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        let token = lease.token;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Release { key: *key, token, reply }))
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::ready(self.shared.ask(Duration::from_secs(30), |reply| Op::Flush { reply }))
    }

    fn unwritten(&self) -> Option<usize> {
        Some(self.shared.queue.unwritten())
    }
}
