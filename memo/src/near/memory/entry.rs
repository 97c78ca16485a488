//! An entry, whatever the types of its key and its value: what the store knows of it, and where that is.
//!
//! An entry lies in a slot of a [slab](super::slabs). Its address is that of its [`Head`]. Behind the head is the number of the
//! slot, and behind that are key and value, at offsets that depend on their types: see [`kind`](super::kind). What not every
//! entry has is in front of the head: the time of the last read, where a store has an idle time; and in front of that its
//! [`Ages`], if it may be served stale or renewed before it ends. Which of these there is room for is its slot's [`Shape`].

#![allow(unsafe_code)]

use crate::clock::NEVER;
use crate::near::ages::{Ages, Beyond};
use crate::near::limits::ends;
use std::ptr::NonNull;
// These are not for the model checker: whatever is read of them is right.
use std::sync::atomic::{AtomicU32 as Position, AtomicU64 as Word, Ordering::Relaxed};

/// What the store knows of an entry.
//
// It has no padding, so that a reference to it covers nothing of the key and the value behind it.
#[repr(C)]
pub(super) struct Head {
    pub hash: u64,
    /// When it ends, or when hits begin to look closely if it has [`Ages`], in units of 16 ns, and in the four bits that this
    /// leaves [`USES`], [`COARSE`] and [`UNTIMED`]. All but the uses stays as it is, unless it is [expired](Entry::expire).
    pub word: Word,
    pub weight: u32,
    /// Where in its shard's queues it stands; for the holder of the shard's lock.
    pub position: Position,
}

const _: () = assert!(size_of::<Head>() == 24);

/// From the head on, the number of the slot in its slab is here.
const SLOT: usize = size_of::<Head>();
/// From the head on, key and value begin here.
pub(super) const BEHIND: usize = SLOT + size_of::<u32>();
/// So far in front of the head is the time of the last read, where it is kept.
const READ: usize = size_of::<Word>();
/// So far in front of the head are the ages, where they are kept.
const AGES: usize = READ + size_of::<Ages>();

/// In the number of a slot: it has room for ages.
const AGED: u32 = 1 << 31;

/// What a slot has room for in front of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing.
    Bare,
    /// The time of the last read.
    Timed,
    /// The time of the last read, and ages.
    Aged,
}

impl Shape {
    /// How much that is.
    pub(super) const fn lead(self) -> usize {
        match self {
            Shape::Bare => 0,
            Shape::Timed => READ,
            Shape::Aged => AGES,
        }
    }

    /// What is written as the number of a slot of this shape.
    fn numbered(self, number: u32) -> u32 {
        if self == Shape::Aged { number | AGED } else { number }
    }
}

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
pub(super) struct New<'a> {
    pub hash: u64,
    pub weight: u32,
    /// See [`Head::word`]; as [`word`] makes it.
    pub word: u64,
    /// Now, where the time of the last read is kept.
    pub read: u64,
    /// The idle time that it is made for.
    pub tti: u64,
    /// When it is stored, for how long, and what there is beyond, if it has ages.
    pub ages: Option<&'a (u64, u64, Beyond)>,
}

impl New<'_> {
    /// What it needs room for.
    #[inline]
    pub(super) fn shape(&self) -> Shape {
        match (self.ages, self.word & UNTIMED) {
            (Some(_), _) => Shape::Aged,
            (None, UNTIMED) => Shape::Bare,
            (None, _) => Shape::Timed,
        }
    }
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
    unsafe fn slot(self) -> NonNull<u32> {
        // SAFETY: a slot has room for it there.
        unsafe { self.0.byte_add(SLOT).cast() }
    }

    /// Writes the number of its slot, and which shape that has.
    ///
    /// # Safety
    ///
    /// The address is that of a slot of this shape, which is the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn number(self, number: u32, shape: Shape) {
        // SAFETY: as the caller says.
        unsafe { self.slot().write(shape.numbered(number)) };
    }

    /// The number of its slot.
    ///
    /// # Safety
    ///
    /// It has been [numbered](Self::number).
    pub(super) unsafe fn numbered(self) -> usize {
        // SAFETY: as the caller says.
        (unsafe { self.slot().read() } & !AGED) as usize
    }

    /// Whether its slot has room for ages, and so it has some.
    ///
    /// # Safety
    ///
    /// It has been [numbered](Self::number).
    #[inline(always)]
    pub(super) unsafe fn is_aged(self) -> bool {
        // SAFETY: as the caller says.
        unsafe { self.slot().read() & AGED != 0 }
    }

    /// The shape of its slot.
    ///
    /// # Safety
    ///
    /// As for [`head`](Self::head).
    #[inline]
    pub(super) unsafe fn shape(self) -> Shape {
        // SAFETY: as the caller says. An entry in a slot without ages has its word say whether there is a time of the last read.
        unsafe {
            match (self.is_aged(), self.head().word.load(Relaxed) & UNTIMED) {
                (true, _) => Shape::Aged,
                (false, UNTIMED) => Shape::Bare,
                (false, _) => Shape::Timed,
            }
        }
    }

    /// Writes the head, and what there is in front of it.
    ///
    /// # Safety
    ///
    /// The address is that of a slot of the [shape](New::shape) that the entry needs, which is the caller's alone.
    #[inline(always)]
    pub(super) unsafe fn write(self, new: &New<'_>) {
        let New { hash, weight, word, read, ages, .. } = *new;
        let head = Head { hash, word: Word::new(word), weight, position: Position::new(0) };
        // SAFETY: there is room for it, says the caller.
        unsafe {
            self.0.write(head);
            if word & UNTIMED == 0 {
                self.0.byte_sub(READ).cast::<Word>().write(Word::new(read));
            }
            if let Some((now, lifetime, beyond)) = ages {
                self.0.byte_sub(AGES).cast::<Ages>().write(Ages::new(*now, *lifetime, beyond));
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

    /// Its ages, if it has some.
    ///
    /// # Safety
    ///
    /// As for [`head`](Self::head).
    #[inline]
    pub(super) unsafe fn ages<'a>(self) -> Option<&'a Ages> {
        // SAFETY: as the caller says; and in a slot with room for them, `write` has written them there.
        unsafe { self.is_aged().then(|| self.0.byte_sub(AGES).cast::<Ages>().as_ref()) }
    }

    /// When it is gone, if it is not read again.
    ///
    /// # Safety
    ///
    /// As for [`head`](Self::head).
    #[inline]
    pub(super) unsafe fn ends(self, tti: u64) -> u64 {
        // SAFETY: as the caller says.
        let (head, read, ages) = unsafe { (self.head(), self.read(), self.ages()) };
        let gone = ages.map_or_else(|| deadline(head.word.load(Relaxed)), Ages::gone);
        read.map_or(gone, |read| ends(gone, read.load(Relaxed), tti))
    }

    /// Ends its freshness, if it has ages.
    ///
    /// # Safety
    ///
    /// As for [`head`](Self::head).
    pub(super) unsafe fn expire(self, now: u64) {
        // SAFETY: as the caller says.
        let (head, ages) = unsafe { (self.head(), self.ages()) };
        if let Some(ages) = ages {
            ages.expire(now);
            // its marks stay; with any of them not set, or its time over, each hit looks closely
            head.word.fetch_and(MARKS, Relaxed);
        }
    }

    /// Has it fetched into the processor's cache, for what will be done with it soon.
    #[inline(always)]
    pub(super) fn prefetch(self) {
        prefetch(self.0.as_ptr());
    }
}
