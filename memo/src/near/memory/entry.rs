//! An entry, whatever the types of its key and its value: what the store knows of it, and where that is.
//!
//! An entry lies in a slot of a [slab](super::slabs). Its address is that of its [`Head`]. Behind the head is the number of the
//! slot, and behind that are key and value, at places that depend on their types: see [`kind`](super::kind). Where a
//! store has an idle time, the time of the last read is in front of the head.

use crate::clock::NEVER;
use crate::near::limits::ends;
use std::ptr::NonNull;
// These are not for the model checker: whatever is read of them is right.
use std::sync::atomic::{AtomicU32 as Place, AtomicU64 as Word, Ordering::Relaxed};

/// What the store knows of an entry.
//
// It has no padding, so that a reference to it covers nothing of the key and the value behind it.
#[repr(C)]
pub(super) struct Head {
    pub hash: u64,
    /// When it ends, in units of 16 ns, and in the four bits that this leaves [`USES`], [`COARSE`] and [`UNTIMED`]. All but
    /// the uses stays as it is.
    pub word: Word,
    pub weight: u32,
    /// Where in its shard's queues it stands; for the holder of the shard's lock.
    pub place: Place,
}

const _: () = assert!(size_of::<Head>() == 24);

/// From the head on, the number of the slot in its slab is here.
const SLOT: usize = size_of::<Head>();
/// From the head on, key and value begin here.
pub(super) const BEHIND: usize = SLOT + size_of::<u32>();
/// So far in front of the head is the time of the last read, where it is kept.
pub(super) const READ: usize = size_of::<Word>();

/// In a word: how often the entry was used, counted to three.
pub(super) const USES: u64 = 0b0011;
/// In a word: its times are long enough for the coarse clock.
pub(super) const COARSE: u64 = 0b0100;
/// In a word: no time of its last read is kept.
pub(super) const UNTIMED: u64 = 0b1000;
/// The marks.
pub(super) const MARKS: u64 = 0b1111;
/// In a word, and from there up: it never ends.
pub(super) const FOREVER: u64 = !MARKS;

/// The word of an entry that ends then. `coarse` and `timed`: see [`COARSE`] and [`UNTIMED`].
#[inline]
pub(super) fn word(deadline: u64, coarse: bool, timed: bool) -> u64 {
    // Rounded up: a lifetime never falls short.
    let deadline = deadline.saturating_add(MARKS) & !MARKS;
    deadline | if coarse { COARSE } else { 0 } | if timed { 0 } else { UNTIMED }
}

/// When an entry with this word ends, idle times left aside.
#[inline]
fn deadline(word: u64) -> u64 {
    if word >= FOREVER { NEVER } else { word & !MARKS }
}

/// Has what stands there fetched into the processor's cache. Whatever the address, that is no access.
#[inline(always)]
pub(super) fn prefetch<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint to the processor, which reads and writes nothing that a program could tell.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// An entry that has no slot yet, but for its key and its value.
#[derive(Clone, Copy)]
pub(super) struct New {
    pub hash: u64,
    pub weight: u32,
    /// See [`Head::word`]; as [`word`] makes it.
    pub word: u64,
    /// Now, where the time of the last read is kept.
    pub read: u64,
    /// The idle time that it is made for.
    pub tti: u64,
}

/// An entry by its address, which says nothing about whether it is still there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(NonNull<Head>);

impl Entry {
    /// The entry with its head there.
    #[inline(always)]
    pub(super) fn at(head: NonNull<Head>) -> Self {
        Entry(head)
    }

    /// The address of its head, good for all of its slot.
    #[inline(always)]
    pub(super) fn address(self) -> NonNull<Head> {
        self.0
    }

    /// The head.
    ///
    /// # Safety
    ///
    /// The entry has been written, and is not freed as long as the reference is used.
    #[inline(always)]
    pub(super) unsafe fn head<'a>(self) -> &'a Head {
        // SAFETY: it has been written, and not been freed, as the caller says.
        unsafe { self.0.as_ref() }
    }

    /// Where the number of its slot is.
    ///
    /// # Safety
    ///
    /// The address is that of a slot of a slab.
    #[inline(always)]
    pub(super) unsafe fn slot(self) -> NonNull<u32> {
        // SAFETY: a slot has room for it there.
        unsafe { self.0.byte_add(SLOT).cast() }
    }

    /// Writes the head, and the time of the last read where that is kept.
    ///
    /// # Safety
    ///
    /// The address is that of a slot which is the caller's alone, with room for that time if the word has no [`UNTIMED`].
    #[inline(always)]
    pub(super) unsafe fn write(self, new: &New) {
        let New { hash, weight, word, read, .. } = *new;
        let head = Head { hash, word: Word::new(word), weight, place: Place::new(0) };
        // SAFETY: there is room for it, says the caller.
        unsafe {
            self.0.write(head);
            if word & UNTIMED == 0 {
                self.0.byte_sub(READ).cast::<Word>().write(Word::new(read));
            }
        }
    }

    /// When it was last read, where that is kept.
    ///
    /// # Safety
    ///
    /// As for [`head`](Self::head).
    #[inline]
    pub(super) unsafe fn read<'a>(self) -> Option<&'a Word> {
        // SAFETY: as the caller says; and without the mark, `write` has written it there.
        unsafe {
            let timed = self.head().word.load(Relaxed) & UNTIMED == 0;
            timed.then(|| self.0.byte_sub(READ).cast::<Word>().as_ref())
        }
    }

    /// When it is over, if it is not read again.
    ///
    /// # Safety
    ///
    /// As for [`head`](Self::head).
    #[inline]
    pub(super) unsafe fn ends(self, tti: u64) -> u64 {
        // SAFETY: as the caller says.
        let (head, read) = unsafe { (self.head(), self.read()) };
        let deadline = deadline(head.word.load(Relaxed));
        read.map_or(deadline, |read| ends(deadline, read.load(Relaxed), tti))
    }

    /// Has it fetched into the processor's cache, for what will be done with it soon.
    #[inline(always)]
    pub(super) fn prefetch(self) {
        prefetch(self.0.as_ptr());
    }
}
