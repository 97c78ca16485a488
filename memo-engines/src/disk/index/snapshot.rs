//! Reads from one snapshot of the index.

use rusqlite::{Connection, Statement, params};

use super::columns::{id, moment, space_id};
use super::found::{Found, GET};
use super::hints::Hints;
use super::row_cache::RowCache;
use crate::engine::{Key, Space, Witness};

/// What holds for the whole snapshot, and so is read once.
#[derive(Clone, Copy)]
pub(in crate::disk) struct Known {
    /// The number of the last change.
    pub(in crate::disk) witness: Witness,
    /// Whether any space was cleared.
    cleared: bool,
}

pub(in crate::disk) fn known(connection: &Connection) -> rusqlite::Result<Known> {
    connection
        .prepare_cached("SELECT seq, EXISTS (SELECT 1 FROM cleared) FROM whole WHERE one = 1")?
        .query_row([], |row| {
            Ok(Known { witness: Witness(row.get::<_, i64>(0)?.cast_unsigned()), cleared: row.get(1)? })
        })
}

pub(super) const IS_VALID: &str = "SELECT ?1 > ifnull((SELECT seq FROM cleared WHERE space = ?2), 0)";

/// A snapshot, and what makes reading from it cheap.
pub(in crate::disk) struct View<'v, 'c> {
    pub(in crate::disk) connection: &'c Connection,
    /// The prepared statement [`GET_ROW`](super::found::GET_ROW).
    pub(in crate::disk) by_row: &'v mut Statement<'c>,
    pub(in crate::disk) known: Known,
    /// Entries that were read from this very snapshot, if that is certain.
    pub(in crate::disk) cache: Option<&'v mut RowCache>,
}

impl View<'_, '_> {
    /// The entry under a key, expired or not. If a hint tells its row, one descent is enough.
    pub(in crate::disk) fn get(&mut self, hints: &Hints, key: &Key) -> rusqlite::Result<Option<Found>> {
        if let Some(found) = self.cache.as_ref().and_then(|cache| cache.get(key)) {
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
        if let Some(cache) = &mut self.cache {
            cache.insert(key, &found);
        }
        Ok(Some(found))
    }
}

/// Whether the space was not cleared after the change `seq`.
fn is_valid(connection: &Connection, seq: i64, space: &Space) -> rusqlite::Result<bool> {
    connection.prepare_cached(IS_VALID)?.query_row([seq, space_id(space)], |row| row.get(0))
}

/// Whether the key was removed, or its space cleared, after `witness` was taken. Also true if that is no
/// longer known.
pub(in crate::disk) fn outdated(
    connection: &Connection,
    key: &Key,
    witness: Witness,
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM whole WHERE forgot > ?1)
             OR EXISTS (SELECT 1 FROM cleared WHERE space = ?2 AND seq > ?1)
             OR EXISTS (SELECT 1 FROM removed WHERE id = ?3 AND seq > ?1)",
    )?;
    statement.query_row([moment(witness.0), space_id(&key.space), id(&key.digest)], |row| row.get(0))
}

/// The next keys of a space, in the order of their first 8 bytes.
pub(in crate::disk) fn keys(
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

/// Whether there is an entry that is neither expired nor cleared.
pub(super) fn is_there(connection: &Connection, key: &Key, now: u64) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM entry
         WHERE id = ?1 AND (expires IS NULL OR expires > ?2)
             AND seq > ifnull((SELECT seq FROM cleared WHERE cleared.space = entry.space), 0)",
    )?;
    statement.exists([id(&key.digest), moment(now)])
}
