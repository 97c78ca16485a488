//! A table of groups. What keeps it sound is told in [`index`](super::index).

#![allow(unsafe_code)]

use super::entry::Entry;
use super::group::{FULL, Fits, Group, HIGH, SHARD_BITS, past, tag};
use crate::sync::atomic::Ordering::*;
use std::ptr::NonNull;

/// A table, by its address, which says nothing about whether it is still there.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub groups: NonNull<Group>,
    /// How far ones in all bits are shifted to get a mask for [`SHARD_BITS`] and the bits that choose the group.
    pub shift: u32,
}

impl Table {
    /// A table has at least this many groups, as a bit of the hash is used to choose.
    pub(super) const LEAST: usize = 2;

    /// An empty table.
    pub(super) fn new(groups: usize) -> Self {
        let groups = groups.next_power_of_two().max(Self::LEAST);
        let made: Box<[Group]> = (0..groups).map(|_| Group::new()).collect();
        let first = NonNull::from(Box::leak(made)).cast();
        Table { groups: first, shift: u64::BITS - SHARD_BITS - groups.trailing_zeros() }
    }

    /// Frees the table, not the entries in it.
    ///
    /// # Safety
    ///
    /// Nobody else uses it, now or later.
    pub(super) unsafe fn free(self) {
        // SAFETY: `new` has leaked a box of as many groups.
        drop(unsafe {
            Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.groups.as_ptr(), self.groups()))
        });
    }

    pub(super) fn groups(self) -> usize {
        self.mask() + 1
    }

    #[inline(always)]
    pub(super) fn home(self, hash: u64) -> usize {
        ((hash & u64::MAX >> self.shift) >> SHARD_BITS) as usize
    }

    /// The highest number of a group.
    #[inline(always)]
    pub(super) fn mask(self) -> usize {
        (u64::MAX >> self.shift >> SHARD_BITS) as usize
    }

    #[inline(always)]
    pub(super) fn after(self, group: usize) -> usize {
        (group + 1) & self.mask()
    }

    /// The group with this number.
    ///
    /// # Safety
    ///
    /// The table is not freed as long as the reference is used, and has as many groups.
    #[inline(always)]
    pub(super) unsafe fn group<'a>(self, number: usize) -> &'a Group {
        // SAFETY: as the caller says.
        unsafe { &*self.groups.as_ptr().add(number) }
    }

    /// The first entry whose tag is that of this hash, as far as the first group tells: nearly always it is the one, if
    /// there is one. The error says whether there may be others.
    ///
    /// # Safety
    ///
    /// As for [`find`](Self::find).
    #[inline(always)]
    pub(super) unsafe fn find_near(self, hash: u64) -> Result<Entry, bool> {
        // SAFETY: not freed, as the caller says; and `home` gives the number of a group.
        let group = unsafe { self.group(self.home(hash)) };
        let meta = group.meta.load(Acquire);
        match Fits::new(meta, hash).next() {
            Some(place) => {
                // SAFETY: it is less than `PLACES`.
                let entry = unsafe { group.entries.get_unchecked(place) };
                NonNull::new(entry.load(Acquire)).map(Entry::at).ok_or(true)
            }
            None => Err(meta >> past(hash) & FULL != 0),
        }
    }

    /// The first entry with this hash for which `is` holds.
    ///
    /// # Safety
    ///
    /// Neither the table nor any entry that is in it at any time during the call is freed before the call ends.
    pub(super) unsafe fn find(self, hash: u64, mut is: impl FnMut(Entry) -> bool) -> Option<Entry> {
        let home = self.home(hash);
        let mut at = home;
        loop {
            // SAFETY: not freed, as the caller says; `home` and `after` give numbers of groups.
            let group = unsafe { self.group(at) };
            let meta = group.meta.load(Acquire);
            for place in Fits::new(meta, hash) {
                // SAFETY: it is less than `PLACES`.
                let entry = unsafe { group.entries.get_unchecked(place) };
                if let Some(entry) = NonNull::new(entry.load(Acquire)) {
                    let entry = Entry::at(entry);
                    // SAFETY: not freed, as the caller says.
                    if unsafe { entry.head() }.hash == hash && is(entry) {
                        return Some(entry);
                    }
                }
            }
            if meta >> past(hash) & FULL == 0 {
                return None;
            }
            at = self.after(at);
            if at == home {
                return None;
            }
        }
    }

    /// Puts in an entry with this hash. There must be a place left. Whether a counter has become full by it.
    ///
    /// # Safety
    ///
    /// The table is not freed during the call, and nobody else writes it.
    pub(super) unsafe fn insert(self, hash: u64, entry: Entry) -> bool {
        let mut at = self.home(hash);
        let mut stuck = false;
        loop {
            // SAFETY: not freed, as the caller says.
            let group = unsafe { self.group(at) };
            let meta = group.meta.load(Relaxed);
            let free = !meta & HIGH;
            if free != 0 {
                let place = free.trailing_zeros() / 8;
                group.entries[place as usize].store(entry.address().as_ptr(), Release);
                group.meta.store(meta | tag(hash) << (8 * place), Release);
                return stuck;
            }
            let count = meta >> past(hash) & FULL;
            if count < FULL {
                group.meta.store(meta + (1 << past(hash)), Release);
                stuck |= count + 1 == FULL;
            }
            at = self.after(at);
        }
    }

    /// The group and place of an entry with this hash.
    ///
    /// # Safety
    ///
    /// The table is not freed during the call, and nobody else writes it.
    pub(super) unsafe fn place_of(self, hash: u64, entry: Entry) -> Option<(usize, usize)> {
        let home = self.home(hash);
        let mut at = home;
        loop {
            // SAFETY: not freed, as the caller says.
            let group = unsafe { self.group(at) };
            let meta = group.meta.load(Relaxed);
            for place in Fits::new(meta, hash) {
                if group.entries[place].load(Relaxed) == entry.address().as_ptr() {
                    return Some((at, place));
                }
            }
            if meta >> past(hash) & FULL == 0 {
                return None;
            }
            at = self.after(at);
            if at == home {
                return None;
            }
        }
    }

    /// Takes out an entry with this hash; false if it is not there.
    ///
    /// # Safety
    ///
    /// The table is not freed during the call, and nobody else writes it.
    pub(super) unsafe fn remove(self, hash: u64, entry: Entry) -> bool {
        // SAFETY: as the caller says.
        let Some((at, place)) = (unsafe { self.place_of(hash, entry) }) else { return false };
        // SAFETY: as the caller says.
        let group = unsafe { self.group(at) };
        let meta = group.meta.load(Relaxed);
        group.meta.store(meta & !(0xff << (8 * place)), Release);
        group.entries[place].store(std::ptr::null_mut(), Release);
        let mut passed = self.home(hash);
        while passed != at {
            // SAFETY: as the caller says.
            let group = unsafe { self.group(passed) };
            let meta = group.meta.load(Relaxed);
            if meta >> past(hash) & FULL < FULL {
                group.meta.store(meta - (1 << past(hash)), Release);
            }
            passed = self.after(passed);
        }
        true
    }

    /// Puts `new` in the place of `old`, which has the same hash: a reader finds one of the two.
    ///
    /// # Safety
    ///
    /// The table is not freed during the call, and nobody else writes it.
    pub(super) unsafe fn replace(self, hash: u64, old: Entry, new: Entry) -> bool {
        // SAFETY: as the caller says.
        let Some((at, place)) = (unsafe { self.place_of(hash, old) }) else { return false };
        // SAFETY: as the caller says.
        unsafe { self.group(at) }.entries[place].store(new.address().as_ptr(), Release);
        true
    }

    /// Whether nothing is in it, nor any trace of what was. For one thread that has the store to itself.
    #[cfg(all(test, not(memo_shuttle)))]
    pub(super) fn is_pristine(self) -> bool {
        // SAFETY: nobody else is there who could free the table.
        (0..self.groups()).all(|number| unsafe { self.group(number) }.meta.load(Relaxed) == 0)
    }

    /// Calls `with` for every entry.
    ///
    /// # Safety
    ///
    /// Neither the table nor any entry that is in it at any time during the call is freed before the call ends.
    pub(super) unsafe fn each(self, with: impl FnMut(Entry)) {
        // SAFETY: as the caller says.
        unsafe { self.each_ahead(|_| (), with) }
    }

    /// As [`each`](Self::each), and `soon` some time before.
    ///
    /// # Safety
    ///
    /// As for [`each`](Self::each).
    pub(super) unsafe fn each_ahead(self, mut soon: impl FnMut(Entry), mut with: impl FnMut(Entry)) {
        let each = |number: usize, with: &mut dyn FnMut(Entry)| {
            // SAFETY: as the caller says.
            let entries = &unsafe { self.group(number) }.entries;
            entries
                .iter()
                .filter_map(|entry| NonNull::new(entry.load(Acquire)))
                .for_each(|entry| with(Entry::at(entry)));
        };
        for number in 0..self.groups() {
            each(self.after(number), &mut soon);
            each(number, &mut with);
        }
    }
}
