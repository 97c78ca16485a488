//! The index: what SQLite is asked, and nothing else. One table of entries, one of spaces that were cleared,
//! one of keys that were removed, one of leases, and a row of numbers about the whole.
//!
//! Every change has a number of its own, counted in `whole.seq`. A space is cleared by noting the number: an
//! entry is valid while its own number is greater. A removed key is noted likewise, for an hour: a result whose
//! computation began before is refused ([`put_if`](crate::Engine::put_if)).
//!
//! Entries are rows in the order in which they came, found by an index over the first eight bytes of their
//! key. (Rows in the order of the key would be found a little sooner, but then every put dirties a page of its
//! own: measured, 77 µs instead of 12 in a batch of 100.) Two keys that share those bytes replace each other;
//! the whole key is compared when it is read.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Statement, params};

use super::hints::Hints;
use super::recent::Recent;
use crate::engine::{Bytes, Key, Space, Witness};
use crate::error::{Error, ErrorKind};

/// "memo", so that nobody's database is taken for ours.
const APPLICATION: i32 = 0x6d65_6d6f;
const SCHEMA_VERSION: i32 = 1;

/// The size of a page of the index, in bytes.
pub(super) const PAGE: u64 = 4096;

/// How long a removed key is remembered.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The longest lease. What ends later was written before the clock was set back, and would bind for as long as that.
const LONGEST_LEASE: Duration = Duration::from_secs(300);

const SCHEMA: &str = "
    CREATE TABLE entry (
        row     INTEGER PRIMARY KEY,
        id      INTEGER NOT NULL,       -- the first 8 bytes of the digest
        key     BLOB NOT NULL,          -- digest, 32 bytes, and space, 16 bytes
        space   INTEGER NOT NULL,       -- the first 8 bytes of the space
        seq     INTEGER NOT NULL,       -- the number of the change that wrote it
        expires INTEGER,                -- ms since 1970 UTC
        used    INTEGER NOT NULL,       -- ms since 1970 UTC, no more exact than touch_after
        size    INTEGER NOT NULL,
        file    INTEGER,                -- the content file, or
        content BLOB                    -- the content
    );
    CREATE UNIQUE INDEX entry_id ON entry (id);
    CREATE INDEX entry_used ON entry (used);
    CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
    CREATE INDEX entry_file ON entry (file, size) WHERE file IS NOT NULL;
    CREATE TABLE cleared (space INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE removed (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE lease (
        id      INTEGER PRIMARY KEY,
        token   BLOB NOT NULL,
        expires INTEGER NOT NULL,       -- ms since 1970 UTC
        owner   TEXT NOT NULL           -- the process that holds it
    );
    CREATE TABLE whole (
        one     INTEGER PRIMARY KEY CHECK (one = 1),
        seq     INTEGER NOT NULL,       -- the number of the last change
        content INTEGER NOT NULL,       -- the bytes of all content files
        forgot  INTEGER NOT NULL        -- the number of the last removal that is no longer remembered
    );
    INSERT INTO whole VALUES (1, 0, 0, 0);
";

/// An error of SQLite, with its kind told apart.
pub(super) fn failed(context: &str, error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode as Code;
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let kind = match error.sqlite_error_code() {
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => ErrorKind::Corrupt,
        Some(Code::DiskFull) => ErrorKind::Full,
        Some(Code::TooBig) => ErrorKind::TooLarge,
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => ErrorKind::Timeout,
        Some(Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly | Code::NoLargeFileSupport) => {
            ErrorKind::Unavailable
        }
        // A file that ends before it should.
        Some(Code::SystemIoFailure) if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHORT_READ) => {
            ErrorKind::Corrupt
        }
        Some(Code::SystemIoFailure) => ErrorKind::Io,
        // A row that does not have the shape we gave it, or a table that is gone: only damage does that.
        None => ErrorKind::Corrupt,
        Some(Code::Unknown | Code::ConstraintViolation | Code::TypeMismatch) => ErrorKind::Corrupt,
        Some(_) => ErrorKind::Other,
    };
    Error::new(kind, context).retry(kind == ErrorKind::Timeout).of(super::NAME).caused_by(error)
}

/// How an index is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    /// Others may be writing.
    Read,
    /// Nobody can write, and there is no log: SQLite needs neither locks nor files beside it.
    Frozen,
}

