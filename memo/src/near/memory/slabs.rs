//! Memory for entries: a slab has room for several, and one call of the allocator is made for all of them.
//!
//! A slab counts the slots that are not free for good: those with an entry in them, those that are kept for a next one, and
//! those that have not been used yet. It is freed with the last of them. The first slabs of a shard have few slots, the
//! later ones more, so that a store with few entries takes little memory.
//!
//! A slot that is free for good, in a slab that has others, is of use to nobody. So a store keeps spare slots as long as it goes
//! on evicting, and gives up those that are more than it may need.

#![allow(unsafe_code)]

use super::entry::{Entry, New, Shape, prefetch};
use super::form::{Form, Slab};
use super::kind::{Arriving, Kind};
use std::alloc::{alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::AcqRel;

/// A slab has at most so many slots ...
const MOST: u32 = 512;
/// ... one that is made for a full store, whose entries leave their slots to others, so many ...
const FEW: u32 = 4;
/// ... and where it has several, is of at most so many bytes.
const BYTES: usize = 1 << 15;

/// Slots of a slab that have not been used yet.
struct Fresh {
    slab: NonNull<Slab>,
    next: u32,
    end: u32,
}

/// Slots for entries of one kind.
pub(super) struct Slabs {
    kind: &'static Kind,
    /// What they have room for.
    shape: Shape,
    /// Slots that an entry was in.
    spares: Vec<Entry>,
    fresh: Option<Fresh>,
    /// How many slots were made.
    made: u32,
    /// Few more are needed.
    is_full: bool,
}

// SAFETY: it is memory with nothing in it.
unsafe impl Send for Slabs {}

impl Slabs {
    pub(super) fn new(kind: &'static Kind, shape: Shape) -> Self {
        Slabs { kind, shape, spares: Vec::new(), fresh: None, made: 0, is_full: false }
    }

    /// For what gives so many spare slots.
    pub(super) fn with_room_for(spares: usize, kind: &'static Kind, shape: Shape) -> Self {
        let mut slabs = Slabs::new(kind, shape);
        slabs.spares.reserve_exact(spares);
        slabs
    }

    /// Drops key and value of an entry. Its slot is a spare one from now on, if it is of the same shape.
    ///
    /// # Safety
    ///
    /// The entry is of this kind. Nobody else uses it, now or later.
    pub(super) unsafe fn vacate(&mut self, entry: Entry) {
        // SAFETY: it is ours alone, and of this kind, says the caller.
        unsafe {
            let shape = entry.shape();
            self.kind.drop(entry);
            match shape == self.shape {
                true => self.spares.push(entry),
                false => Self::free(entry, self.kind.form(shape)),
            }
        }
    }

    /// # Safety
    ///
    /// The slot has been given out by [`write`](Self::write), in a slab of this form, and is not used any more.
    unsafe fn free(slot: Entry, form: &Form) {
        // SAFETY: the number was written when the slot was first given out, and tells how far the slab's beginning is.
        unsafe {
            let slab = slot.address().byte_sub(form.first + form.stride * slot.numbered()).cast::<Slab>();
            Self::release(slab, 1, form);
        }
    }

    /// Frees so many slots for good.
    ///
    /// # Safety
    ///
    /// They are slots of this slab, which is of this form, and are not used any more.
    unsafe fn release(slab: NonNull<Slab>, slots: u32, form: &Form) {
        // SAFETY: it is there as long as it counts these.
        let all = unsafe {
            let slab = slab.as_ref();
            // With `AcqRel`: what others did with theirs has happened.
            (slab.left.fetch_sub(slots, AcqRel) == slots).then_some(slab.slots)
        };
        if let Some(all) = all {
            // SAFETY: these were the last; and `grow` allocated it with this layout.
            unsafe { dealloc(slab.as_ptr().cast(), form.layout(all)) };
        }
    }

    /// What comes from now on comes in place of something else, whose slot will be a spare one soon.
    pub(super) fn is_full(&mut self) {
        self.is_full = true;
    }

    /// What slots have room for.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// How many spare slots there are.
    pub(super) fn spares(&self) -> usize {
        self.spares.len()
    }

    /// Gives spare slots away, at most so many, if they are of that shape.
    pub(super) fn give(&mut self, most: usize, to: &mut Self) {
        if self.shape != to.shape {
            return;
        }
        let left = self.spares.len() - most.min(self.spares.len());
        to.spares.extend(self.spares.drain(left..));
    }

    /// A slot that has not been used yet, with its number in it.
    #[inline]
    fn fresh(&mut self) -> Entry {
        let form = self.kind.form(self.shape);
        let (slab, number) = match &mut self.fresh {
            Some(fresh) if fresh.next < fresh.end => {
                fresh.next += 1;
                (fresh.slab, fresh.next - 1)
            }
            _ => (self.grow(form), 0),
        };
        // SAFETY: it is within the slab, and nobody has been given it.
        unsafe {
            let slot = Entry::at(slab.byte_add(form.first + form.stride * number as usize).cast());
            slot.number(number, self.shape);
            // for the next one; where there is none, that is no access
            prefetch(slot.address().as_ptr().cast::<u8>().wrapping_add(form.stride));
            slot
        }
    }

    /// A new slab, whose first slot is for the caller.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, form: &Form) -> NonNull<Slab> {
        let fit = u32::try_from(BYTES / form.stride).unwrap_or(MOST);
        let most = if self.is_full { FEW } else { MOST };
        let slots = (self.made / 4 + 1).min(most).min(fit).max(1);
        self.made = self.made.saturating_add(slots);
        let slab = Self::allocate(form, slots);
        self.fresh = Some(Fresh { slab, next: 1, end: slots });
        slab
    }

    /// A slab of so many slots.
    fn allocate(form: &Form, slots: u32) -> NonNull<Slab> {
        let layout = form.layout(slots);
        // SAFETY: its size is not zero.
        let slab = NonNull::new(unsafe { alloc(layout) }.cast::<Slab>());
        let slab = slab.unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: it is ours, and large enough.
        unsafe { slab.write(Slab { left: AtomicU32::new(slots), slots }) };
        slab
    }

    /// A slot of another shape than the others have, in a slab of its own.
    #[cold]
    #[inline(never)]
    fn stranger(&self, shape: Shape) -> Entry {
        let form = self.kind.form(shape);
        // SAFETY: it is the only slot of the slab, which is ours.
        unsafe {
            let slot = Entry::at(Self::allocate(form, 1).byte_add(form.first).cast());
            slot.number(0, shape);
            slot
        }
    }

    /// An entry of these, in a slot of its own.
    ///
    /// # Safety
    ///
    /// `arriving` is of this kind.
    #[inline]
    pub(super) unsafe fn write(&mut self, new: &New<'_>, arriving: &mut dyn Arriving) -> Entry {
        // the store's idle time is the entry's as well, so that shapes differ by ages alone
        let slot = match new.ages.is_some() == (self.shape == Shape::Aged) {
            true => self.spares.pop().unwrap_or_else(|| self.fresh()),
            false => self.stranger(new.shape()),
        };
        // SAFETY: the slot is ours, of the shape that is needed, and of the kind. There is nothing in it but its number. Should
        // `write` unwind, the slot is lost, and nothing else is.
        unsafe {
            slot.write(new);
            arriving.write(slot);
        }
        if let Some(next) = self.spares.last() {
            next.prefetch();
        }
        slot
    }
}

impl Drop for Slabs {
    fn drop(&mut self) {
        let form = self.kind.form(self.shape);
        for slot in &self.spares {
            // SAFETY: it is of this form, and what was in it has been dropped by `vacate`.
            unsafe { Self::free(*slot, form) };
        }
        if let Some(Fresh { slab, next, end }) = self.fresh
            && next < end
        {
            // SAFETY: nobody has been given these.
            unsafe { Self::release(slab, end - next, form) };
        }
    }
}
