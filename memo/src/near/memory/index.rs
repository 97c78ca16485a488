//! Where entries are found: open addressing over groups of one cache line each.
//!
//! A group is seven places for entries, a tag of seven bits of the hash for each, and two counters of how many entries
//! that belong here, or further back, had to be put further on. A lookup compares the seven tags at once, follows the
//! pointers of those that fit, and is over at the first group past which nothing has been put. The counters are exact
//! and go down again when entries leave, so lookups do not grow longer with age; only one that has ever been
//! full stays so, until the table is built anew (the shard counts those that are stuck).
//!
//! One thread at a time writes a table, under the lock of its shard; readers read it at any time. An entry does not
//! move as long as it is in a table, and a larger table is built beside the old one, so readers find what is there.
//!
//! # What keeps this sound
//!
//! 1. The head of an entry, once in a table, is not written any more but through its atomics.
//! 2. An entry or table that has been taken out (of the table; of the [`Index`]) is freed only when a
//!    [`Grace`](super::readers::Grace) begun afterwards is over, or when its store is dropped, which nobody reads then.
//! 3. A [`Found`] lives no longer than the [`Reading`] that it was found in.

#![allow(unsafe_code)]

use super::entry::{Entry, Head, prefetch};
use super::group::{Group, PLACES};
use super::readers::Reading;
use super::table::Table;
use crate::near::ages::Ages;
use crate::sync::atomic::{AtomicPtr, Ordering::*};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64 as Word;

/// An entry that a reader has found.
#[derive(Clone, Copy)]
pub(super) struct Found<'r> {
    entry: Entry,
    reading: PhantomData<&'r Reading>,
}

impl Found<'_> {
    #[inline(always)]
    pub(super) fn entry(&self) -> Entry {
        self.entry
    }

    /// When it was last read, where that is kept.
    #[inline]
    pub(super) fn read(&self) -> Option<&Word> {
        // SAFETY: it is not freed while the reading lasts (2, 3).
        unsafe { self.entry.read() }
    }

    /// Its ages, if it has some.
    #[inline]
    pub(super) fn ages(&self) -> Option<&Ages> {
        // SAFETY: as above.
        unsafe { self.entry.ages() }
    }

    /// Ends its freshness, if it has ages.
    pub(super) fn expire(&self, now: u64) {
        // SAFETY: as above.
        unsafe { self.entry.expire(now) }
    }

    /// When it is gone, if it is not read again.
    #[inline]
    pub(super) fn ends(&self, tti: u64) -> u64 {
        // SAFETY: as above.
        unsafe { self.entry.ends(tti) }
    }
}

impl Deref for Found<'_> {
    type Target = Head;

    #[inline(always)]
    fn deref(&self) -> &Head {
        // SAFETY: it is not freed while the reading lasts (2, 3).
        unsafe { self.entry.head() }
    }
}

/// The table of a shard, as readers come to it: its address, with the shift in the bits that alignment leaves.
pub(super) struct Index(AtomicPtr<Group>);

impl Index {
    pub(super) fn new() -> Self {
        Index(AtomicPtr::new(Self::pack(Table::new(Table::LEAST))))
    }

    /// An index that is never used.
    pub(super) fn none() -> Self {
        Index(AtomicPtr::new(std::ptr::null_mut()))
    }

    fn pack(table: Table) -> *mut Group {
        // The shift is less than 64, and a group is aligned to 64.
        table.groups.as_ptr().map_addr(|address| address | table.shift as usize)
    }

    #[inline(always)]
    fn unpack(packed: *mut Group) -> Table {
        let groups = packed.map_addr(|address| address & !63);
        // SAFETY: what is packed is the address of a table, which is not null and has zeros where the shift stands.
        Table { groups: unsafe { NonNull::new_unchecked(groups) }, shift: packed.addr() as u32 & 63 }
    }

    /// The table just now.
    #[inline(always)]
    pub(super) fn table(&self) -> Table {
        Self::unpack(self.0.load(Acquire))
    }

