//! Another share, for a shard that is in use.

#![allow(unsafe_code)]

use super::Locked;
use crate::near::memory::entry::Entry;
use crate::near::memory::ghosts::Ghosts;
use crate::near::memory::queue::Queue;
use crate::near::memory::shard::{Newcomer, Shard};
use crate::near::memory::share::Share;
use crate::near::memory::slabs::Slabs;

impl Locked<'_> {
    /// Goes by another share from now on. What is over it stays until it is [trimmed](Self::trim), or until an entry
    /// comes that needs room.
    pub(in crate::near::memory) fn adopt(&mut self, share: Share) {
        let old = std::mem::replace(&mut self.shard.share, share);
        if old.tti != share.tti {
            // When they were read has not been kept, or the sweeper goes by another end of theirs.
            self.clear();
            self.shard.slabs = Slabs::new(self.shard.kind, share.shape());
            return;
        }
        if old.shape() != share.shape() {
            self.shard.slabs = Slabs::new(self.shard.kind, share.shape());
        }
        if !share.is_bounded() {
            let shard = &mut *self.shard;
            (shard.small, shard.main, shard.ghosts) =
                (Queue::new(false), Queue::new(true), Ghosts::default());
        } else if !old.is_bounded() {
            self.enqueue_all();
        } else if !old.bound.counts_as(&share.bound) {
            let shard = &mut *self.shard;
            shard.small.count_anew(&share.bound);
            shard.main.count_anew(&share.bound);
        }
        self.shard.ghosts.fit(share.most());
        self.shard.portion.fit(share.limit);
        if share.bound.weighs() {
            // Those that would be let in no more are first to go, before they drive out others.
            for entry in self.too_heavy() {
                // SAFETY: it is in the index.
                let hash = unsafe { entry.head() }.hash;
                self.remove(hash, entry);
                self.shard.evicted += 1;
            }
        }
    }

    /// Puts all entries into the main queue, where there were no queues.
    fn enqueue_all(&mut self) {
        let table = self.index.table();
        let shard = &mut *self.shard;
        let bound = shard.share.bound;
        // SAFETY: see `Locked`.
        unsafe { table.each(|entry| shard.push_main(entry, bound.counts(entry.head().weight))) };
    }

    fn too_heavy(&self) -> Vec<Entry> {
        let Shard { small, main, share, .. } = &*self.shard;
        let entries = small.entries().chain(main.entries());
        // SAFETY: they are in the index.
        entries.filter(|entry| !share.bound.admits(unsafe { entry.head() }.weight)).collect()
    }

    /// Evicts what is over the share, at most so many, and then gives memory back; whether that is done.
    pub(in crate::near::memory) fn trim(&mut self, most: usize) -> bool {
        for _ in 0..most {
            // Nobody waits for it: what is used stays, wherever it stands.
            let mut none = Newcomer { away: None, counts: 0, to_main: false, passes: 4 * self.shard.len };
            if !self.is_bounded() || self.counted() <= self.shard.share.limit || !self.evict_one(&mut none) {
                while self.shrink() {}
                return true;
            }
        }
        false
    }
}
