//! What an entry has of its hash, and how often it was used.

use std::cell::Cell;

/// Most of a hash, and above it, in two bits, how often the entry was used since the hand came by: up to three times.
pub(super) struct Mark(Cell<u32>);

/// One use, in a [`Mark`].
const USE: u32 = 1 << 30;

/// The bits of a hash that a [`Mark`] has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Short(u32);

impl Short {
    #[inline(always)]
    pub(super) fn of(hash: u64) -> Self {
        Short(hash as u32 % USE)
    }

    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0
    }

    /// As many bits as a hash table wants: it finds a group by the low ones, and tells entries of a group apart by the high ones.
    #[inline(always)]
    pub(super) fn spread(self) -> u64 {
        u64::from(self.0) << (64 - USE.ilog2()) | u64::from(self.0)
    }
}

impl Mark {
    #[inline(always)]
    pub(super) fn new(hash: Short) -> Self {
        Mark(Cell::new(hash.0))
    }

    #[inline(always)]
    pub(super) fn hash(&self) -> Short {
        Short(self.0.get() % USE)
    }

    #[inline(always)]
    pub(super) fn use_now(&self) {
        let mark = self.0.get();
        if mark < 3 * USE {
            self.0.set(mark + USE);
        }
    }

    /// Takes one use back; whether there was one.
    pub(super) fn unuse(&self) -> bool {
        let mark = self.0.get();
        let is_used = mark >= USE;
        if is_used {
            self.0.set(mark - USE);
        }
        is_used
    }
}