    /// An entry that may have this hash, as far as the first group tells; the error says whether there may be others.
    #[inline(always)]
    pub(super) fn find_near<'r>(&self, _: &'r Reading, hash: u64) -> Result<Found<'r>, bool> {
        // SAFETY: as in `find`.
        unsafe { self.table().find_near(hash) }.map(|entry| Found { entry, reading: PhantomData })
    }

    /// The entry with this hash for which `is` holds.
    pub(super) fn find<'r>(
        &self,
        _: &'r Reading,
        hash: u64,
        mut is: impl FnMut(Found<'r>) -> bool,
    ) -> Option<Found<'r>> {
        let found = |entry| Found { entry, reading: PhantomData };
        // SAFETY: the table has been loaded within the reading, and so was every entry that `find` comes across, which
        // ends before it: they are not freed before the reading has ended (2).
        unsafe { self.table().find(hash, |entry| is(found(entry))) }.map(found)
    }

    /// Calls `with` for every entry that is there all the time, and for some of the others.
    pub(super) fn each<'r>(&self, _: &'r Reading, mut with: impl FnMut(Found<'r>)) {
        // SAFETY: as in `find`.
        unsafe { self.table().each(|entry| with(Found { entry, reading: PhantomData })) }
    }
}

/// Writing: for the one who holds the lock of the shard, and frees nothing before its time.
///
/// # Safety
///
/// That is what the caller of each of these has to see to: no other thread writes the index, and neither its table nor a
/// entry in it is freed during the call.
impl Index {
    /// Whether there may be an entry with this hash, as far as the first group tells: nearly always there is none then.
    #[inline(always)]
    pub(super) unsafe fn may_hold(&self, hash: u64) -> bool {
        // SAFETY: as the caller says.
        !matches!(unsafe { self.table().find_near(hash) }, Err(false))
    }

    /// The first entry with this hash that `is` holds for.
    pub(super) unsafe fn find_locked(&self, hash: u64, is: impl FnMut(Entry) -> bool) -> Option<Entry> {
        // SAFETY: as the caller says.
        unsafe { self.table().find(hash, is) }
    }

    /// Has the group of such an entry fetched into the processor's cache.
    #[inline(always)]
    pub(super) fn prefetch(&self, hash: u64) {
        let table = self.table();
        prefetch(table.groups.as_ptr().wrapping_add(table.home(hash)));
    }

    /// Whether this entry is in here, under this hash.
    pub(super) unsafe fn holds(&self, hash: u64, entry: Entry) -> bool {
        // SAFETY: as the caller says.
        unsafe { self.table().place_of(hash, entry) }.is_some()
    }

    /// Puts in an entry, for which there must be room. Whether a counter got stuck.
    pub(super) unsafe fn insert(&self, hash: u64, entry: Entry) -> bool {
        // SAFETY: as the caller says.
        unsafe { self.table().insert(hash, entry) }
    }

    /// Takes out an entry; false if it is not there. From here on no new reader finds it.
    pub(super) unsafe fn remove(&self, hash: u64, entry: Entry) -> bool {
        // SAFETY: as the caller says.
        unsafe { self.table().remove(hash, entry) }
    }

    /// Puts an entry in the place of another with the same hash; false if that is not there.
    pub(super) unsafe fn replace(&self, hash: u64, old: Entry, new: Entry) -> bool {
        // SAFETY: as the caller says.
        unsafe { self.table().replace(hash, old, new) }
    }

    /// Begins an empty table in place of this, which is given back: from here on no new reader finds it.
    pub(super) unsafe fn renew(&self) -> Table {
        let old = self.table();
        self.0.store(Self::pack(Table::new(Table::LEAST)), Release);
        old
    }

    /// Builds a table of this many groups in place of this one, with all that is in it, and gives the old one back:
    /// from here on no new reader finds that. How many counters got stuck in the new one.
    pub(super) unsafe fn rebuild(&self, groups: usize) -> (Table, usize) {
        let (old, new) = (self.table(), Table::new(groups));
        let mut stuck = 0;
        // SAFETY: as the caller says; and nobody knows of the new one yet.
        unsafe {
            old.each_ahead(Entry::prefetch, |entry| {
                stuck += usize::from(new.insert(entry.head().hash, entry))
            });
        }
        self.0.store(Self::pack(new), Release);
        (old, stuck)
    }

    /// How many entries a table of so many groups is to hold at most: three quarters of its places.
    pub(super) fn room(groups: usize) -> usize {
        groups * PLACES * 3 / 4
    }
}