pub(super) fn open(path: &Path, busy: Duration, mode: Mode) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | match mode {
            Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Mode::Read | Mode::Frozen => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
    let open = || {
        let connection = match mode {
            Mode::Write | Mode::Read => Connection::open_with_flags(path, flags)?,
            Mode::Frozen => {
                let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)), flags)?
            }
        };
        connection.busy_timeout(busy)?;
        // The file is never mapped: truncated under a mapping, it would end the process.
        connection.execute_batch(
            "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;",
        )?;
        // The last to leave would write the log back and remove it by name, which may be another's by then.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|error| failed("open the index", error))
}

/// A path as it is written in a URI.
fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    bytes
        .iter()
        .map(|&byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Refuses an index that is not ours, and changes nothing.
pub(super) fn check(connection: &Connection) -> Result<(), Error> {
    match is_ours(connection) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Error::new(ErrorKind::Corrupt, "read the index: it is not one of ours").of(super::NAME))
        }
        Err(error) => Err(failed("read the index", error)),
    }
}

fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let ours = number("application_id")? == APPLICATION && number("user_version")? == SCHEMA_VERSION;
    // A statement over every table and column: whatever is missing shows here.
    let whole: Option<i64> = connection
        .query_row("SELECT seq + content + forgot FROM whole WHERE one = 1", [], |row| row.get(0))
        .optional()?;
    connection.prepare(GET)?;
    connection.prepare(IS_VALID)?;
    connection.prepare("SELECT c.at, r.at, l.token, l.owner FROM cleared c, removed r, lease l")?;
    Ok(ours && whole.is_some())
}

/// Makes the tables in a file that is new, and refuses one that is not ours.
pub(super) fn set_up(connection: &Connection) -> Result<(), Error> {
    let set_up = || {
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let is_new = number("application_id")? == 0 && number("schema_version")? == 0;
        if is_new {
            // On an index that others use this would wait for them: it writes.
            connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")?;
        }
        if let Err(error) = connection.execute_batch("PRAGMA journal_mode = WAL;") {
            return if !is_new && is_kept_from_its_log(connection, &error) { Ok(false) } else { Err(error) };
        }
        connection.execute_batch("PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 0;")?;
        if is_new {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION}; \
                 PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            ))?;
        }
        is_ours(connection)
    };
    match set_up() {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Error::new(ErrorKind::Corrupt, "read the index: it is not one of ours").of(super::NAME))
        }
        // "SQL logic error": a table is not there.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) => {
            Err(failed("read the index", error))
        }
        Err(error) => Err(failed("set up the index", error)),
    }
}

/// Whether an index cannot be used with its log because its header says that it is used without one, and another process
/// has it open. We use none without, so the header is damaged; while nobody has it open, SQLite mends that.
fn is_kept_from_its_log(connection: &Connection, error: &rusqlite::Error) -> bool {
    let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
        && mode.is_ok_and(|mode| !mode.eq_ignore_ascii_case("wal"))
}

/// Whether the next transaction waits until it is on the disk itself. Without, it may be lost with the power, and
/// those after it; it is never half there.
pub(super) fn set_sync(connection: &Connection, sync: bool) -> rusqlite::Result<()> {
    let pragma = if sync { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
    connection.prepare_cached(pragma)?.execute([]).map(|_| ())
}

/// The owner of a lease whose time is not over.
pub(super) fn holder(connection: &Connection, key: &Key, now: u64) -> rusqlite::Result<Option<String>> {
    let latest = now.saturating_add(LONGEST_LEASE.as_millis() as u64);
    connection
        .prepare_cached("SELECT owner FROM lease WHERE id = ?1 AND expires > ?2 AND expires <= ?3")?
        .query_row(params![id(&key.digest), moment(now), moment(latest)], |row| row.get(0))
        .optional()
}

pub(super) fn id(digest: &[u8; 32]) -> i64 {
    i64::from_le_bytes(digest[..8].try_into().expect("8 of 32"))
}

fn space_id(space: &Space) -> i64 {
    i64::from_le_bytes(space.0[..8].try_into().expect("8 of 16"))
}

/// SQLite's integers are signed; a moment beyond them is no moment at all.
pub(super) fn moment(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// A row that was found, before its content.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) row: i64,
    pub(super) seq: i64,
    pub(super) expires: Option<i64>,
    pub(super) used: i64,
    pub(super) size: u64,
    pub(super) content: Content,
}

#[derive(Clone)]
pub(super) enum Content {
    Here(Bytes),
    File(i64),
}

/// What holds for a whole snapshot, so that it is asked once.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// The number of the last change.
    pub(super) witness: Witness,
    /// Whether any space was cleared.
    cleared: bool,
}

