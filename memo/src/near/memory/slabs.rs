//! Memory for nodes: a slab has room for several, and one call of the allocator is made for all of them.
//!
//! A slab counts the slots that are not free for good: those with a node in them, those that are kept for a next one, and
//! those that have not been used yet. It is freed with the last of them. The first slabs of a shard have few slots, the
//! later ones more, so that a store with few entries takes little memory.
//!
//! A slot that is free for good, in a slab that has others, is of use to nobody. So a store keeps spare slots as long as it goes
//! on evicting, and gives up those that are more than it may need.

use super::index::{Entry, New, Node, Timed, UNTIMED, prefetch};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{
    AtomicU32 as Place, AtomicU32, AtomicU64 as Word,
    Ordering::{AcqRel, Relaxed},
};

/// A slab has at most so many slots ...
const MOST: u32 = 512;
/// ... one that is made for a full store, whose entries leave their slots to others, so many ...
const FEW: u32 = 4;
/// ... and where it has several, is of at most so many bytes.
const BYTES: usize = 1 << 15;

/// What a slab begins with.
struct Slab {
    /// How many of its slots are not free for good.
    left: AtomicU32,
    /// How many there are.
    slots: u32,
}

/// Where things are in a slab.
#[derive(Clone, Copy)]
struct Form {
    /// From one slot to the next.
    stride: usize,
    /// Where the first is.
    first: usize,
    align: usize,
}

impl Form {
    fn of<K, V>(timed: bool) -> Self {
        let slot = if timed { Layout::new::<Timed<K, V>>() } else { Layout::new::<Node<K, V>>() };
        let align = slot.align().max(align_of::<Slab>());
        Form { stride: slot.size(), first: size_of::<Slab>().next_multiple_of(align), align }
    }

    /// That of a slab with so many slots.
    ///
    /// # Panics
    ///
    /// If a node is larger than half of all addresses.
    fn layout(self, slots: u32) -> Layout {
        let size = self.stride.checked_mul(slots as usize).and_then(|size| size.checked_add(self.first));
        let layout = size.and_then(|size| Layout::from_size_align(size, self.align).ok());
        layout.expect("a node fits into the address space")
    }
}

/// Slots of a slab that have not been used yet.
struct Fresh {
    slab: NonNull<Slab>,
    next: u32,
    end: u32,
}

/// Slots for nodes of one kind.
pub(super) struct Slabs<K, V> {
    /// Whether they have room for the time of their last read.
    timed: bool,
    /// Slots that a node was in.
    spares: Vec<NonNull<Node<K, V>>>,
    fresh: Option<Fresh>,
    /// How many slots were made.
    made: u32,
    /// Few more are needed.
    is_full: bool,
}

// SAFETY: it is memory with nothing in it.
unsafe impl<K, V> Send for Slabs<K, V> {}

impl<K, V> Slabs<K, V> {
    pub(super) fn new(timed: bool) -> Self {
        Slabs { timed, spares: Vec::new(), fresh: None, made: 0, is_full: false }
    }

    /// For what gives so many spare slots.
    pub(super) fn with_room_for(spares: usize, timed: bool) -> Self {
        Slabs { timed, spares: Vec::with_capacity(spares), fresh: None, made: 0, is_full: false }
    }

    /// Takes key and value out of a node. Its slot is a spare one from now on, if it is of the kind.
    ///
    /// # Safety
    ///
    /// Nobody else uses it, now or later.
    pub(super) unsafe fn vacate(&mut self, entry: Entry<K, V>) -> (K, V) {
        let slot = entry.address();
        // SAFETY: it is ours alone, so it can be read out of its slot, which is not read again before it is written, but for
        // the slot's number, which stays.
        let node = unsafe { slot.as_ptr().read() };
        let timed = node.word.load(Relaxed) & UNTIMED == 0;
        match timed == self.timed {
            true => self.spares.push(slot),
            // SAFETY: its word says of what kind it is, and there is nothing in it any more.
            false => unsafe { Self::free(slot, timed) },
        }
        (node.key, node.value)
    }

    /// # Safety
    ///
    /// The slot has been given out by [`place`](Self::place), `timed` or not, and is not used any more.
    unsafe fn free(slot: NonNull<Node<K, V>>, timed: bool) {
        let form = Form::of::<K, V>(timed);
        // SAFETY: the number was written when the slot was first given out, and tells how far the slab's beginning is.
        unsafe {
            let number = (&raw const (*slot.as_ptr()).slot).read();
            let slab = slot.cast::<u8>().sub(form.first + form.stride * number as usize).cast::<Slab>();
            Self::release(slab, 1, form);
        }
    }

