//! Reading: a connection that keeps its snapshot for as long as nothing has been written.
//!
//! To begin and end a read costs SQLite two system calls for locks, four times what the look-up itself costs.
//! So a connection stays inside its read transaction, and before each use it compares the header of SQLite's
//! shared memory with what it was when the snapshot was taken: every commit, by any process, changes it
//! (<https://sqlite.org/walformat.html#the_wal_index_header>). A read is never older than its beginning.
//!
//! A kept snapshot keeps the log from starting over. The writer therefore asks for their release a few times a
//! second, while there are any. It cannot while it waits for another process, which may be waiting for just these
//! snapshots: so none are kept while it writes.

use std::path::Path;
use std::time::Duration;

use super::failure;
use super::index::{self, Known, Mode, RowCache, View};
use super::wal_index::{Header, ReadConnection};
use crate::error::Error;

/// A connection that reads.
pub(super) struct Reader {
    connection: ReadConnection,
    /// Whether it looks for the header: who may only read has memory of its own in its place.
    seeks_header: bool,
    /// The header that belongs to the snapshot that is being kept.
    snapshot: Option<Header>,
    /// What is known about that snapshot.
    known: Option<Known>,
    /// What was read under that header, which may come again with the next snapshot.
    cache: RowCache,
}

impl Reader {
    pub(super) fn open(path: &Path, busy: Duration, mode: Mode) -> Result<Self, Error> {
        let connection = index::open(path, busy, mode)?;
        let open = || {
            connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8000;")?;
            ReadConnection::new(connection, index::GET_ROW)
        };
        let connection = open().map_err(|error| failure::sqlite("open the index", error))?;
        Ok(Self {
            connection,
            seeks_header: mode == Mode::Write,
            snapshot: None,
            known: None,
            cache: RowCache::default(),
        })
    }

    pub(super) fn read<T>(
        &mut self,
        read: impl Fn(&mut View<'_, '_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let header = self.connection.header();
        if header.is_some() && header == self.snapshot {
            let known = match self.known {
                Some(known) => known,
                None => *self.known.insert(index::known(self.connection.connection())?),
            };
            return self.see(known, true, read);
        }
        self.let_go()?;
        let connection = self.connection.connection();
        connection.prepare_cached("BEGIN")?.execute([])?;
        let known = *self.known.insert(index::known(connection)?);
        let value = self.see(known, false, read)?;
        if let Some(header) = header
            && self.connection.header() == Some(header)
        {
            // Nothing was committed between the look at the header and the first read: they belong together.
            self.snapshot = Some(header);
            self.cache.use_header(header);
        } else {
            if self.seeks_header {
                self.connection.find_header();
            }
            self.let_go()?;
        }
        Ok(value)
    }

    /// Reads. `certain`: the snapshot is known to be that of the header.
    fn see<T>(
        &mut self,
        known: Known,
        certain: bool,
        read: impl Fn(&mut View<'_, '_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let cache = certain.then_some(&mut self.cache);
        self.connection
            .with_statement(|connection, by_row| read(&mut View { connection, by_row, known, cache }))
    }

    pub(super) fn let_go(&mut self) -> rusqlite::Result<()> {
        (self.snapshot, self.known) = (None, None);
        self.cache.make_room();
        let connection = self.connection.connection();
        if !connection.is_autocommit() {
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}
