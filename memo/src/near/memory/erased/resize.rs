//! Other limits, for a store that is in use.

use super::Erased;
use crate::clock::{NEVER, nanos};
use crate::near::limits::Limits;
use crate::near::memory::locked::Locked;
use crate::sync::lock;
use std::sync::atomic::Ordering::Relaxed;

impl Erased {
    /// Holds itself to other limits. What fits into them stays, unless it is the idle time that changes. False, and
    /// all is as it was, where the shards, which stay as many as they are, could not keep to them: where there are
    /// several, none goes by weight, and each has room for one entry.
    pub(in crate::near::memory) fn resize(&self, limits: &Limits) -> bool {
        let shards = self.shards.indices().len();
        let (share, rules) = Self::terms(self.rest.kind, limits, shards);
        if !share.is_fair(shards) {
            return false;
        }
        let changing = lock(&self.rest.changing);
        self.tti.store(limits.tti.map_or(NEVER, nanos), Relaxed);
        self.rest.retired.adopt(rules);
        let adopt = |mut locked: Locked<'_>| {
            locked.adopt(share);
            locked.unlock(true)
        };
        let batches: Vec<_> = self.shards.each().filter_map(adopt).collect();
        drop(changing);
        batches.into_iter().for_each(|batch| self.clean(Some(batch), true));
        for number in 0..shards {
            // A few at a time: others want the lock as well.
            while !self.trim(number, 256) {}
        }
        true
    }

    /// Evicts what is over the bounds, at most so many; whether that is done.
    fn trim(&self, number: usize, most: usize) -> bool {
        let mut locked = self.shards.lock_number(number);
        let done = locked.trim(most);
        let batch = locked.unlock(true);
        self.clean(batch, true);
        done
    }
}
