//! A row that was found.

use rusqlite::Statement;
use rusqlite::types::ValueRef;

use crate::engine::{Bytes, Key};

/// The columns that are read of an entry. The row comes last: who looks by the row knows it.
macro_rules! get {
    ($which:literal) => {
        concat!("SELECT key, seq, expires, used, content, file, size, row FROM entry WHERE ", $which)
    };
}

pub(super) const GET: &str = get!("id = ?1");

/// [`GET`] by row.
pub(in crate::disk) const GET_ROW: &str = get!("row = ?1");

/// The row of an entry. The content of a large entry is still in its file.
#[derive(Clone)]
pub(in crate::disk) struct Found {
    pub(in crate::disk) row: i64,
    pub(in crate::disk) seq: i64,
    pub(in crate::disk) expires: Option<i64>,
    pub(in crate::disk) used: i64,
    pub(in crate::disk) size: u64,
    pub(in crate::disk) content: Content,
}

#[derive(Clone)]
pub(in crate::disk) enum Content {
    Here(Bytes),
    File(i64),
}

impl Found {
    /// Runs `statement` with this parameter. Returns the row if it belongs to this key.
    pub(super) fn by(statement: &mut Statement<'_>, which: i64, key: &Key) -> rusqlite::Result<Option<Self>> {
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
