//! A shard whose lock is held: entries come and go.

#![allow(unsafe_code)]

use super::batch::Batch;
use super::entry::{Entry, New, USES};
use super::index::{Found, Index};
use super::kind::Arriving;
use super::queue::Queue;
use super::readers::Reading;
use super::retired::Retired;
use super::shard::{Newcomer, PASSES_AT_LEAST, Shard};
use super::share::Share;
use super::table::Table;
use crate::sync::MutexGuard;
use std::sync::atomic::Ordering::Relaxed;

#[cfg(feature = "config")]
mod adopt;

/// A shard whose lock is held. No code of the user's runs in here.
///
/// All entries in its queues are in its index, and nothing is freed while the lock is held that was in the index at any
/// time since it has been taken: what it retires leaves by [`unlock`](Self::unlock) only. Only the
/// holder of the lock writes the index. So the safety demands of [`Index`] and [`Queue`] are met throughout.
pub(super) struct Locked<'s> {
    pub index: &'s Index,
    pub shard: MutexGuard<'s, Shard>,
}

impl Locked<'_> {
    /// Gives the lock back, and out what there is to be freed, once it is enough; `all`: however little.
    #[inline]
    pub(super) fn unlock(mut self, all: bool) -> Option<Box<Batch>> {
        let Share { batch, bound, .. } = self.shard.share;
        let few = self.shard.retired.is_only_entries(batch);
        (!few || all || bound.weighs()).then(|| self.take_retired()).flatten()
    }

    #[cold]
    #[inline(never)]
    fn take_retired(&mut self) -> Option<Box<Batch>> {
        let batch = self.shard.share.batch;
        let retired = &mut self.shard.retired;
        (!retired.is_empty()).then(|| Box::new(std::mem::replace(retired, Batch::with_room_for(batch))))
    }

    /// Sees to it that there is a slot for an entry without asking for memory, if some were freed.
    #[inline]
    pub(super) fn fetch_spares(&mut self, from: &Retired) {
        if self.shard.slabs.spares() == 0 && self.shard.evicted != 0 {
            from.spare(self.shard.share.batch, &mut self.shard.slabs);
            self.shard.slabs.is_full();
        }
    }

    /// Whether there is an entry with this hash.
    #[inline]
    pub(super) fn has(&self, hash: u64) -> bool {
        // SAFETY: see `Locked`.
        unsafe { self.index.may_hold(hash) && self.index.find_locked(hash, |_| true).is_some() }
    }

    /// The entry with this hash for which `is` holds, which must not be code of the user's.
    pub(super) fn find<'r>(
        &self,
        reading: &'r Reading,
        hash: u64,
        is: impl FnMut(Found<'r>) -> bool,
    ) -> Option<Found<'r>> {
        self.index.find(reading, hash, is)
    }

    fn counts(&self, weight: u32) -> u64 {
        self.shard.share.bound.counts(weight)
    }

    fn is_bounded(&self) -> bool {
        self.shard.share.is_bounded()
    }

    /// Whether such an entry may come in: not if it is too heavy, nor if it was made for another idle time than holds
    /// by now, which has taken all others of its time.
    #[inline]
    pub(super) fn admits(&self, new: &New<'_>) -> bool {
        let Share { bound, tti, .. } = self.shard.share;
        bound.admits(new.weight) && new.tti == tti
    }

    /// Puts in an entry whose key is not in here, and makes room for it. Whether it is found just now that the shard thrashes.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[inline(always)]
    pub(super) unsafe fn insert(&mut self, new: &New<'_>, arriving: &mut dyn Arriving) -> bool {
        let (away, thrashes) = if self.is_bounded() { self.come(new.hash) } else { (None, false) };
        // SAFETY: as the caller says.
        unsafe { self.insert_into(*new, arriving, away, false) };
        thrashes
    }

    /// Lets time go on by one that comes in. How long it was away, if that is known; and whether the shard thrashes.
    #[inline]
    fn come(&mut self, hash: u64) -> (Option<u32>, bool) {
        let shard = &mut *self.shard;
        shard.now = shard.now.wrapping_add(1);
        let away = shard.ghosts.take(hash, shard.now);
        let mut thrashes = false;
        if let Some(away) = away {
            shard.portion.returned(away, shard.len, shard.share.limit);
            thrashes = shard.returns.one_more(shard.now, shard.len);
        }
        (away, thrashes)
    }

    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[inline(always)]
    unsafe fn insert_into(
        &mut self,
        mut new: New<'_>,
        arriving: &mut dyn Arriving,
        away: Option<u32>,
        to_main: bool,
    ) {
        let (hash, weight, counts) = (new.hash, new.weight, self.counts(new.weight));
        let mut newcomer = Newcomer { away, counts, to_main, passes: PASSES_AT_LEAST };
        if self.is_bounded() {
            self.make_room(&mut newcomer);
        } else {
            // Nobody asks for its uses, so that no hit needs to count one.
            new.word |= USES;
        }
        let groups = self.index.table().groups();
        if self.shard.len >= Index::room(groups) {
            self.rebuild(groups * 2);
        } else if self.shard.stuck as usize > 8 + groups / 16 {
            self.rebuild(groups);
        }
        // SAFETY: as the caller says.
        let entry = unsafe { self.shard.slabs.write(&new, arriving) };
        // SAFETY: see `Locked`; there is room, three quarters at most being taken.
        self.shard.stuck += u32::from(unsafe { self.index.insert(hash, entry) });
        self.shard.len += 1;
        self.shard.weight += u64::from(weight);
        if self.is_bounded() {
            let shard = &mut *self.shard;
            if newcomer.to_main {
                shard.push_main(entry, counts);
            } else {
                // SAFETY: see `Locked`.
                unsafe { shard.small.push(entry, counts, shard.share.most()) };
            }
        }
    }

    /// Puts an entry in the place of another with the same key. False if that is not in here any more: then nothing
    /// has happened.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    pub(super) unsafe fn replace(
        &mut self,
        old: Entry,
        mut new: New<'_>,
        arriving: &mut dyn Arriving,
    ) -> bool {
        let hash = new.hash;
        // SAFETY: see `Locked`.
        if !unsafe { self.index.holds(hash, old) } {
            return false;
        }
        // SAFETY: it is in the index.
        let head = unsafe { old.head() };
        let (before, counts) = (self.counts(head.weight), self.counts(new.weight));
        let position = head.position.load(Relaxed);
        if counts > before && self.is_bounded() {
            // Others have to make room, and it must not be among them.
            let in_main = self.shard.main.has(position);
            self.remove(hash, old);
            // SAFETY: as the caller says.
            unsafe { self.insert_into(new, arriving, None, in_main) };
            return true;
        }
        new.word |= head.word.load(Relaxed) & USES;
        self.shard.weight += u64::from(new.weight);
        self.shard.weight -= u64::from(head.weight);
        // SAFETY: as the caller says.
        let entry = unsafe { self.shard.slabs.write(&new, arriving) };
        // SAFETY: it has just been made.
        unsafe { entry.head() }.position.store(position, Relaxed);
        // SAFETY: see `Locked`.
        unsafe { self.index.replace(hash, old, entry) };
        if self.is_bounded() {
            self.queue(position).replace(position, entry, before - counts);
        }
        self.retire(old);
        true
    }

    fn queue(&mut self, position: u32) -> &mut Queue {
        if self.shard.main.has(position) { &mut self.shard.main } else { &mut self.shard.small }
    }

    /// Takes out an entry with this hash; false if it is not in here any more.
    pub(super) fn remove(&mut self, hash: u64, entry: Entry) -> bool {
        // SAFETY: see `Locked`.
        if !unsafe { self.index.holds(hash, entry) } {
            return false;
        }
        if self.is_bounded() {
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            let (position, counts) = (head.position.load(Relaxed), self.counts(head.weight));
            self.queue(position).remove(position, counts);
        }
        self.take_out(hash, entry);
        true
    }

    /// Takes an entry, which is not in a queue any more, out of the index.
    #[inline]
    fn take_out(&mut self, hash: u64, entry: Entry) {
        // SAFETY: see `Locked`.
        unsafe { self.index.remove(hash, entry) };
        // SAFETY: taken out just now, and freed not before the lock has been given back.
        let weight = unsafe { entry.head() }.weight;
        self.shard.len -= 1;
        self.shard.weight -= u64::from(weight);
        self.retire(entry);
    }

    fn retire(&mut self, entry: Entry) {
        // SAFETY: it has been taken out of the index, and it is in no queue.
        unsafe { self.shard.retired.add(entry, entry.head().weight) };
    }

    /// Takes out an entry with this hash that has expired by `now`; whether there was one.
    pub(super) fn expire(&mut self, hash: u64, tti: u64, now: u64) -> bool {
        // SAFETY: see `Locked`, here and for what is found.
        let expired = unsafe { self.index.find_locked(hash, |entry| entry.ends(tti) <= now) };
        let Some(entry) = expired else { return false };
        self.remove(hash, entry);
        self.shard.expired += 1;
        true
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        let shard = &mut *self.shard;
        if shard.len == 0 && self.index.table().groups() <= Table::LEAST {
            return;
        }
        // SAFETY: see `Locked`.
        let table = unsafe { self.index.renew() };
        let returns = shard.returns.begun_anew();
        let (evicted, expired) = (shard.evicted, shard.expired);
        let fresh = Shard { evicted, expired, returns, ..Shard::new(shard.kind, shard.share) };
        let old = std::mem::replace(shard, fresh);
        shard.retired = old.retired;
        // SAFETY: it is not the index's table any more, what was in it was in nothing else but the queues, and those
        // are gone as well.
        unsafe { shard.retired.add_full(table, old.len, old.weight) };
    }

    /// Gives memory back, where many have left; whether it did.
    pub(super) fn shrink(&mut self) -> bool {
        let groups = self.index.table().groups();
        let is_sparse = groups > 16 && self.shard.len < Index::room(groups) / 8;
        if is_sparse {
            self.rebuild(groups / 4);
            self.shard.small.shrink_to_fit();
            self.shard.main.shrink_to_fit();
        }
        is_sparse
    }

    #[cold]
    #[inline(never)]
    fn rebuild(&mut self, groups: usize) {
        // SAFETY: see `Locked`.
        let (old, _) = unsafe { self.index.rebuild(groups) };
        // What is stuck anew in a table just built, building it again would not loosen.
        self.shard.stuck = 0;
        // SAFETY: it is not the index's table any more, and all that was in it is in the new one.
        unsafe { self.shard.retired.add_table(old) };
    }

    /// Evicts until there is room.
    #[inline]
    fn make_room(&mut self, new: &mut Newcomer) {
        while self.counted() + new.counts > self.shard.share.limit {
            if !self.evict_one(new) {
                return;
            }
        }
    }

    /// What all entries of a bounded store count.
    #[inline]
    fn counted(&self) -> u64 {
        self.shard.small.counted + self.shard.main.counted
    }

    /// Whether there was one.
    #[inline]
    fn evict_one(&mut self, new: &mut Newcomer) -> bool {
        let Some(entry) = self.shard.evict(new) else { return false };
        // Those that will be next are brought near meanwhile, the first of them with its group.
        if let Some(first) = self.shard.small.soon(0) {
            // SAFETY: it is in the index.
            self.index.prefetch(unsafe { first.head() }.hash);
        }
        if let Some(second) = self.shard.small.soon(1) {
            second.prefetch();
        }
        // SAFETY: it is in the index.
        let hash = unsafe { entry.head() }.hash;
        self.take_out(hash, entry);
        self.shard.evicted += 1;
        true
    }
}