pub(super) fn known(connection: &Connection) -> rusqlite::Result<Known> {
    connection
        .prepare_cached("SELECT seq, EXISTS (SELECT 1 FROM cleared) FROM whole WHERE one = 1")?
        .query_row([], |row| {
            Ok(Known { witness: Witness(row.get::<_, i64>(0)?.cast_unsigned()), cleared: row.get(1)? })
        })
}

/// What a read of an entry asks for. The row itself comes last: who looks by it has it already.
macro_rules! get {
    ($which:literal) => {
        concat!("SELECT key, seq, expires, used, content, file, size, row FROM entry WHERE ", $which)
    };
}

const GET: &str = get!("id = ?1");

/// [`GET`] by the row, where that is known.
pub(super) const GET_ROW: &str = get!("row = ?1");

const IS_VALID: &str = "SELECT ?1 > ifnull((SELECT seq FROM cleared WHERE space = ?2), 0)";

/// What a read has to ask with: a snapshot.
pub(super) struct View<'v, 'c> {
    pub(super) connection: &'c Connection,
    /// [`GET_ROW`].
    pub(super) by_row: &'v mut Statement<'c>,
    pub(super) known: Known,
    /// What was read from this very snapshot, where that is certain.
    pub(super) recent: Option<&'v mut Recent>,
}

impl View<'_, '_> {
    /// The entry under a key, expired or not. Where a hint tells its row, one descent is enough.
    pub(super) fn get(&mut self, hints: &Hints, key: &Key) -> rusqlite::Result<Option<Found>> {
        if let Some(found) = self.recent.as_ref().and_then(|recent| recent.get(key)) {
            return Ok(Some(found));
        }
        let id = id(&key.digest);
        let mut found = match hints.get(id) {
            Some(row) => Found::by(self.by_row, row, key)?,
            None => None,
        };
        if found.is_none() {
            found = Found::by(&mut *self.connection.prepare_cached(GET)?, id, key)?;
            if let Some(found) = &found {
                hints.set(id, found.row);
            }
        }
        let Some(found) = found else { return Ok(None) };
        if self.known.cleared && !is_valid(self.connection, found.seq, &key.space)? {
            return Ok(None);
        }
        if let Some(recent) = &mut self.recent {
            recent.keep(key, &found);
        }
        Ok(Some(found))
    }
}

impl Found {
    /// What the row has that `which` leads to, if it is this key's.
    fn by(statement: &mut Statement<'_>, which: i64, key: &Key) -> rusqlite::Result<Option<Self>> {
        let mut rows = statement.query([which])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        if row.get_ref(0)?.as_blob()?.first_chunk() != Some(&key.digest) {
            return Ok(None);
        }
        let content = match (row.get_ref(4)?, row.get_ref(5)?) {
            (ValueRef::Blob(content), ValueRef::Null) => Content::Here(content.into()),
            (ValueRef::Null, ValueRef::Integer(file)) => Content::File(file),
            _ => return Err(rusqlite::Error::InvalidQuery),
        };
        let size = row.get::<_, i64>(6)?.cast_unsigned();
        Ok(Some(Self {
            row: row.get(7)?,
            seq: row.get(1)?,
            expires: row.get(2)?,
            used: row.get(3)?,
            size,
            content,
        }))
    }
}

/// Whether what the change `seq` wrote was not cleared since.
fn is_valid(connection: &Connection, seq: i64, space: &Space) -> rusqlite::Result<bool> {
    connection.prepare_cached(IS_VALID)?.query_row([seq, space_id(space)], |row| row.get(0))
}

