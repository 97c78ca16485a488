//! The shards of a store: an index each, and under a lock what only writers need, the queues first of all.
//!
//! # What leaves first
//!
//! S3-FIFO (Yang et al., SOSP 2023): newcomers go through a small queue. Those that have been used by its end move to
//! the main queue, where use is counted to three and each round takes one off; those that have not, leave, and are
//! remembered for a while by their hash alone. One that comes back then goes to the main queue directly. A scan
//! thus passes through the small queue only. Using an entry writes nothing but its own count, and
//! that only up to three times.

use super::garbage::{Garbage, Graveyard};
use super::index::{Entry, Found, Index, New, SHARD_BITS, Spares, Table, USES};
use super::readers::Reading;
use crate::clock::NEVER;
use crate::near::Bound;
use crate::sync::{Mutex, MutexGuard, lock};
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

/// There are at most so many shards.
pub(super) const MOST: usize = if cfg!(memo_shuttle) { 2 } else { 1 << SHARD_BITS };

/// In a place: it is one in the main queue.
const MAIN: u32 = 1 << 31;

/// What one shard of a store is held to: all of them to the same, but while that is changed.
#[derive(Clone, Copy)]
pub(super) struct Share {
    bound: Bound,
    /// What the entries may count.
    limit: u64,
    /// What the small queue may count, where all entries count the same.
    small: u64,
    /// As many taken out are a batch.
    batch: usize,
    /// How long an entry stays without being read.
    tti: u64,
}

