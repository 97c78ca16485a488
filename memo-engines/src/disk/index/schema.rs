//! The tables of an index. They are made in a new file, and looked for in any other.

use rusqlite::{Connection, OptionalExtension as _};

use super::found::GET;
use super::snapshot::IS_VALID;
use crate::disk::failure::{self, failure};
use crate::error::{Error, ErrorKind};

/// "memo". No other program's database is taken for ours.
const APPLICATION: i32 = 0x6d65_6d6f;
const SCHEMA_VERSION: i32 = 1;

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

/// Fails if this is not one of our indexes. Changes nothing.
pub(in crate::disk) fn check(connection: &Connection) -> Result<(), Error> {
    match is_ours(connection) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failure(ErrorKind::Corrupt, "read the index: it is not one of ours")),
        Err(error) => Err(failure::sqlite("read the index", error)),
    }
}

fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let ours = number("application_id")? == APPLICATION && number("user_version")? == SCHEMA_VERSION;
    // These statements name every table and column. If one is missing, they fail.
    let whole: Option<i64> = connection
        .query_row("SELECT seq + content + forgot FROM whole WHERE one = 1", [], |row| row.get(0))
        .optional()?;
    connection.prepare(GET)?;
    connection.prepare(IS_VALID)?;
    connection.prepare("SELECT c.at, r.at, l.token, l.owner FROM cleared c, removed r, lease l")?;
    Ok(ours && whole.is_some())
}

/// Makes the tables in a new file. Fails if the file is something else than our index.
pub(in crate::disk) fn set_up(connection: &Connection) -> Result<(), Error> {
    let set_up = || {
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let is_new = number("application_id")? == 0 && number("schema_version")? == 0;
        if is_new {
            // These pragmas write. On an index that others use, they would wait for them.
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
        Ok(false) => Err(failure(ErrorKind::Corrupt, "read the index: it is not one of ours")),
        // "SQL logic error": a table is not there.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) => {
            Err(failure::sqlite("read the index", error))
        }
        Err(error) => Err(failure::sqlite("set up the index", error)),
    }
}

/// Whether the index cannot be used with a log because its header says that it has none, while another
/// process has it open. We use no index without a log, so the header is damaged. SQLite repairs it while
/// nobody has the index open.
fn is_kept_from_its_log(connection: &Connection, error: &rusqlite::Error) -> bool {
    let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
        && mode.is_ok_and(|mode| !mode.eq_ignore_ascii_case("wal"))
}
