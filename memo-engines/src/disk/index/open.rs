//! Connections to an index.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::disk::failure;
use crate::error::Error;

/// How an index is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::disk) enum Mode {
    Write,
    /// Others may be writing.
    Read,
    /// Nobody can write, and there is no log. SQLite needs no locks and no files beside the index.
    Frozen,
}

pub(in crate::disk) fn open(path: &Path, busy: Duration, mode: Mode) -> Result<Connection, Error> {
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
        // The file is never mapped. If it were truncated under a mapping, the process would be killed.
        connection.execute_batch(
            "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;",
        )?;
        // The last connection to close would write the log back and remove it by name. By then, the name
        // may be that of another's log.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|error| failure::sqlite("open the index", error))
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

/// Sets whether the next transaction waits until it is on the disk itself. If not, it may be lost when the
/// power fails, and those after it with it. It is never half there.
pub(in crate::disk) fn set_sync(connection: &Connection, sync: bool) -> rusqlite::Result<()> {
    let pragma = if sync { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
    connection.prepare_cached(pragma)?.execute([]).map(|_| ())
}