/// Whether the key was removed, or its space cleared, since `witness` was taken, or may have been.
pub(super) fn outdated(connection: &Connection, key: &Key, witness: Witness) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM whole WHERE forgot > ?1)
             OR EXISTS (SELECT 1 FROM cleared WHERE space = ?2 AND seq > ?1)
             OR EXISTS (SELECT 1 FROM removed WHERE id = ?3 AND seq > ?1)",
    )?;
    statement.query_row([moment(witness.0), space_id(&key.space), id(&key.digest)], |row| row.get(0))
}

pub(super) fn keys(
    connection: &Connection,
    space: &Space,
    after: Option<&Key>,
    limit: usize,
    now: u64,
) -> rusqlite::Result<Vec<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM entry
         WHERE space = ?1 AND (?2 IS NULL OR id > ?2) AND (expires IS NULL OR expires > ?3)
             AND seq > ifnull((SELECT seq FROM cleared WHERE cleared.space = ?1), 0)
         ORDER BY id LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows =
        statement.query(params![space_id(space), after.map(|key| id(&key.digest)), moment(now), limit])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some((digest, rest)) = row.get_ref(0)?.as_blob()?.split_first_chunk()
            && rest == space.0
        {
            keys.push(Key { space: *space, digest: *digest });
        }
    }
    Ok(keys)
}

/// What is on the disk, in bytes.
pub(super) struct Extent {
    pub(super) index: u64,
    /// What of the index is free to be used again by rows.
    pub(super) free: u64,
    /// The content files.
    pub(super) content: u64,
}

/// A transaction of the one writer of this process: what it changes, and what is to be done to files when it
/// has been committed.
pub(super) struct Change<'c> {
    connection: &'c Connection,
    seq: i64,
    content: i64,
    forgot: i64,
    now: u64,
    /// Content files that no row names any more.
    pub(super) dropped: Vec<i64>,
    /// The bytes of all entries that were dropped, in rows and files.
    pub(super) dropped_bytes: u64,
    pub(super) evicted: u64,
    pub(super) expired: u64,
}

