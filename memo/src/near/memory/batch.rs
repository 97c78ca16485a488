//! Entries and tables that were retired together.

#![allow(unsafe_code)]

use super::entry::Entry;
use super::slabs::Slabs;
use super::table::Table;

/// A batch of retired entries and tables, which no new reader finds. It owns them, and leaks them if it is not
/// [freed](Self::free).
#[derive(Default)]
pub(super) struct Batch {
    entries: Vec<Entry>,
    /// Tables whose entries have gone elsewhere.
    tables: Vec<Table>,
    /// Tables with all that is in them, and how many entries that is.
    full: Vec<(Table, usize)>,
    /// The weight of all entries.
    weight: u64,
}

// SAFETY: it owns what the addresses lead to, keys and values, as a vector would; and those of any kind may be sent.
unsafe impl Send for Batch {}

impl Batch {
    /// # Safety
    ///
    /// The entry has been taken out of its index, and is known to nobody but readers that are at work already.
    #[inline]
    pub(super) unsafe fn add(&mut self, entry: Entry, weight: u32) {
        self.entries.push(entry);
        self.weight += u64::from(weight);
    }

    /// # Safety
    ///
    /// The table is no longer that of its index, and known to nobody but readers that are at work already. What was in
    /// it still is in the index.
    pub(super) unsafe fn add_table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// # Safety
    ///
    /// The table is no longer that of its index, and known to nobody but readers that are at work already; and so are
    /// the `len` entries in it, which weigh `weight`.
    pub(super) unsafe fn add_full(&mut self, table: Table, len: usize, weight: u64) {
        self.full.push((table, len));
        self.weight += weight;
    }

    pub(super) fn with_room_for(entries: usize) -> Self {
        Batch { entries: Vec::with_capacity(entries), ..Batch::default() }
    }

    /// Whether it is fewer entries than this, and nothing else.
    #[inline]
    pub(super) fn is_only_entries(&self, fewer: usize) -> bool {
        self.entries.len() < fewer && self.full.is_empty() && self.tables.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.tables.is_empty() && self.full.is_empty()
    }

    /// How many entries it is.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.full.iter().map(|(_, len)| len).sum::<usize>()
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Whether there is something of a size worth freeing at once.
    pub(super) fn is_large(&self) -> bool {
        const LARGE: usize = 64;
        !self.full.is_empty() || self.tables.iter().any(|table| table.groups() >= LARGE)
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.weight += other.weight;
        match self.entries.is_empty() {
            true => self.entries = other.entries,
            false => self.entries.append(&mut other.entries),
        }
        self.tables.append(&mut other.tables);
        self.full.append(&mut other.full);
    }

    /// Frees it, and drops keys and values. The memory of entries goes to the slabs.
    ///
    /// # Safety
    ///
    /// No reader sees it any more, and the slabs are of its kind.
    pub(super) unsafe fn free(self, slabs: &mut Slabs) {
        let mut free = |entry: Entry| {
            // SAFETY: it was ours but for readers, says who put it in, and these are gone, says the caller.
            unsafe { slabs.vacate(entry) };
        };
        self.entries.into_iter().for_each(&mut free);
        for (table, _) in self.full {
            // SAFETY: as above. The addresses of freed entries in it are not followed.
            unsafe {
                table.each(&mut free);
                table.free();
            }
        }
        for table in self.tables {
            // SAFETY: as above.
            unsafe { table.free() };
        }
    }
}
