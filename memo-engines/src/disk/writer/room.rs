//! Makes room for a batch, so that all files together stay within the cap.

use super::index_writer::IndexWriter;
use crate::disk::index::{PAGE, Transaction};
use crate::disk::operation::{Op, Ticket};

/// How many bytes a row takes beside its entry.
const ROW: u64 = 256;
/// In how many transactions room is made at most. Each deletes up to a batch.
const MOST_STEPS: usize = 256;

impl IndexWriter {
    /// Makes room for a batch. Entries are evicted. If the index has free pages and content files need the
    /// room, it gives pages back.
    pub(super) fn make_room(&self, batch: &[Ticket]) -> rusqlite::Result<()> {
        let stores = &self.shared.stores;
        let options = &stores.options;
        let (rows, content) = added(batch, options.large_over);
        if rows + content == 0 {
            return Ok(());
        }
        // The log counts as large as it may become, so that its changes evict nothing.
        let limit = options.limit().saturating_sub(options.log());
        let mut goal = limit;
        for _ in 0..MOST_STEPS {
            let mut transaction = self.begin()?;
            let extent = transaction.extent(stores.index_size())?;
            let used = extent.index.saturating_sub(extent.free) + rows;
            let live = used + extent.content + content;
            let whole = used.max(extent.index) + extent.content + content;
            if live <= goal && whole <= limit {
                return Ok(());
            }
            let progress = if live > goal {
                goal = limit.saturating_sub(options.slack());
                evict(&mut transaction, live.saturating_sub(goal).min(options.batch() as u64))?
            } else {
                let excess = (whole - limit).div_ceil(PAGE);
                transaction.shrink(excess.clamp(64, 2048))?;
                extent.free > 0
            };
            self.finish(transaction)?;
            if whole > limit {
                self.write_back(0);
            }
            if !progress {
                break;
            }
        }
        Ok(())
    }
}

/// How many bytes a batch adds to the index, and to content files.
fn added(batch: &[Ticket], large_over: usize) -> (u64, u64) {
    let (mut rows, mut content) = (0, 0);
    for Ticket { op, .. } in batch {
        match op {
            Op::Put { entry, .. } if entry.bytes.len() > large_over => content += entry.bytes.len() as u64,
            Op::Put { entry, .. } => rows += entry.bytes.len() as u64 + ROW,
            _ => {}
        }
    }
    (rows, content)
}

/// Evicts entries of so many bytes, and at least some. Returns whether there were any.
fn evict(transaction: &mut Transaction<'_>, bytes: u64) -> rusqlite::Result<bool> {
    let mut any = false;
    while !any || transaction.dropped_bytes < bytes {
        if !transaction.evict()? {
            break;
        }
        any = true;
    }
    Ok(any)
}
