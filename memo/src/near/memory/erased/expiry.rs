//! Entries whose time is over: a lookup does not find them, and a miss or a sweep takes them out.

use super::Erased;
use crate::clock::{NEVER, coarse, exact};
use crate::near::memory::entry::COARSE;
use crate::near::memory::index::Found;
use crate::near::memory::readers::reading;
use crate::sweep::hold_off_for_sweeper;
use std::sync::atomic::Ordering::Relaxed;

impl Erased {
    /// A miss takes what has expired with it, so that a value is not kept longer for having been asked for.
    #[inline]
    pub(in crate::near::memory) fn missed(&self, hash: u64) {
        if self.rest.schedule.has_lifetimes() {
            self.missed_in_time(hash);
        }
    }

    #[cold]
    #[inline(never)]
    fn missed_in_time(&self, hash: u64) {
        if self.rest.schedule.may_have_expired() {
            self.expire(hash, exact());
        }
    }

    pub(super) fn lives(&self, found: &Found<'_>) -> bool {
        let ends = found.ends(self.tti());
        let is_coarse = found.word.load(Relaxed) & COARSE != 0;
        ends == NEVER || if is_coarse { coarse() } else { exact() } < ends
    }

    pub(in crate::near::memory) fn sweep(&self) {
        let (now, tti) = (exact(), self.tti());
        if self.rest.schedule.begin(now) {
            for (number, index) in self.shards.indices().iter().enumerate() {
                // What was stored before the schedule began anew was stored under this lock, and is seen from here on.
                let unforked = hold_off_for_sweeper();
                drop(self.shards.lock_number(number));
                drop(unforked);
                let mut expired = Vec::new();
                reading(|reading| {
                    index.each(reading, |found| match found.ends(tti) {
                        ends if ends <= now => expired.push(found.hash),
                        ends => self.rest.schedule.ends_at(ends),
                    });
                });
                for hash in expired {
                    if !self.expire(hash, now) && tti != NEVER {
                        // It may have been read meanwhile, and then ends later.
                        self.rest.schedule.ends_at(now);
                    }
                }
            }
        }
        for number in 0..self.shards.indices().len() {
            let unforked = hold_off_for_sweeper();
            let mut locked = self.shards.lock_number(number);
            locked.shrink();
            let batch = locked.unlock(true);
            drop(unforked);
            self.clean(batch, false);
        }
        self.rest.retired.flush();
    }

    /// Removes an entry with this hash that has expired by `now`; whether there was one.
    #[cold]
    #[inline(never)]
    fn expire(&self, hash: u64, now: u64) -> bool {
        let unforked = hold_off_for_sweeper();
        let mut locked = self.shards.lock(hash);
        let gone = locked.expire(hash, self.tti(), now);
        let batch = locked.unlock(false);
        drop(unforked);
        self.clean(batch, false);
        gone
    }
}
