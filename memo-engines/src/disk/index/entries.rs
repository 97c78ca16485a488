//! Puts, removals and clearings in a transaction.

use rusqlite::{OptionalExtension as _, params};

use super::columns::{id, moment, space_id};
use super::snapshot::{is_there, outdated};
use super::transaction::{Old, Transaction};
use crate::engine::{Key, Space, Witness};

const INSERT: &str = "INSERT INTO entry (id, key, space, seq, expires, used, size, file, content)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Sets the columns of [`INSERT`] in its order. Only the first parameter differs: it is the row.
const UPDATE: &str = "UPDATE entry SET
    key = ?2, space = ?3, seq = ?4, expires = ?5, used = ?6, size = ?7, file = ?8, content = ?9
    WHERE row = ?1";

impl Transaction<'_> {
    pub(in crate::disk) fn outdated(&self, key: &Key, witness: Witness) -> rusqlite::Result<bool> {
        outdated(self.connection, key, witness)
    }

    /// Stores an entry. Returns its row. If `file` is set, the content was written to that file. `hint` is
    /// the row where the key was last seen.
    pub(in crate::disk) fn put(
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
        let (statement, which) = match &old {
            Some(old) => (UPDATE, old.row),
            None => (INSERT, id(&key.digest)),
        };
        if let Some(old) = &old {
            self.forget_content(old.file, old.size);
        }
        self.connection.prepare_cached(statement)?.execute(params![
            which,
            &name[..],
            space_id(&key.space),
            seq,
            expires,
            now,
            size,
            file,
            content
        ])?;
        let row = old.map_or_else(|| self.connection.last_insert_rowid(), |old| old.row);
        if file.is_some() {
            self.content = self.content.saturating_add(size);
        }
        Ok(row)
    }

    /// Finds the row that has a key's first 8 bytes. If the index over the keys is damaged, it may hide the
    /// row or lead to another one. Both are noticed, since a reader with a hint goes to the row without
    /// that index.
    fn find(&self, key: &Key, hint: Option<i64>) -> rusqlite::Result<Option<Old>> {
        let old = self
            .connection
            .prepare_cached("SELECT row, file, size, key FROM entry WHERE id = ?1")?
            .query_row([id(&key.digest)], |row| match row.get_ref(3)?.as_blob()?.first_chunk() {
                Some(digest) if id(digest) == id(&key.digest) => Old::read(row),
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

    pub(in crate::disk) fn remove(&mut self, key: &Key, hint: Option<i64>) -> rusqlite::Result<bool> {
        let seq = self.next_seq();
        self.connection.prepare_cached("INSERT OR REPLACE INTO removed VALUES (?1, ?2, ?3)")?.execute([
            id(&key.digest),
            seq,
            moment(self.now),
        ])?;
        // A cleared or expired entry does not count as there, though its row may be.
        let valid = is_there(self.connection, key, self.now)?;
        if let Some(old) = self.find(key, hint)? {
            self.drop_row(&old)?;
        }
        Ok(valid)
    }

    /// Deletes a row whose content is missing, unless it was written again since.
    pub(in crate::disk) fn discard(&mut self, row: i64, seq: i64) -> rusqlite::Result<()> {
        let old = self
            .connection
            .prepare_cached("SELECT row, file, size FROM entry WHERE row = ?1 AND seq = ?2")?
            .query_row([row, seq], Old::read)
            .optional()?;
        old.map_or(Ok(()), |old| self.drop_row(&old))
    }

    pub(in crate::disk) fn clear(&mut self, space: &Space) -> rusqlite::Result<()> {
        let seq = self.next_seq();
        self.connection.prepare_cached("INSERT OR REPLACE INTO cleared VALUES (?1, ?2, ?3)")?.execute([
            space_id(space),
            seq,
            moment(self.now),
        ])?;
        Ok(())
    }

    pub(in crate::disk) fn touch(&mut self, row: i64, now: u64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("UPDATE entry SET used = ?2 WHERE row = ?1 AND used < ?2")?
            .execute([row, moment(now)])?;
        Ok(())
    }
}