    /// Frees so many slots for good.
    ///
    /// # Safety
    ///
    /// They are slots of this slab, which is of this form, and are not used any more.
    unsafe fn release(slab: NonNull<Slab>, slots: u32, form: Form) {
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

    /// How many spare slots there are.
    pub(super) fn spares(&self) -> usize {
        self.spares.len()
    }

    /// Gives spare slots away, at most so many, if they are of that kind.
    pub(super) fn give(&mut self, most: usize, to: &mut Self) {
        if self.timed != to.timed {
            return;
        }
        let left = self.spares.len() - most.min(self.spares.len());
        to.spares.extend(self.spares.drain(left..));
    }

    /// A slot that has not been used yet, with its number in it.
    #[inline]
    fn fresh(&mut self) -> NonNull<Node<K, V>> {
        let form = Form::of::<K, V>(self.timed);
        let (slab, number) = match &mut self.fresh {
            Some(fresh) if fresh.next < fresh.end => {
                fresh.next += 1;
                (fresh.slab, fresh.next - 1)
            }
            _ => (self.grow(form), 0),
        };
        // SAFETY: it is within the slab, and nobody has been given it.
        unsafe {
            let slot = slab.cast::<u8>().add(form.first + form.stride * number as usize).cast::<Node<K, V>>();
            (&raw mut (*slot.as_ptr()).slot).write(number);
            // for the next one; where there is none, that is no access
            prefetch(slot.as_ptr().cast::<u8>().wrapping_add(form.stride));
            slot
        }
    }

    /// A new slab, whose first slot is for the caller.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, form: Form) -> NonNull<Slab> {
        let fit = u32::try_from(BYTES / form.stride).unwrap_or(MOST);
        let most = if self.is_full { FEW } else { MOST };
        let slots = (self.made / 4 + 1).min(most).min(fit).max(1);
        self.made = self.made.saturating_add(slots);
        let layout = form.layout(slots);
        // SAFETY: its size is not zero.
        let slab = NonNull::new(unsafe { alloc(layout) }.cast::<Slab>());
        let slab = slab.unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: it is ours, and large enough.
        unsafe { slab.write(Slab { left: AtomicU32::new(slots), slots }) };
        self.fresh = Some(Fresh { slab, next: 1, end: slots });
        slab
    }

    /// A node for this, in a slot of its own.
    ///
    /// # Panics
    ///
    /// If its value has been taken.
    #[inline]
    pub(super) fn place(&mut self, new: New<'_, K, V>) -> Entry<K, V> {
        let New { hash, key, value, weight, word, read, .. } = new;
        assert_eq!(word & UNTIMED == 0, self.timed);
        let value = value.take().expect("a value is taken once");
        let slot = match self.spares.pop() {
            Some(slot) => slot,
            None => self.fresh(),
        };
        let node = slot.as_ptr();
        // SAFETY: the slot is ours, large enough for a `Timed` if it is to be one, and there is nothing in it. All fields
        // are written, but for the slot's number, which has been.
        unsafe {
            (&raw mut (*node).hash).write(hash);
            (&raw mut (*node).word).write(Word::new(word));
            (&raw mut (*node).weight).write(weight);
            (&raw mut (*node).place).write(Place::new(0));
            (&raw mut (*node).key).write(key);
            (&raw mut (*node).value).write(value);
            if self.timed {
                (&raw mut (*node.cast::<Timed<K, V>>()).read).write(Word::new(read));
            }
        }
        if let Some(next) = self.spares.last() {
            prefetch(next.as_ptr());
        }
        Entry::new(slot)
    }
}

impl<K, V> Drop for Slabs<K, V> {
    fn drop(&mut self) {
        for slot in &self.spares {
            // SAFETY: it is of this kind, and what was in it has been taken out by `vacate`.
            unsafe { Self::free(*slot, self.timed) };
        }
        if let Some(Fresh { slab, next, end }) = self.fresh
            && next < end
        {
            // SAFETY: nobody has been given these.
            unsafe { Self::release(slab, end - next, Form::of::<K, V>(self.timed)) };
        }
    }
}
