//! A group of entries on one cache line, and how a hash is found in it.

#![allow(unsafe_code)]

use super::entry::Head;
use crate::sync::atomic::{AtomicPtr, AtomicU64};

/// So many of the lowest bits of a hash are left for the choice of a shard. Those after them choose the group: where
/// keys are numbers in a row, the lowest are the ones that a fast hasher spreads best. A group has as many bytes as
/// these bits have values, so that its offset is cut out of the hash as it stands.
pub(super) const SHARD_BITS: u32 = 6;
// Not so of the model checker's atomics.
#[cfg(not(memo_shuttle))]
const _: () = assert!(size_of::<Group>() == 1 << SHARD_BITS);

/// Places in a group.
pub(super) const PLACES: usize = 7;
/// The tags' highest bits, set where there is an entry.
pub(super) const HIGH: u64 = 0x0080_8080_8080_8080;
/// The lowest bits of all bytes.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
const LOW: u64 = 0x0101_0101_0101_0101;
/// Where the counters of what was put further on begin: four bits each.
const PAST: u32 = 56;
/// A counter that is full does not count any more.
pub(super) const FULL: u64 = 15;

#[repr(align(64))]
pub(super) struct Group {
    /// Seven tags, 0 where there is no entry, and in the highest byte the two counters.
    pub meta: AtomicU64,
    pub entries: [AtomicPtr<Head>; PLACES],
}

impl Group {
    pub(super) fn new() -> Self {
        Group {
            meta: AtomicU64::new(0),
            entries: std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut())),
        }
    }
}

#[inline(always)]
pub(super) fn tag(hash: u64) -> u64 {
    // The lowest bits choose shard and group.
    hash >> 57 | 0x80
}

/// Where in a group's `meta` the counter for such hashes begins.
#[inline(always)]
pub(super) fn past(hash: u64) -> u32 {
    PAST + 4 * (hash >> 56 & 1) as u32
}

/// Places in a group whose tags are that of a hash, one after the other. It may be out of date: an entry has left, or
/// there is another one by now.
pub(super) struct Fits(u64);

/// With one bit for each place.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
impl Fits {
    #[inline(always)]
    pub(super) fn new(meta: u64, hash: u64) -> Self {
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
    pub(super) fn new(meta: u64, hash: u64) -> Self {
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
