//! Reading: a few connections, each of which keeps its snapshot for as long as nothing has been written.
//!
//! To begin and end a read costs SQLite two system calls for locks, four times what the look-up itself costs.
//! So a connection stays inside its read transaction, and before each use it compares the header of SQLite's
//! shared memory with what it was when the snapshot was taken: every commit, by any process, changes it
//! (<https://sqlite.org/walformat.html#the_wal_index_header>). A read is never older than its beginning.
//!
//! A kept snapshot keeps the log from starting over. The writer therefore asks for their release a few times a
//! second, while there are any. It cannot while it waits for another process, which may be waiting for just these
//! snapshots: so none are kept while it writes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::index::{self, Known};
use super::wal_index::{Header, Watched};
use crate::error::Error;

/// How many connections are kept for the next reader; more are made when more read at once.
const KEPT: usize = 8;

pub(super) struct Readers {
    path: PathBuf,
    busy: Duration,
    idle: Mutex<Vec<Reader>>,
    /// Whether any connection may be keeping a snapshot.
    holding: AtomicBool,
    /// Whether none may be kept.
    keep_none: AtomicBool,
}

struct Reader {
    connection: Watched,
    /// The header that belongs to the snapshot that is being kept.
    snapshot: Option<Header>,
    /// What is known about that snapshot.
    known: Option<Known>,
}

impl Readers {
    pub(super) fn new(path: &Path, busy: Duration) -> Self {
        Self {
            path: path.to_owned(),
            busy,
            idle: Mutex::default(),
            holding: AtomicBool::new(false),
            keep_none: AtomicBool::new(false),
        }
    }

    /// From now on no snapshot is kept, until they may be again.
    pub(super) fn keep_none(&self) {
        self.keep_none.store(true, Ordering::SeqCst);
        self.let_go();
    }

    /// Snapshots may be kept again.
    pub(super) fn keep_again(&self) {
        self.keep_none.store(false, Ordering::SeqCst);
    }

    /// Reads from a snapshot that has everything that was written before.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(&Connection, Known) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let idle = self.lock().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.path, self.busy)?,
        };
        // After an error the connection is not used again.
        let value = reader.read(read).map_err(|error| index::failed("read the index", error))?;
        let mut idle = self.lock();
        if idle.len() < KEPT {
            idle.push(reader);
            if !self.holding.load(Ordering::Relaxed) {
                self.holding.store(true, Ordering::Relaxed);
            }
        }
        drop(idle);
        // Looked at after it can be seen that there is one to let go of.
        if self.keep_none.load(Ordering::SeqCst) {
            self.let_go();
        }
        Ok(value)
    }

    /// Whether there may be snapshots to let go of.
    pub(super) fn are_holding(&self) -> bool {
        self.holding.load(Ordering::Relaxed)
    }

    /// Lets go of the snapshots of those that are not reading right now.
    pub(super) fn let_go(&self) {
        self.holding.store(false, Ordering::Relaxed);
        self.lock().retain_mut(|reader| reader.let_go().is_ok());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn open(path: &Path, busy: Duration) -> Result<Self, Error> {
        let connection = index::open(path, busy)?;
        connection
            .execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8000;")
            .map_err(|error| index::failed("open the index", error))?;
        Ok(Self { connection: Watched::new(connection), snapshot: None, known: None })
    }

    fn read<T>(&mut self, read: impl Fn(&Connection, Known) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let header = self.connection.header();
        if header.is_some() && header == self.snapshot {
            let connection = self.connection.connection();
            let known = match self.known {
                Some(known) => known,
                None => *self.known.insert(index::known(connection)?),
            };
            return read(connection, known);
        }
        self.let_go()?;
        let connection = self.connection.connection();
        connection.prepare_cached("BEGIN")?.execute([])?;
        let known = *self.known.insert(index::known(connection)?);
        let value = read(connection, known)?;
        if header.is_some() && header == self.connection.header() {
            // Nothing was committed between the look at the header and the first read: they belong together.
            self.snapshot = header;
        } else {
            self.connection.find();
            self.let_go()?;
        }
        Ok(value)
    }

    fn let_go(&mut self) -> rusqlite::Result<()> {
        (self.snapshot, self.known) = (None, None);
        let connection = self.connection.connection();
        if !connection.is_autocommit() {
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}