impl<'c> Change<'c> {
    pub(super) fn begin(connection: &'c Connection, now: u64) -> rusqlite::Result<Self> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let begun = connection
            .prepare_cached("SELECT seq, content, forgot FROM whole WHERE one = 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        match begun {
            Ok((seq, content, forgot)) => Ok(Self {
                connection,
                seq,
                content,
                forgot,
                now,
                dropped: Vec::new(),
                dropped_bytes: 0,
                evicted: 0,
                expired: 0,
            }),
            Err(error) => {
                let _ = connection.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// The files to remove, once nothing can bring their rows back.
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("UPDATE whole SET seq = ?1, content = ?2, forgot = ?3 WHERE one = 1")?
            .execute([self.seq, self.content, self.forgot])?;
        self.connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }

    fn next_seq(&mut self) -> i64 {
        // A damaged number must not end the process.
        self.seq = self.seq.wrapping_add(1);
        self.seq
    }

    pub(super) fn outdated(&self, key: &Key, witness: Witness) -> rusqlite::Result<bool> {
        outdated(self.connection, key, witness)
    }

    /// Stores an entry, and tells its row. With `file`, its content has been written there. `hint`: where it was last
    /// seen.
    pub(super) fn put(
        &mut self,
        key: &Key,
        hint: Option<i64>,
        bytes: &[u8],
        expires: Option<u64>,
        file: Option<i64>,
    ) -> rusqlite::Result<i64> {
        let seq = self.next_seq();
        let mut name = [0; 48];
        name[..32].copy_from_slice(&key.digest);
        name[32..].copy_from_slice(&key.space.0);
        let content = file.is_none().then_some(bytes);
        let size = bytes.len() as i64;
        let (expires, now) = (expires.map(moment), moment(self.now));
        let old = self.find(key, hint)?;
        let row = if let Some(Old { row, file: old_file, size: old_size }) = old {
            self.forget_content(old_file, old_size);
            let mut update = self.connection.prepare_cached(
                "UPDATE entry SET key = ?2, space = ?3, seq = ?4, expires = ?5, used = ?6, size = ?7, file = ?8,
                     content = ?9
                 WHERE row = ?1",
            )?;
            update.execute(params![
                row,
                &name[..],
                space_id(&key.space),
                seq,
                expires,
                now,
                size,
                file,
                content
            ])?;
            row
        } else {
            let mut insert = self.connection.prepare_cached(
                "INSERT INTO entry (id, key, space, seq, expires, used, size, file, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            insert.execute(params![
                id(&key.digest),
                &name[..],
                space_id(&key.space),
                seq,
                expires,
                now,
                size,
                file,
                content
            ])?;
            self.connection.last_insert_rowid()
        };
        if file.is_some() {
            self.content = self.content.saturating_add(size);
        }
        Ok(row)
    }

    /// The row that has a key's place. Damage to the index over the keys must not hide it, or have us take another row
    /// for it: who looks by a hint goes to the row without asking that index.
    fn find(&self, key: &Key, hint: Option<i64>) -> rusqlite::Result<Option<Old>> {
        let old = self
            .connection
            .prepare_cached("SELECT row, file, size, key FROM entry WHERE id = ?1")?
            .query_row([id(&key.digest)], |row| match row.get_ref(3)?.as_blob()?.first_chunk() {
                Some(digest) if id(digest) == id(&key.digest) => {
                    Ok(Old { row: row.get(0)?, file: row.get(1)?, size: row.get(2)? })
                }
                _ => Err(rusqlite::Error::InvalidQuery),
            })
            .optional()?;
        let hidden = |row| {
            self.connection
                .prepare_cached("SELECT key FROM entry WHERE row = ?1")?
                .query_row([row], |row| Ok(row.get_ref(0)?.as_blob()?.first_chunk() == Some(&key.digest)))
                .optional()
        };
        match (&old, hint) {
            (None, Some(row)) if hidden(row)? == Some(true) => Err(rusqlite::Error::InvalidQuery),
            _ => Ok(old),
        }
    }

    fn forget_content(&mut self, file: Option<i64>, size: i64) {
        if let Some(file) = file {
            self.dropped.push(file);
            self.content = self.content.saturating_sub(size);
        }
    }

    pub(super) fn remove(&mut self, key: &Key, hint: Option<i64>) -> rusqlite::Result<bool> {
        let seq = self.next_seq();
        self.connection.prepare_cached("INSERT OR REPLACE INTO removed VALUES (?1, ?2, ?3)")?.execute([
            id(&key.digest),
            seq,
            moment(self.now),
        ])?;
        // What was cleared or has expired is not there any more, though its row may be.
        let valid = get_validity(self.connection, key, self.now)?;
        if let Some(old) = self.find(key, hint)? {
            self.drop_row(&old)?;
        }
        Ok(valid)
    }

    /// Drops a row that turned out to have no content, unless it has been written anew.
    pub(super) fn discard(&mut self, row: i64, seq: i64) -> rusqlite::Result<()> {
        let old = self
            .connection
            .prepare_cached("SELECT row, file, size FROM entry WHERE row = ?1 AND seq = ?2")?
            .query_row([row, seq], |row| Ok(Old { row: row.get(0)?, file: row.get(1)?, size: row.get(2)? }))
            .optional()?;
        old.map_or(Ok(()), |old| self.drop_row(&old))
    }

    fn drop_row(&mut self, old: &Old) -> rusqlite::Result<()> {
        self.forget_content(old.file, old.size);
        self.dropped_bytes = self.dropped_bytes.saturating_add(old.size.max(0).cast_unsigned());
        self.connection.prepare_cached("DELETE FROM entry WHERE row = ?1")?.execute([old.row])?;
        Ok(())
    }

    pub(super) fn clear(&mut self, space: &Space) -> rusqlite::Result<()> {
        let seq = self.next_seq();
        self.connection.prepare_cached("INSERT OR REPLACE INTO cleared VALUES (?1, ?2, ?3)")?.execute([
            space_id(space),
            seq,
            moment(self.now),
        ])?;
        Ok(())
    }

    pub(super) fn touch(&mut self, row: i64, now: u64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("UPDATE entry SET used = ?2 WHERE row = ?1 AND used < ?2")?
            .execute([row, moment(now)])?;
        Ok(())
    }

    /// What is on the disk, beside the log. `file` is the size of the index as the file system has it: what was
    /// given back is given back when the log is written back.
    pub(super) fn extent(&self, file: u64) -> rusqlite::Result<Extent> {
        let pages = self.pragma("PRAGMA page_count")?.max(0).cast_unsigned() * PAGE;
        Ok(Extent {
            index: pages.max(file),
            free: self.pragma("PRAGMA freelist_count")?.max(0).cast_unsigned() * PAGE,
            content: self.content.max(0).cast_unsigned(),
        })
    }

    fn pragma(&self, pragma: &str) -> rusqlite::Result<i64> {
        self.connection.prepare_cached(pragma)?.query_row([], |row| row.get(0))
    }

    /// Drops some entries for room: the expired first, then those that were used longest ago. Tells whether there
    /// were any.
    pub(super) fn evict(&mut self) -> rusqlite::Result<bool> {
        if self.drop_expired(512)? > 0 {
            return Ok(true);
        }
        let evicted = self.drop_some("SELECT row, file, size FROM entry ORDER BY used LIMIT ?1", 16)?;
        self.evicted += evicted;
        Ok(evicted > 0)
    }

    /// Gives up to `pages` free pages back to the file system.
    pub(super) fn shrink(&mut self, pages: u64) -> rusqlite::Result<()> {
        let mut vacuum = self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    pub(super) fn drop_expired(&mut self, limit: usize) -> rusqlite::Result<u64> {
        let expired = format!("SELECT row, file, size FROM entry WHERE expires <= {} LIMIT ?1", self.now);
        let expired = self.drop_some(&expired, limit)?;
        self.expired += expired;
        Ok(expired)
    }

    fn drop_some(&mut self, which: &str, limit: usize) -> rusqlite::Result<u64> {
        let some: Vec<Old> = self
            .connection
            .prepare(which)?
            .query_map([limit as i64], |row| {
                Ok(Old { row: row.get(0)?, file: row.get(1)?, size: row.get(2)? })
            })?
            .collect::<Result<_, _>>()?;
        some.iter().try_for_each(|old| self.drop_row(old))?;
        Ok(some.len() as u64)
    }

    /// Drops cleared entries among the `limit` rows after `after`; tells where to go on, `None` at the end.
    pub(super) fn drop_cleared(&mut self, after: i64, limit: usize) -> rusqlite::Result<Option<i64>> {
        let last: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT max(row) FROM (SELECT row FROM entry WHERE row > ?1 ORDER BY row LIMIT ?2)",
            )?
            .query_row([after, limit as i64], |row| row.get(0))?;
        let Some(last) = last else { return Ok(None) };
        self.drop_some(
            &format!(
                "SELECT entry.row, entry.file, entry.size FROM entry JOIN cleared USING (space)
                 WHERE entry.row > {after} AND entry.row <= {last} AND entry.seq <= cleared.seq LIMIT ?1"
            ),
            limit,
        )?;
        Ok(Some(last))
    }

    pub(super) fn any_cleared(&self) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM cleared LIMIT 1")?.exists([])
    }