impl Share {
    /// That of one among `shards` in the bound. `batch`: see there.
    pub(super) fn new(bound: Bound, shards: usize, batch: usize, tti: u64) -> Self {
        let limit = if bound.limit == NEVER { NEVER } else { bound.limit / shards as u64 };
        Share { bound, limit, small: small_share(limit, 1), batch, tti }
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

/// Entries in the order they came in. What leaves from the middle leaves a hole.
struct Queue<K, V> {
    line: VecDeque<Option<Entry<K, V>>>,
    /// How many have left at the front; places are counted from the beginning of time, in 31 bits.
    gone: u32,
    holes: usize,
    /// What all of them count.
    counted: u64,
    mark: u32,
}

impl<K, V> Queue<K, V> {
    fn new(mark: u32) -> Self {
        Queue { line: VecDeque::new(), gone: 0, holes: 0, counted: 0, mark }
    }

    fn len(&self) -> usize {
        self.line.len() - self.holes
    }

    fn place(&self, at: usize) -> u32 {
        self.gone.wrapping_add(at as u32) & !MAIN | self.mark
    }

    fn at(&self, place: u32) -> usize {
        (place.wrapping_sub(self.gone) & !MAIN) as usize
    }

    /// `most`: how many there will be, as far as that is known.
    ///
    /// # Safety
    ///
    /// The entry is not freed before it has left the queue.
    #[inline]
    unsafe fn push(&mut self, entry: Entry<K, V>, counts: u64, most: usize) {
        if self.line.len() == self.line.capacity() {
            self.grow(most);
        }
        // SAFETY: not freed, as the caller says.
        unsafe { entry.node() }.place.store(self.place(self.line.len()), Relaxed);
        self.line.push_back(Some(entry));
        self.counted += counts;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, most: usize) {
        // Not beyond what is needed, as a vector would.
        let more = self.line.len().max(8);
        self.line.reserve_exact(more.min(most.saturating_sub(self.line.len())).max(more / 8 + 1));
    }

    #[inline]
    fn pop(&mut self) -> Option<Entry<K, V>> {
        while let Some(first) = self.line.pop_front() {
            self.gone = self.gone.wrapping_add(1);
            if first.is_some() {
                return first;
            }
            self.holes -= 1;
        }
        None
    }

    fn remove(&mut self, place: u32, counts: u64) {
        let at = self.at(place);
        self.line[at] = None;
        self.holes += 1;
        self.counted -= counts;
        if self.holes > 16 + self.len() / 4 {
            self.close();
        }
    }

    #[cfg(feature = "config")]
    fn count_anew(&mut self, bound: &Bound) {
        let entries = self.line.iter().flatten();
        // SAFETY: not freed as long as it is in the queue, says who has put it there.
        self.counted = entries.map(|entry| bound.counts(unsafe { entry.node() }.weight)).sum();
    }

    /// Closes the holes.
    #[cold]
    fn close(&mut self) {
        self.line.retain(Option::is_some);
        self.holes = 0;
        for (at, entry) in self.line.iter().enumerate() {
            if let Some(entry) = entry {
                // SAFETY: not freed as long as it is in the queue, says who has put it there.
                unsafe { entry.node() }.place.store(self.place(at), Relaxed);
            }
        }
    }
}

/// What has left without being used, by some bits of each hash. Who comes there later takes the place.
#[derive(Default)]
struct Ghosts(Vec<u32>);

impl Ghosts {
    fn of(&self, hash: u64) -> (usize, u32) {
        ((hash >> SHARD_BITS) as usize & (self.0.len() - 1), (hash >> 32) as u32 | 1)
    }

    /// `live`: how many entries there are.
    #[inline]
    fn add(&mut self, hash: u64, live: usize) {
        if self.0.len() < live / 2 || self.0.is_empty() {
            self.grow(live);
        }
        let (at, ghost) = self.of(hash);
        self.0[at] = ghost;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, live: usize) {
        // Between half as many as there are entries and as many.
        self.0 = vec![0; (live / 2).next_power_of_two().max(8)];
    }

    #[inline]
    fn take(&mut self, hash: u64) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (at, ghost) = self.of(hash);
        let known = self.0[at] == ghost;
        if known {
            self.0[at] = 0;
        }
        known
    }
}

/// What is under the lock of a shard.
struct Shard<K, V> {
    share: Share,
    len: usize,
    weight: u64,
    small: Queue<K, V>,
    main: Queue<K, V>,
    ghosts: Ghosts,
    /// Counters of the table that have got stuck since it was built.
    stuck: usize,
    garbage: Garbage<K, V>,
    spares: Spares<K, V>,
    evicted: u64,
    expired: u64,
}

// SAFETY: what the addresses in it lead to is owned by the store, keys and values, as a map would own them.
unsafe impl<K: Send, V: Send> Send for Shard<K, V> {}

impl<K: 'static, V: 'static> Shard<K, V> {
    fn new(share: Share) -> Self {
        Shard {
            share,
            len: 0,
            weight: 0,
            small: Queue::new(0),
            main: Queue::new(MAIN),
            ghosts: Ghosts::default(),
            stuck: 0,
            garbage: Garbage::default(),
            spares: Spares::new(share.is_timed()),
            evicted: 0,
            expired: 0,
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
}

/// On cache lines of its own.
#[repr(align(128))]
struct Apart<T>(T);

type Lock<K, V> = Apart<Mutex<Shard<K, V>>>;

/// All shards of a store.
///
/// The indices stand together and apart from the locks: readers come to the former only, and these are written but
/// when a table is replaced.
pub(super) struct Shards<K, V> {
    indices: Apart<[Index<K, V>; MOST]>,
    /// The number of shards less one, less than [`MOST`]; never changed.
    mask: usize,
    locked: Box<[Lock<K, V>]>,
}

// SAFETY: keys and values are shared by reference with readers, and dropped by whichever thread frees them.
unsafe impl<K: Send + Sync, V: Send + Sync> Send for Shards<K, V> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, V: Send + Sync> Sync for Shards<K, V> {}

impl<K: 'static, V: 'static> Shards<K, V> {
    /// `count`: a power of two, at most [`MOST`].
    pub(super) fn new(count: usize, share: Share) -> Self {
        assert!(count.is_power_of_two() && count <= MOST);
        Shards {
            // Those beyond `count` are never used, and share nothing that would be made for them.
            indices: Apart(std::array::from_fn(|at| if at < count { Index::new() } else { Index::none() })),
            mask: count - 1,
            locked: (0..count).map(|_| Apart(Mutex::new(Shard::new(share)))).collect(),
        }
    }

    #[inline(always)]
    fn number(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }

    /// Where an entry with this hash is found.
    #[inline(always)]
    pub(super) fn index(&self, hash: u64) -> &Index<K, V> {
        // SAFETY: `number` is not more than `mask`, which is less than `MOST`.
        unsafe { self.indices.0.get_unchecked(self.number(hash)) }
    }

    pub(super) fn indices(&self) -> &[Index<K, V>] {
        &self.indices.0[..=self.mask]
    }

    pub(super) fn lock(&self, hash: u64) -> Locked<'_, K, V> {
        self.lock_number(self.number(hash))
    }

    pub(super) fn lock_number(&self, number: usize) -> Locked<'_, K, V> {
        Locked { index: &self.indices.0[number], shard: lock(&self.locked[number].0) }
    }

    /// Each shard locked, one after the other.
    pub(super) fn each(&self) -> impl Iterator<Item = Locked<'_, K, V>> {
        (0..=self.mask).map(|number| self.lock_number(number))
    }

