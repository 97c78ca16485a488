//! A transaction: how it begins and ends, and what it drops.

use rusqlite::{Connection, Row};

/// A transaction of the writer of this process. It notes what is to be done about files after the commit.
pub(in crate::disk) struct Transaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) seq: i64,
    pub(super) content: i64,
    pub(super) forgot: i64,
    pub(super) now: u64,
    /// Content files that no row names any more.
    pub(in crate::disk) dropped: Vec<i64>,
    /// The bytes of all entries that were dropped, in rows and files.
    pub(in crate::disk) dropped_bytes: u64,
    pub(in crate::disk) evicted: u64,
    pub(in crate::disk) expired: u64,
}

impl<'c> Transaction<'c> {
    pub(in crate::disk) fn begin(connection: &'c Connection, now: u64) -> rusqlite::Result<Self> {
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

    /// Commits. After this nothing brings the dropped rows back, and their files may be removed.
    pub(in crate::disk) fn commit(&mut self) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("UPDATE whole SET seq = ?1, content = ?2, forgot = ?3 WHERE one = 1")?
            .execute([self.seq, self.content, self.forgot])?;
        self.connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }

    /// The number of the next change.
    pub(super) fn next_seq(&mut self) -> i64 {
        // A damaged number must not cause a panic.
        self.seq = self.seq.wrapping_add(1);
        self.seq
    }

    pub(super) fn forget_content(&mut self, file: Option<i64>, size: i64) {
        if let Some(file) = file {
            self.dropped.push(file);
            self.content = self.content.saturating_sub(size);
        }
    }

    pub(super) fn drop_row(&mut self, old: &Old) -> rusqlite::Result<()> {
        self.forget_content(old.file, old.size);
        self.dropped_bytes = self.dropped_bytes.saturating_add(old.size.max(0).cast_unsigned());
        self.connection.prepare_cached("DELETE FROM entry WHERE row = ?1")?.execute([old.row])?;
        Ok(())
    }

    /// Deletes the rows that a query finds, `limit` at most. Returns how many there were.
    pub(super) fn drop_some(&mut self, which: &str, limit: usize) -> rusqlite::Result<u64> {
        let some: Vec<Old> = self
            .connection
            .prepare(which)?
            .query_map([limit as i64], Old::read)?
            .collect::<Result<_, _>>()?;
        some.iter().try_for_each(|old| self.drop_row(old))?;
        Ok(some.len() as u64)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

/// A row that is deleted or replaced.
pub(super) struct Old {
    pub(super) row: i64,
    pub(super) file: Option<i64>,
    pub(super) size: i64,
}

impl Old {
    /// Reads the columns `row`, `file` and `size`.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { row: row.get(0)?, file: row.get(1)?, size: row.get(2)? })
    }
}
