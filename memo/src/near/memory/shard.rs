//! The shards of a store: an index each, and under a lock what only writers need, the queues first of all.
//!
//! # What leaves first
//!
//! Newcomers go through a small queue, which a scan thus does not leave; the rest is the main queue, whose entries go
//! round, one use less each time, until one of them is to leave that has not been used. Using an entry writes
//! nothing but its own count of uses, and that only up to three times.
//!
//! Time is counted in entries that came in. Who is to enter the main queue must have been away for less time than the
//! next one to leave there has been idle: a loop that is longer than the store does not wash itself out. That goes
//! for what was used in the small queue, and for what comes back after it has left that: its [ghost](ghosts) tells for
//! how long. How large the small queue is, [follows](portion) from what came back.
//!
//! Why so, and what came of it, is in decision 27.

use super::entry::{Entry, New, USES};
use super::garbage::{Garbage, Graveyard};
use super::ghosts::Ghosts;
use super::index::{Found, Index, SHARD_BITS, Table};
use super::kind::{Arriving, Kind};
use super::portion::Portion;
use super::queue::{Queue, Stamps};
use super::readers::Reading;
use super::returns::Returns;
use super::slabs::Slabs;
use crate::clock::NEVER;
use crate::near::limits::Bound;
use crate::sync::{Mutex, MutexGuard, lock};
use std::sync::atomic::Ordering::Relaxed;

/// There are at most so many shards.
pub(super) const MOST: usize = if cfg!(memo_shuttle) { 2 } else { 1 << SHARD_BITS };

/// So many used entries of the main queue are passed for something that has been used as well ...
const PASSES: usize = 3;
/// ... for something that has not, one of [`TURN`] times; the others spare themselves a look into that queue ...
const PASSES_UNUSED: usize = 8;
const TURN: u32 = 8;
/// ... and where one has to leave there.
const PASSES_AT_LEAST: usize = 8;

/// Who has been idle in the main queue for as long as it takes to fill the shard so many times over makes room for anybody.
const IDLE: u64 = 16;

/// What one shard of a store is held to: all of them to the same, but while that is changed.
#[derive(Clone, Copy)]
pub(super) struct Share {
    bound: Bound,
    /// What the entries may count.
    limit: u64,
    /// As many taken out are a batch.
    batch: usize,
    /// How long an entry stays without being read.
    tti: u64,
}

impl Share {
    /// That of one among `shards` in the bound. `batch`: see there.
    pub(super) fn new(bound: Bound, shards: usize, batch: usize, tti: u64) -> Self {
        let limit = if bound.limit == NEVER { NEVER } else { bound.limit / shards as u64 };
        Share { bound, limit, batch, tti }
    }

    /// Whether a store can go by it: there is one shard, which any entry fits into that fits into the store, or none
    /// is left without room.
    #[cfg(feature = "config")]
    pub(super) fn is_fair(&self, shards: usize) -> bool {
        shards == 1 || (!self.bound.weighs() && (self.limit > 0 || self.bound.limit == 0))
    }

    fn is_bounded(&self) -> bool {
        self.limit != NEVER
    }

    fn is_timed(&self) -> bool {
        self.tti != NEVER
    }

    /// As many entries as there may be, as far as that is known.
    fn most(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }
}

/// What is under the lock of a shard.
struct Shard {
    kind: &'static Kind,
    share: Share,
    len: usize,
    weight: u64,
    small: Queue,
    main: Queue,
    /// When the places of the main queue were taken.
    stamps: Stamps,
    ghosts: Ghosts,
    portion: Portion,
    /// The time: how many came in.
    now: u32,
    /// Counters of the table that have got stuck since it was built.
    stuck: u32,
    garbage: Garbage,
    slabs: Slabs,
    evicted: u64,
    expired: u64,
    returns: Returns,
}

// SAFETY: what the addresses in it lead to is owned by the store, keys and values, as a map would own them; and those of any
// kind may be sent.
unsafe impl Send for Shard {}