    pub(super) fn sums(&self) -> Sums {
        self.each().fold(Sums::default(), |sums, Locked { shard, .. }| Sums {
            len: sums.len + shard.len as u64,
            weight: sums.weight + if shard.share.bound.weighs() { shard.weight } else { shard.len as u64 },
            evicted: sums.evicted + shard.evicted,
            expired: sums.expired + shard.expired,
        })
    }
}

impl<K, V> Drop for Shards<K, V> {
    fn drop(&mut self) {
        // `Memory` has cleared them; what is left are the empty tables.
        for index in &self.indices.0[..=self.mask] {
            // SAFETY: there is no reader of this store any more, as it is being dropped.
            unsafe { index.table().free() };
        }
    }
}

/// What a small queue may count before those at its end have to leave: one hundredth, but at least a few entries.
fn small_share(limit: u64, each: u64) -> u64 {
    (limit / 100).max((4 * each).min(limit / 4))
}

/// A shard whose lock is held. No code of the user's runs in here.
///
/// All entries in its queues are in its index, and nothing is freed while the lock is held that was in the index at any
/// time since it has been taken: garbage goes to the graveyard by [`unlock`](Self::unlock) only. Only the
/// holder of the lock writes the index. So the safety demands of [`Index`] and [`Queue`] are met throughout.
pub(super) struct Locked<'s, K, V> {
    index: &'s Index<K, V>,
    shard: MutexGuard<'s, Shard<K, V>>,
}

