//! How the slots of a slab lie one behind the other.

use std::alloc::Layout;
use std::sync::atomic::AtomicU32;

/// What a slab begins with.
pub(super) struct Slab {
    /// How many of its slots are not free for good.
    pub left: AtomicU32,
    /// How many there are.
    pub slots: u32,
}

/// Where the entries of a slab are.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// From one head to the next.
    pub stride: usize,
    /// From the beginning of a slab to the first head.
    pub first: usize,
    /// What of the first entry is in front of its head.
    lead: usize,
    align: usize,
}

impl Form {
    /// For entries that take `size` from their head on, and `lead` in front of it.
    pub(super) const fn new(lead: usize, size: usize, align: usize) -> Self {
        let begin = size_of::<Slab>().next_multiple_of(align);
        Form { stride: lead + size, first: begin + lead, lead, align }
    }

    /// That of a slab with so many slots.
    ///
    /// # Panics
    ///
    /// If an entry is larger than half of all addresses.
    pub(super) fn layout(&self, slots: u32) -> Layout {
        let begin = self.first - self.lead;
        let size = self.stride.checked_mul(slots as usize).and_then(|size| size.checked_add(begin));
        let layout = size.and_then(|size| Layout::from_size_align(size, self.align).ok());
        layout.expect("an entry fits into the address space")
    }
}