    /// Forgets removals and clearings that are older than an hour. No row of a cleared space may be left.
    pub(super) fn forget(&mut self) -> rusqlite::Result<()> {
        let before = moment(self.now.saturating_sub(REMEMBERED.as_millis() as u64));
        for table in ["removed", "cleared"] {
            let last: Option<i64> = self.connection.query_row(
                &format!("SELECT max(seq) FROM {table} WHERE at < ?1"),
                [before],
                |row| row.get(0),
            )?;
            if let Some(last) = last {
                self.forgot = self.forgot.max(last);
                self.connection.execute(&format!("DELETE FROM {table} WHERE at < ?1"), [before])?;
            }
        }
        self.connection.execute("DELETE FROM lease WHERE expires < ?1", [before])?;
        Ok(())
    }

    /// Which of these content files no row names.
    pub(super) fn orphans(&self, files: &[i64]) -> rusqlite::Result<Vec<i64>> {
        let mut named = self.connection.prepare_cached("SELECT 1 FROM entry WHERE file = ?1")?;
        let mut orphans = Vec::new();
        for file in files {
            if !named.exists([file])? {
                orphans.push(*file);
            }
        }
        Ok(orphans)
    }

    /// Counts the bytes of all content files anew.
    pub(super) fn count_content(&mut self) -> rusqlite::Result<()> {
        self.content = self.connection.query_row(
            "SELECT ifnull(sum(size), 0) FROM entry WHERE file IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        Ok(())
    }

    /// Takes a lease unless another has it. `lives` tells whether an owner may still be alive.
    pub(super) fn lease(
        &mut self,
        key: &Key,
        token: &[u8; 16],
        owner: &str,
        ttl: Duration,
        lives: impl Fn(&str) -> bool,
    ) -> rusqlite::Result<bool> {
        if holder(self.connection, key, self.now)?.is_some_and(|owner| lives(&owner)) {
            return Ok(false);
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id(&key.digest), &token[..], self.until(ttl), owner])?;
        Ok(true)
    }

