//! Where entries are found: open addressing over groups of one cache line each.
//!
//! A group is seven places for entries, a tag of seven bits of the hash for each, and two counters of how many entries
//! that belong here, or further back, had to be put further on. A lookup compares the seven tags at once, follows the
//! pointers of those that fit, and is over at the first group past which nothing has been put. The counters are exact
//! and go down again when entries leave, so lookups do not grow longer with age; only one that has ever been
//! full stays so, until the table is built anew ([`Table::stuck`]).
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

use super::entry::{Entry, Head, prefetch};
use super::readers::Reading;
use crate::sync::atomic::{AtomicPtr, AtomicU64, Ordering::*};
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

    /// When it is over, if it is not read again.
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

/// Places in a group.
const PLACES: usize = 7;
/// The tags' highest bits, set where there is an entry.
const HIGH: u64 = 0x0080_8080_8080_8080;
/// The lowest bits of all bytes.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
const LOW: u64 = 0x0101_0101_0101_0101;
/// Where the counters of what was put further on begin: four bits each.
const PAST: u32 = 56;
/// A counter that is full does not count any more.
const FULL: u64 = 15;

#[repr(align(64))]
struct Group {
    /// Seven tags, 0 where there is no entry, and in the highest byte the two counters.
    meta: AtomicU64,
    entries: [AtomicPtr<Head>; PLACES],
}

impl Group {
    fn new() -> Self {
        Group {
            meta: AtomicU64::new(0),
            entries: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())),
        }
    }
}

#[inline(always)]
fn tag(hash: u64) -> u64 {
    // The lowest bits choose shard and group.
    hash >> 57 | 0x80
}

/// Where in a group's `meta` the counter for such hashes begins.
#[inline(always)]
fn past(hash: u64) -> u32 {
    PAST + 4 * (hash >> 56 & 1) as u32
}

/// Places in a group whose tags are that of a hash, one after the other. It may be out of date: an entry has left, or
/// there is another one by now.
struct Fits(u64);

/// With one bit for each place.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
impl Fits {
    #[inline(always)]
    fn new(meta: u64, hash: u64) -> Self {
        use std::arch::x86_64::*;
        // SAFETY: this is compiled only for processors that have all of these.
        let equal = unsafe {
            // `_mm_set1_epi8`, which would take one more for the upper half.
            let tag = _mm_cvtsi32_si128(tag(hash) as i32);
            let tags = _mm_shufflelo_epi16::<0>(_mm_unpacklo_epi8(tag, tag));
            _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_cvtsi64_si128(meta as i64), tags))
        };
        Fits(equal as u64 & ((1 << PLACES) - 1))
    }

    #[inline(always)]
    fn place(&self) -> usize {
        self.0.trailing_zeros() as usize
    }
}

/// With one bit in the byte of each place; and perhaps of some that have other tags.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
impl Fits {
    #[inline(always)]
    fn new(meta: u64, hash: u64) -> Self {
        let differ = meta ^ (tag(hash) * LOW);
        // The highest bit of each byte that is zero, and perhaps of some above one that is.
        Fits(differ.wrapping_sub(LOW) & !differ & HIGH)
    }

    #[inline(always)]
    fn place(&self) -> usize {
        self.0.trailing_zeros() as usize / 8
    }
}

impl Iterator for Fits {
    type Item = usize;

    /// Less than [`PLACES`].
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let place = self.place();
        self.0 &= self.0 - 1;
        Some(place)
    }
}

/// A table, by its address, which says nothing about whether it is still there.
#[derive(Clone, Copy)]
pub(super) struct Table {
    groups: NonNull<Group>,
    /// How far ones in all bits are shifted to get a mask for [`SHARD_BITS`] and the bits that choose the group.
    shift: u32,
}

/// So many of the lowest bits of a hash are left for the choice of a shard. Those after them choose the group: where
/// keys are numbers in a row, the lowest are the ones that a fast hasher spreads best. A group has as many bytes as
/// these bits have values, so that its offset is cut out of the hash as it stands.
pub(super) const SHARD_BITS: u32 = 6;
// Not so of the model checker's atomics.
#[cfg(not(memo_shuttle))]
const _: () = assert!(size_of::<Group>() == 1 << SHARD_BITS);

impl Table {
    /// A table has at least this many groups, as a bit of the hash is used to choose.
    pub(super) const LEAST: usize = 2;

    /// An empty table.
    fn new(groups: usize) -> Self {
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
    fn home(self, hash: u64) -> usize {
        ((hash & u64::MAX >> self.shift) >> SHARD_BITS) as usize
    }

    /// The highest number of a group.
    #[inline(always)]
    fn mask(self) -> usize {
        (u64::MAX >> self.shift >> SHARD_BITS) as usize
    }

    #[inline(always)]
    fn after(self, group: usize) -> usize {
        (group + 1) & self.mask()
    }

    /// The group with this number.
    ///
    /// # Safety
    ///
    /// The table is not freed as long as the reference is used, and has as many groups.
    #[inline(always)]
    unsafe fn group<'a>(self, number: usize) -> &'a Group {
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
    unsafe fn find_near(self, hash: u64) -> Result<Entry, bool> {
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
    unsafe fn find(self, hash: u64, mut is: impl FnMut(Entry) -> bool) -> Option<Entry> {
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
    unsafe fn insert(self, hash: u64, entry: Entry) -> bool {
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
    unsafe fn place_of(self, hash: u64, entry: Entry) -> Option<(usize, usize)> {
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
    unsafe fn remove(self, hash: u64, entry: Entry) -> bool {
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
    unsafe fn replace(self, hash: u64, old: Entry, new: Entry) -> bool {
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
    unsafe fn each_ahead(self, mut soon: impl FnMut(Entry), mut with: impl FnMut(Entry)) {
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