impl Shard {
    fn new(kind: &'static Kind, share: Share) -> Self {
        Shard {
            kind,
            share,
            len: 0,
            weight: 0,
            small: Queue::new(false),
            main: Queue::new(true),
            stamps: Stamps::default(),
            ghosts: Ghosts::default(),
            portion: Portion::new(share.limit),
            now: 0,
            stuck: 0,
            garbage: Garbage::default(),
            slabs: Slabs::new(kind, share.is_timed()),
            evicted: 0,
            expired: 0,
            returns: Returns::default(),
        }
    }
}

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

/// What room is made for.
struct Newcomer {
    /// How long it was away, until that has been looked at.
    away: Option<u32>,
    counts: u64,
    /// Whether it goes to the main queue.
    to_main: bool,
    /// So many used entries of the main queue are passed where one has to leave there.
    passes: usize,
}

/// A shard whose lock is held. No code of the user's runs in here.
///
/// All entries in its queues are in its index, and nothing is freed while the lock is held that was in the index at any
/// time since it has been taken: garbage goes to the graveyard by [`unlock`](Self::unlock) only. Only the
/// holder of the lock writes the index. So the safety demands of [`Index`] and [`Queue`] are met throughout.
pub(super) struct Locked<'s> {
    index: &'s Index,
    shard: MutexGuard<'s, Shard>,
}