    pub(super) fn renew(&mut self, key: &Key, token: &[u8; 16], ttl: Duration) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("UPDATE lease SET expires = ?3 WHERE id = ?1 AND token = ?2 AND expires > ?4")?
            .execute(params![id(&key.digest), &token[..], self.until(ttl), moment(self.now)])
            .map(|renewed| renewed > 0)
    }

    pub(super) fn release(&mut self, key: &Key, token: &[u8; 16]) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("DELETE FROM lease WHERE id = ?1 AND token = ?2 AND expires > ?3")?
            .execute(params![id(&key.digest), &token[..], moment(self.now)])
            .map(|released| released > 0)
    }

    fn until(&self, ttl: Duration) -> i64 {
        moment(self.now.saturating_add(ttl.min(LONGEST_LEASE).as_millis() as u64))
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

struct Old {
    row: i64,
    file: Option<i64>,
    size: i64,
}

fn get_validity(connection: &Connection, key: &Key, now: u64) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM entry
         WHERE id = ?1 AND (expires IS NULL OR expires > ?2)
             AND seq > ifnull((SELECT seq FROM cleared WHERE cleared.space = entry.space), 0)",
    )?;
    statement.exists([id(&key.digest), moment(now)])
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;
    use crate::engine::Space;

    #[test]
    fn a_lease_taken_before_the_clock_was_set_back_does_not_bind_for_as_long() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("index");
        std::fs::File::create(&path).unwrap();
        let connection = open(&path, Duration::from_secs(1), Mode::Write).unwrap();
        set_up(&connection).unwrap();
        let key = Key { space: Space([1; 16]), digest: [2; 32] };
        let day = 24 * 3600 * 1000;
        let take = |now, token| {
            let mut change = Change::begin(&connection, now).unwrap();
            let taken = change.lease(&key, &[token; 16], "somebody", Duration::MAX, |_| true).unwrap();
            change.commit().unwrap();
            taken
        };
        assert!(take(2 * day, 1));
        assert!(!take(2 * day + 1, 2), "it is held");
        assert!(take(day, 3), "by a clock that ran a day ahead");
        assert!(!take(day + 1, 4));
        assert!(take(day + LONGEST_LEASE.as_millis() as u64, 5), "its time is over");
    }

    #[test]
    fn promise_18_each_failure_of_sqlite_is_told_by_its_kind() {
        for (code, kind, retry) in [
            (ffi::SQLITE_NOTADB, ErrorKind::Corrupt, false),
            (ffi::SQLITE_CORRUPT, ErrorKind::Corrupt, false),
            (ffi::SQLITE_CORRUPT_INDEX, ErrorKind::Corrupt, false),
            (ffi::SQLITE_IOERR_SHORT_READ, ErrorKind::Corrupt, false),
            (ffi::SQLITE_IOERR_READ, ErrorKind::Io, false),
            (ffi::SQLITE_IOERR_FSYNC, ErrorKind::Io, false),
            (ffi::SQLITE_FULL, ErrorKind::Full, false),
            (ffi::SQLITE_READONLY, ErrorKind::Unavailable, false),
            (ffi::SQLITE_READONLY_DBMOVED, ErrorKind::Unavailable, false),
            (ffi::SQLITE_CANTOPEN, ErrorKind::Unavailable, false),
            (ffi::SQLITE_PERM, ErrorKind::Unavailable, false),
            (ffi::SQLITE_BUSY, ErrorKind::Timeout, true),
            (ffi::SQLITE_BUSY_RECOVERY, ErrorKind::Timeout, true),
            (ffi::SQLITE_LOCKED, ErrorKind::Timeout, true),
            (ffi::SQLITE_TOOBIG, ErrorKind::TooLarge, false),
        ] {
            let error = failed("test", rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!((error.kind(), error.retry_helps()), (kind, retry), "code {code}");
        }
    }
}
