//! A connection for reading. It keeps its snapshot for as long as nobody writes.
//!
//! To begin and end a read transaction costs SQLite two system calls for locks, four times as much as the
//! look-up. So a connection stays inside its transaction. Before each use it compares the header of
//! SQLite's shared memory with the header that belongs to its snapshot: every commit of any process changes
//! it (<https://sqlite.org/walformat.html#the_wal_index_header>). So a read sees everything that was
//! committed before it began.
//!
//! While a snapshot is kept, the log cannot start over. So the writer asks a few times a second for
//! snapshots to be released. It cannot ask while it waits for another process, and that process may wait
//! for just these snapshots. So none are kept while it writes.

use std::path::Path;
use std::time::Duration;

use super::failure;
use super::index::{self, Known, Mode, RowCache, View};
use super::wal_index::{Header, ReadConnection};
use crate::error::Error;

/// A connection that reads.
pub(super) struct Reader {
    connection: ReadConnection,
    /// Whether to look for the header. A connection that may only read has private memory in its place.
    seeks_header: bool,
    /// The header that belongs to the snapshot that is kept.
    snapshot: Option<Header>,
    /// What is known about the snapshot.
    known: Option<Known>,
    /// Rows that were read under the last header, which may be that of the next snapshot too.
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
            // Nothing was committed between the look at the header and the first read. So the header
            // belongs to the snapshot.
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

    /// Reads from the snapshot. `certain`: it is known to belong to the header.
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