impl<K: 'static, V: 'static> Locked<'_, K, V> {
    /// Gives the lock back, and out what there is to be freed, once it is enough; `all`: however little.
    #[inline]
    pub(super) fn unlock(mut self, all: bool) -> Option<Garbage<K, V>> {
        let Share { batch, bound, .. } = self.shard.share;
        let few = self.shard.garbage.is_only_entries(batch);
        (!few || all || bound.weighs()).then(|| self.take_garbage()).flatten()
    }

    #[cold]
    #[inline(never)]
    fn take_garbage(&mut self) -> Option<Garbage<K, V>> {
        let batch = self.shard.share.batch;
        let garbage = &mut self.shard.garbage;
        (!garbage.is_empty()).then(|| std::mem::replace(garbage, Garbage::with_room_for(batch)))
    }

    /// Sees to it that there is a place for an entry without asking for memory, if the graveyard has some.
    #[inline]
    pub(super) fn fetch_spares(&mut self, from: &Graveyard<K, V>) {
        if self.shard.spares.len() == 0 && self.shard.evicted != 0 {
            from.spare(self.shard.share.batch, &mut self.shard.spares);
        }
    }

    /// Whether there is an entry with this hash.
    #[inline]
    pub(super) fn has(&self, hash: u64) -> bool {
        // SAFETY: see `Locked`.
        unsafe { self.index.find_locked(hash, |_| true) }.is_some()
    }

    /// The entry with this hash for which `is` holds, which must not be code of the user's.
    pub(super) fn find<'r>(
        &self,
        reading: &'r Reading,
        hash: u64,
        is: impl FnMut(Found<'r, K, V>) -> bool,
    ) -> Option<Found<'r, K, V>> {
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
    pub(super) fn admits(&self, new: &New<'_, K, V>) -> bool {
        let Share { bound, tti, .. } = self.shard.share;
        bound.admits(new.weight) && new.tti == tti
    }

    /// Puts in an entry whose key is not in here, and makes room for it.
    #[inline(always)]
    pub(super) fn insert(&mut self, node: New<'_, K, V>) {
        let returns = self.is_bounded() && self.shard.ghosts.take(node.hash);
        self.insert_into(node, returns);
    }

    #[inline(always)]
    fn insert_into(&mut self, node: New<'_, K, V>, to_main: bool) {
        let (hash, weight, counts) = (node.hash, node.weight, self.counts(node.weight));
        if self.is_bounded() {
            self.make_room(counts);
        }
        let groups = self.index.table().groups();
        if self.shard.len >= Index::<K, V>::room(groups) {
            self.rebuild(groups * 2);
        } else if self.shard.stuck > 8 + groups / 16 {
            self.rebuild(groups);
        }
        let entry = self.shard.spares.place(node);
        // SAFETY: see `Locked`; there is room, three quarters at most being taken.
        self.shard.stuck += usize::from(unsafe { self.index.insert(hash, entry) });
        self.shard.len += 1;
        self.shard.weight += u64::from(weight);
        if self.is_bounded() {
            let most = self.shard.share.most();
            let shard = &mut *self.shard;
            let queue = if to_main { &mut shard.main } else { &mut shard.small };
            // SAFETY: see `Locked`.
            unsafe { queue.push(entry, counts, most) };
        }
    }

    /// Puts an entry in the place of another with the same key. False if that is not in here any more: then nothing
    /// has happened, and the caller has the new one back.
    pub(super) fn replace<'v>(&mut self, old: Entry<K, V>, new: New<'v, K, V>) -> Result<(), New<'v, K, V>> {
        let hash = new.hash;
        // SAFETY: see `Locked`.
        if !unsafe { self.index.holds(hash, old) } {
            return Err(new);
        }
        // SAFETY: it is in the index.
        let node = unsafe { old.node() };
        let (before, counts) = (self.counts(node.weight), self.counts(new.weight));
        let place = node.place.load(Relaxed);
        if counts > before && self.is_bounded() {
            // Others have to make room, and it must not be among them.
            self.remove(hash, old);
            self.insert_into(new, place & MAIN != 0);
            return Ok(());
        }
        let mut new = new;
        new.word |= node.word.load(Relaxed) & USES;
        self.shard.weight += u64::from(new.weight);
        self.shard.weight -= u64::from(node.weight);
        let new = self.shard.spares.place(new);
        // SAFETY: it has just been made.
        unsafe { new.node() }.place.store(place, Relaxed);
        // SAFETY: see `Locked`.
        unsafe { self.index.replace(hash, old, new) };
        if self.is_bounded() {
            let queue = self.queue(place);
            let at = queue.at(place);
            queue.line[at] = Some(new);
            queue.counted -= before - counts;
        }
        self.retire(old);
        Ok(())
    }

    fn queue(&mut self, place: u32) -> &mut Queue<K, V> {
        if place & MAIN != 0 { &mut self.shard.main } else { &mut self.shard.small }
    }

    /// Takes out an entry with this hash; false if it is not in here any more.
    pub(super) fn remove(&mut self, hash: u64, entry: Entry<K, V>) -> bool {
        // SAFETY: see `Locked`.
        if !unsafe { self.index.holds(hash, entry) } {
            return false;
        }
        if self.is_bounded() {
            // SAFETY: it is in the index.
            let node = unsafe { entry.node() };
            let (place, counts) = (node.place.load(Relaxed), self.counts(node.weight));
            self.queue(place).remove(place, counts);
        }
        self.take_out(hash, entry);
        true
    }

    /// Takes an entry, which is not in a queue any more, out of the index.
    #[inline]
    fn take_out(&mut self, hash: u64, entry: Entry<K, V>) {
        // SAFETY: see `Locked`.
        unsafe { self.index.remove(hash, entry) };
        // SAFETY: taken out just now, and freed not before the lock has been given back.
        let weight = unsafe { entry.node() }.weight;
        self.shard.len -= 1;
        self.shard.weight -= u64::from(weight);
        self.retire(entry);
    }

    fn retire(&mut self, entry: Entry<K, V>) {
        // SAFETY: it has been taken out of the index, and it is in no queue.
        unsafe { self.shard.garbage.add(entry, entry.node().weight) };
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
        if shard.len == 0 && self.index.table().groups() <= Table::<K, V>::LEAST {
            return;
        }
        // SAFETY: see `Locked`.
        let table = unsafe { self.index.renew() };
        let fresh = Shard { evicted: shard.evicted, expired: shard.expired, ..Shard::new(shard.share) };
        let old = std::mem::replace(shard, fresh);
        shard.garbage = old.garbage;
        // SAFETY: it is not the index's table any more, what was in it was in nothing else but the queues, and those
        // are gone as well.
        unsafe { shard.garbage.add_full(table, old.len, old.weight) };
    }

    /// Gives memory back, where many have left; whether it did.
    pub(super) fn shrink(&mut self) -> bool {
        let groups = self.index.table().groups();
        let is_sparse = groups > 16 && self.shard.len < Index::<K, V>::room(groups) / 8;
        if is_sparse {
            self.rebuild(groups / 4);
            self.shard.small.line.shrink_to_fit();
            self.shard.main.line.shrink_to_fit();
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

    /// Evicts until there is room for something that counts this much.
    #[inline]
    fn make_room(&mut self, counts: u64) {
        while self.counted() + counts > self.shard.share.limit {
            if !self.evict_one() {
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
    fn evict_one(&mut self) -> bool {
        let Some(entry) = self.evict() else { return false };
        // SAFETY: it is in the index.
        let hash = unsafe { entry.node() }.hash;
        self.take_out(hash, entry);
        self.shard.evicted += 1;
        true
    }

    #[inline]
    fn small_share(&self) -> u64 {
        let Share { bound, limit, small, .. } = self.shard.share;
        if !bound.weighs() {
            return small;
        }
        small_share(limit, self.counted() / (self.shard.len as u64).max(1))
    }

    /// Takes an entry out of its queue that is to leave.
    fn evict(&mut self) -> Option<Entry<K, V>> {
        let share = self.small_share();
        let shard = &mut *self.shard;
        let (bound, most) = (shard.share.bound, shard.share.most());
        // Readers could go on using what this sees for ever.
        let mut patience = 4 * shard.len + 4;
        loop {
            let from_small = shard.small.len() > 0 && (shard.small.counted > share || shard.main.len() == 0);
            let queue = if from_small { &mut shard.small } else { &mut shard.main };
            let entry = queue.pop()?;
            // SAFETY: it is in the index.
            let node = unsafe { entry.node() };
            let counts = bound.counts(node.weight);
            queue.counted -= counts;
            let word = node.word.load(Relaxed);
            let uses = word & USES;
            if uses == 0 || patience == 0 {
                // Those that will be next are brought near meanwhile, the first of them with its group.
                if let Some(Some(first)) = queue.line.front() {
                    // SAFETY: it is in the index.
                    self.index.prefetch(unsafe { first.node() }.hash);
                }
                if let Some(Some(second)) = queue.line.get(1) {
                    second.prefetch();
                }
                if from_small {
                    shard.ghosts.add(node.hash, shard.len);
                }
                return Some(entry);
            }
            patience -= 1;
            // A use that is counted just now may be lost, or this be: it makes little difference.
            node.word.store(if from_small { word & !USES } else { word - 1 }, Relaxed);
            // SAFETY: see `Locked`.
            unsafe { shard.main.push(entry, counts, most) };
        }
    }
}

/// Another share, for a store that is in use.
#[cfg(feature = "config")]
impl<K: 'static, V: 'static> Locked<'_, K, V> {
    /// Goes by another share from now on. What is over it stays until it is [trimmed](Self::trim), or until an entry
    /// comes that needs room.
    pub(super) fn adopt(&mut self, share: Share) {
        let old = std::mem::replace(&mut self.shard.share, share);
        if old.tti != share.tti {
            // When they were read has not been kept, or the sweeper goes by another end of theirs.
            self.clear();
            self.shard.spares = Spares::new(share.is_timed());
            return;
        }
        if !share.is_bounded() {
            let shard = &mut *self.shard;
            (shard.small, shard.main, shard.ghosts) = (Queue::new(0), Queue::new(MAIN), Ghosts::default());
        } else if !old.is_bounded() {
            self.enqueue_all();
        } else if !old.bound.counts_as(&share.bound) {
            let shard = &mut *self.shard;
            shard.small.count_anew(&share.bound);
            shard.main.count_anew(&share.bound);
        }
        if self.shard.ghosts.0.len() > share.most().saturating_mul(2) {
            self.shard.ghosts = Ghosts::default();
        }
        if share.bound.weighs() {
            // Those that would be let in no more are first to go, before they drive out others.
            for entry in self.too_heavy() {
                // SAFETY: it is in the index.
                let hash = unsafe { entry.node() }.hash;
                self.remove(hash, entry);
                self.shard.evicted += 1;
            }
        }
    }

    /// Puts all entries into the main queue, where there were no queues.
    fn enqueue_all(&mut self) {
        let table = self.index.table();
        let shard = &mut *self.shard;
        let (bound, most) = (shard.share.bound, shard.share.most().min(shard.len));
        // SAFETY: see `Locked`.
        unsafe {
            table.each(|entry| shard.main.push(entry, bound.counts(entry.node().weight), most));
        }
    }

    fn too_heavy(&self) -> Vec<Entry<K, V>> {
        let Shard { small, main, share, .. } = &*self.shard;
        let entries = small.line.iter().chain(&main.line).flatten().copied();
        // SAFETY: they are in the index.
        entries.filter(|entry| !share.bound.admits(unsafe { entry.node() }.weight)).collect()
    }

    /// Evicts what is over the share, at most so many, and then gives memory back; whether that is done.
    pub(super) fn trim(&mut self, most: usize) -> bool {
        for _ in 0..most {
            if !self.is_bounded() || self.counted() <= self.shard.share.limit || !self.evict_one() {
                while self.shrink() {}
                return true;
            }
        }
        false
    }
}
