//! The shards of a store: an index each, and under a lock what only writers need.

#![allow(unsafe_code)]

use super::group::SHARD_BITS;
use super::index::Index;
use super::kind::Kind;
use super::locked::Locked;
use super::shard::Shard;
use super::share::Share;
use crate::sync::{Mutex, lock};

/// There are at most so many shards.
pub(super) const MOST: usize = if cfg!(memo_shuttle) { 2 } else { 1 << SHARD_BITS };

/// What shards count, together.
#[derive(Default)]
pub(super) struct Sums {
    pub len: u64,
    /// Of what is not weighed, how many.
    pub weight: u64,
    pub evicted: u64,
    pub expired: u64,
    pub recomputed: u64,
}

/// On cache lines of its own.
#[repr(align(128))]
struct Apart<T>(T);

type Lock = Apart<Mutex<Shard>>;

/// All shards of a store.
///
/// The indices stand together and apart from the locks: readers come to the former only, and these are written but
/// when a table is replaced.
pub(super) struct Shards {
    indices: Apart<[Index; MOST]>,
    /// The number of shards less one, less than [`MOST`]; never changed.
    mask: usize,
    locked: Box<[Lock]>,
}

impl Shards {
    /// `count`: a power of two, at most [`MOST`].
    pub(super) fn new(count: usize, kind: &'static Kind, share: Share) -> Self {
        assert!(count.is_power_of_two() && count <= MOST);
        Shards {
            // Those beyond `count` are never used, and share nothing that would be made for them.
            indices: Apart(std::array::from_fn(|at| if at < count { Index::new() } else { Index::none() })),
            mask: count - 1,
            locked: (0..count).map(|_| Apart(Mutex::new(Shard::new(kind, share)))).collect(),
        }
    }

    #[inline(always)]
    fn number(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }

    /// Where an entry with this hash is found.
    #[inline(always)]
    pub(super) fn index(&self, hash: u64) -> &Index {
        // SAFETY: `number` is not more than `mask`, which is less than `MOST`.
        unsafe { self.indices.0.get_unchecked(self.number(hash)) }
    }

    pub(super) fn indices(&self) -> &[Index] {
        &self.indices.0[..=self.mask]
    }

    pub(super) fn lock(&self, hash: u64) -> Locked<'_> {
        self.lock_number(self.number(hash))
    }

    pub(super) fn lock_number(&self, number: usize) -> Locked<'_> {
        Locked { index: &self.indices.0[number], shard: lock(&self.locked[number].0) }
    }

    /// Each shard locked, one after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = Locked<'_>> {
        (0..=self.mask).map(|number| self.lock_number(number))
    }

    pub(super) fn sums(&self) -> Sums {
        self.each().fold(Sums::default(), |sums, Locked { shard, .. }| Sums {
            len: sums.len + shard.len as u64,
            weight: sums.weight + if shard.share.bound.weighs() { shard.weight } else { shard.len as u64 },
            evicted: sums.evicted + shard.evicted,
            expired: sums.expired + shard.expired,
            recomputed: sums.recomputed + shard.returns.all,
        })
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        // `Memory` has cleared them; what is left are the empty tables.
        for index in &self.indices.0[..=self.mask] {
            // SAFETY: there is no reader of this store any more, as it is being dropped.
            unsafe { index.table().free() };
        }
    }
}
