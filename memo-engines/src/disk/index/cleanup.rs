//! Deletes what removals, clearings and lost files leave behind.

use std::time::Duration;

use super::columns::moment;
use super::transaction::Transaction;

/// How long a removed key is remembered.
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Transaction<'_> {
    /// Deletes the cleared entries among the `limit` rows after `after`. Returns where to go on, or `None`
    /// at the end.
    pub(in crate::disk) fn drop_cleared(
        &mut self,
        after: i64,
        limit: usize,
    ) -> rusqlite::Result<Option<i64>> {
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

    pub(in crate::disk) fn any_cleared(&self) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM cleared LIMIT 1")?.exists([])
    }

    /// Forgets removals and clearings that are older than an hour. No entry of a cleared space may be left
    /// by then.
    pub(in crate::disk) fn forget(&mut self) -> rusqlite::Result<()> {
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
    pub(in crate::disk) fn orphans(&self, files: &[i64]) -> rusqlite::Result<Vec<i64>> {
        let mut named = self.connection.prepare_cached("SELECT 1 FROM entry WHERE file = ?1")?;
        let mut orphans = Vec::new();
        for file in files {
            if !named.exists([file])? {
                orphans.push(*file);
            }
        }
        Ok(orphans)
    }

    /// Counts the bytes of all content files again.
    pub(in crate::disk) fn count_content(&mut self) -> rusqlite::Result<()> {
        self.content = self.connection.query_row(
            "SELECT ifnull(sum(size), 0) FROM entry WHERE file IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        Ok(())
    }
}
