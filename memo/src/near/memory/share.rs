//! What one shard of a store is held to.

use super::entry::Shape;
use crate::clock::NEVER;
use crate::near::limits::Bound;

/// What one shard of a store is held to: all of them to the same, but while that is changed.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub bound: Bound,
    /// What the entries may count.
    pub limit: u64,
    /// As many taken out are a batch.
    pub batch: usize,
    /// How long an entry stays without being read.
    pub tti: u64,
    /// Whether entries have ages as a rule.
    pub aged: bool,
}

impl Share {
    /// That of one among `shards` in the bound. `batch`: see there.
    pub(super) fn new(bound: Bound, shards: usize, batch: usize, tti: u64, aged: bool) -> Self {
        let limit = if bound.limit == NEVER { NEVER } else { bound.limit / shards as u64 };
        Share { bound, limit, batch, tti, aged }
    }

    /// Whether a store can go by it: there is one shard, which any entry fits into that fits into the store, or none
    /// is left without room.
    #[cfg(feature = "config")]
    pub(super) fn is_fair(&self, shards: usize) -> bool {
        shards == 1 || (!self.bound.weighs() && (self.limit > 0 || self.bound.limit == 0))
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.limit != NEVER
    }

    /// What entries need room for as a rule.
    pub(super) fn shape(&self) -> Shape {
        match (self.aged, self.tti) {
            (true, _) => Shape::Aged,
            (false, NEVER) => Shape::Bare,
            (false, _) => Shape::Timed,
        }
    }

    /// As many entries as there may be, as far as that is known.
    pub(super) fn most(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }
}