impl Locked<'_> {
    /// Gives the lock back, and out what there is to be freed, once it is enough; `all`: however little.
    #[inline]
    pub(super) fn unlock(mut self, all: bool) -> Option<Box<Garbage>> {
        let Share { batch, bound, .. } = self.shard.share;
        let few = self.shard.garbage.is_only_entries(batch);
        (!few || all || bound.weighs()).then(|| self.take_garbage()).flatten()
    }

    #[cold]
    #[inline(never)]
    fn take_garbage(&mut self) -> Option<Box<Garbage>> {
        let batch = self.shard.share.batch;
        let garbage = &mut self.shard.garbage;
        (!garbage.is_empty()).then(|| Box::new(std::mem::replace(garbage, Garbage::with_room_for(batch))))
    }

    /// Sees to it that there is a place for an entry without asking for memory, if the graveyard has some.
    #[inline]
    pub(super) fn fetch_spares(&mut self, from: &Graveyard) {
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
    pub(super) fn admits(&self, new: &New) -> bool {
        let Share { bound, tti, .. } = self.shard.share;
        bound.admits(new.weight) && new.tti == tti
    }

    /// Puts in an entry whose key is not in here, and makes room for it. Whether it is found just now that the shard thrashes.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[inline(always)]
    pub(super) unsafe fn insert(&mut self, new: &New, arriving: &mut dyn Arriving) -> bool {
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
        mut new: New,
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
        let entry = unsafe { self.shard.slabs.place(&new, arriving) };
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
    pub(super) unsafe fn replace(&mut self, old: Entry, mut new: New, arriving: &mut dyn Arriving) -> bool {
        let hash = new.hash;
        // SAFETY: see `Locked`.
        if !unsafe { self.index.holds(hash, old) } {
            return false;
        }
        // SAFETY: it is in the index.
        let head = unsafe { old.head() };
        let (before, counts) = (self.counts(head.weight), self.counts(new.weight));
        let place = head.place.load(Relaxed);
        if counts > before && self.is_bounded() {
            // Others have to make room, and it must not be among them.
            let in_main = self.shard.main.has(place);
            self.remove(hash, old);
            // SAFETY: as the caller says.
            unsafe { self.insert_into(new, arriving, None, in_main) };
            return true;
        }
        new.word |= head.word.load(Relaxed) & USES;
        self.shard.weight += u64::from(new.weight);
        self.shard.weight -= u64::from(head.weight);
        // SAFETY: as the caller says.
        let entry = unsafe { self.shard.slabs.place(&new, arriving) };
        // SAFETY: it has just been made.
        unsafe { entry.head() }.place.store(place, Relaxed);
        // SAFETY: see `Locked`.
        unsafe { self.index.replace(hash, old, entry) };
        if self.is_bounded() {
            self.queue(place).replace(place, entry, before - counts);
        }
        self.retire(old);
        true
    }

    fn queue(&mut self, place: u32) -> &mut Queue {
        if self.shard.main.has(place) { &mut self.shard.main } else { &mut self.shard.small }
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
            let (place, counts) = (head.place.load(Relaxed), self.counts(head.weight));
            self.queue(place).remove(place, counts);
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
        unsafe { self.shard.garbage.add(entry, entry.head().weight) };
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
        shard.garbage = old.garbage;
        // SAFETY: it is not the index's table any more, what was in it was in nothing else but the queues, and those
        // are gone as well.
        unsafe { shard.garbage.add_full(table, old.len, old.weight) };
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
        unsafe { self.shard.garbage.add_table(old) };
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

/// What leaves. All of these are for who holds the lock: see [`Locked`].
impl Shard {
    /// What an entry counts in the mean.
    #[inline]
    fn each(&self) -> u64 {
        if !self.share.bound.weighs() {
            return 1;
        }
        ((self.small.counted + self.main.counted) / (self.len as u64).max(1)).max(1)
    }

    /// Takes an entry out of its queue that is to leave.
    #[inline]
    fn evict(&mut self, new: &mut Newcomer) -> Option<Entry> {
        let each = self.each();
        let aim = self.portion.aim(each);
        let is_usual = new.away.is_none() && self.small.counted + each >= aim && self.main.len() > 0;
        if is_usual && let Some(entry) = self.small.pop() {
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            if head.word.load(Relaxed) & USES == 0 && !self.now.is_multiple_of(TURN) {
                self.small.counted -= self.share.bound.counts(head.weight);
                self.ghosts.add(head.hash, self.now, self.len);
                return Some(entry);
            }
            return self.judge(entry, aim, new.passes);
        }
        self.evict_in_full(new, each)
    }

    /// The same where the newcomer may be let into the main queue, or the queues are not as they should be.
    #[inline(never)]
    fn evict_in_full(&mut self, new: &mut Newcomer, each: u64) -> Option<Entry> {
        if self.main.len() == 0 && self.small.counted > self.portion.aim(each) {
            self.divide(each);
        }
        let aim = self.portion.aim(each);
        if let Some(away) = new.away.take()
            && self.main.len() > 0
        {
            // It has been in the small queue before it was away.
            let away = u64::from(away) + self.small.len() as u64;
            if self.small.counted > aim {
                new.to_main = true;
            } else if self.yields(PASSES, away, new.counts) {
                new.to_main = true;
                return self.pop_main();
            }
        }
        if self.main.len() > 0 && self.small.counted + each < aim {
            return self.evict_main(new.passes);
        }
        match self.small.pop() {
            Some(entry) => self.judge(entry, aim, new.passes),
            None => self.evict_main(new.passes),
        }
    }

    fn evict_main(&mut self, passes: usize) -> Option<Entry> {
        self.pass(passes);
        self.pop_main()
    }

    /// Whether one that has just been taken out of the small queue leaves, or another instead.
    #[inline(never)]
    fn judge(&mut self, first: Entry, aim: u64, passes: usize) -> Option<Entry> {
        // Readers could go on using what this sees for ever.
        let mut patience = self.small.len();
        let mut next = Some(first);
        while let Some(entry) = next {
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            let counts = self.share.bound.counts(head.weight);
            let is_over = self.small.counted > aim;
            self.small.counted -= counts;
            let word = head.word.load(Relaxed);
            let is_used = word & USES != 0;
            // A use that is counted just now may be lost: it makes little difference.
            let stays = is_used && patience > 0 && (is_over || self.main.len() == 0);
            let victim = if stays || self.main.len() == 0 {
                None
            } else if is_used {
                self.yields(PASSES, self.small.len() as u64 + 1, counts).then(|| self.pop_main()).flatten()
            } else {
                self.yields(PASSES_UNUSED, IDLE * self.len as u64, counts).then(|| self.pop_main()).flatten()
            };
            if !stays && victim.is_none() {
                self.ghosts.add(head.hash, self.now, self.len);
                return Some(entry);
            }
            if is_used {
                head.word.store(word & !USES, Relaxed);
            }
            if stays && !is_over {
                // SAFETY: it is in the index.
                unsafe { self.small.push(entry, counts, self.share.most()) };
            } else {
                self.push_main(entry, counts);
            }
            if victim.is_some() {
                return victim;
            }
            patience -= 1;
            next = self.small.pop();
        }
        self.evict_main(passes)
    }

    fn push_main(&mut self, entry: Entry, counts: u64) {
        // SAFETY: it is in the index.
        let place = unsafe { self.main.push(entry, counts, self.share.most()) };
        self.stamps.taken(place, self.main.len(), self.now);
    }

    /// Has all entries but the newest be the main queue.
    #[cold]
    #[inline(never)]
    fn divide(&mut self, each: u64) {
        std::mem::swap(&mut self.small, &mut self.main);
        let aim = self.portion.aim(each);
        let mut newest = Vec::new();
        let mut counted = 0;
        while counted < aim
            && let Some(entry) = self.main.pop_last()
        {
            // SAFETY: it is in the index.
            let counts = self.share.bound.counts(unsafe { entry.head() }.weight);
            counted += counts;
            newest.push((entry, counts));
        }
        self.main.counted -= counted;
        self.stamps.renew(self.main.len(), self.now);
        for (entry, counts) in newest.into_iter().rev() {
            // SAFETY: it is in the index.
            unsafe { self.small.push(entry, counts, self.share.most()) };
        }
    }

    /// Passes used entries of the main queue, so many at most; the first that is not used, and for how long.
    fn pass(&mut self, most: usize) -> Option<(Entry, u32)> {
        for passed in 0.. {
            let (entry, place) = self.main.first()?;
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            let word = head.word.load(Relaxed);
            if word & USES == 0 {
                return Some((entry, self.now.wrapping_sub(self.stamps.of(place))));
            }
            if passed == most {
                return None;
            }
            self.main.pop();
            // A use that is counted just now may be lost, or this be: it makes little difference.
            head.word.store(word - 1, Relaxed);
            // What it counts has stayed with the queue.
            self.push_main(entry, 0);
            self.portion.used(self.main.len(), self.len, self.share.limit);
        }
        None
    }

    /// Whether the next of the main queue to leave has been idle for longer, for what it counts, than something that
    /// counts this much.
    fn yields(&mut self, passes: usize, idle: u64, counts: u64) -> bool {
        let Some((entry, own)) = self.pass(passes) else { return false };
        // SAFETY: it is in the index.
        let weight = unsafe { entry.head() }.weight;
        u64::from(own).saturating_mul(self.share.bound.counts(weight)) > idle.saturating_mul(counts)
    }

    fn pop_main(&mut self) -> Option<Entry> {
        let entry = self.main.pop()?;
        // SAFETY: it is in the index.
        self.main.counted -= self.share.bound.counts(unsafe { entry.head() }.weight);
        Some(entry)
    }
}

/// Another share, for a store that is in use.
#[cfg(feature = "config")]
impl Locked<'_> {
    /// Goes by another share from now on. What is over it stays until it is [trimmed](Self::trim), or until an entry
    /// comes that needs room.
    pub(super) fn adopt(&mut self, share: Share) {
        let old = std::mem::replace(&mut self.shard.share, share);
        if old.tti != share.tti {
            // When they were read has not been kept, or the sweeper goes by another end of theirs.
            self.clear();
            self.shard.slabs = Slabs::new(self.shard.kind, share.is_timed());
            return;
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
    pub(super) fn trim(&mut self, most: usize) -> bool {
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
