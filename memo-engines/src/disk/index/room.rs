//! The size of everything on the disk, and the eviction of entries.

use super::transaction::Transaction;

/// The size of a page of the index, in bytes.
pub(in crate::disk) const PAGE: u64 = 4096;

/// The sizes of what is on the disk, in bytes.
pub(in crate::disk) struct Extent {
    pub(in crate::disk) index: u64,
    /// The part of the index that is free for further rows.
    pub(in crate::disk) free: u64,
    /// All content files.
    pub(in crate::disk) content: u64,
}

impl Transaction<'_> {
    /// What is on the disk, without the log. `file` is the size of the index's file: pages that were given
    /// back leave the file only when the log is written back.
    pub(in crate::disk) fn extent(&self, file: u64) -> rusqlite::Result<Extent> {
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

    /// Deletes some entries for room: first expired ones, then those that were used longest ago. Returns
    /// whether there were any.
    pub(in crate::disk) fn evict(&mut self) -> rusqlite::Result<bool> {
        if self.drop_expired(512)? > 0 {
            return Ok(true);
        }
        let evicted = self.drop_some("SELECT row, file, size FROM entry ORDER BY used LIMIT ?1", 16)?;
        self.evicted += evicted;
        Ok(evicted > 0)
    }

    /// Gives up to `pages` free pages back to the file system.
    pub(in crate::disk) fn shrink(&mut self, pages: u64) -> rusqlite::Result<()> {
        let mut vacuum = self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }

    pub(in crate::disk) fn drop_expired(&mut self, limit: usize) -> rusqlite::Result<u64> {
        let expired = format!("SELECT row, file, size FROM entry WHERE expires <= {} LIMIT ?1", self.now);
        let expired = self.drop_some(&expired, limit)?;
        self.expired += expired;
        Ok(expired)
    }
}
