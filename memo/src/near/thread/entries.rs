//! What one thread's table holds.
//!
//! The entries are in a list, in the order in which they came, and a hash table has their places there. So a table that
//! grows moves places of four bytes, not keys and results, and of the list only those pages are ever touched that have
//! entries: for results that are computed by the hundred thousand, fresh memory is what costs most.
//!
//! Each entry has its hash beside it, for the hash table to grow by, with two bits for what is evicted: a hand goes round
//! the list and passes an entry as often as it was used since the hand came by last (CLOCK). Lifetimes and weights are in
//! a list of their own, which is empty as long as no entry has one.

use std::mem::{needs_drop, replace};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hashbrown::{HashTable, hash_table};

use super::counts::{AS_ENTRIES, Counts, add};
use super::detail::Detail;
use super::mark::{Mark, Short};
use crate::clock::{NEVER, nanos};
use crate::near::limits::{Bound, Limits, ends};
use crate::near::lookup::{Fast, Lookup, Same};
use crate::near::retired::drop_retired;

/// Something that has left, to be dropped when the table is not borrowed any more.
pub(super) type Left<K, V> = Vec<(K, V)>;

/// See the [module](self).
pub(super) struct Entries<K, V> {
    /// Places in the list.
    places: HashTable<u32>,
    list: Vec<Entry<K, V>>,
    /// Of the same places, if `has_details`; else empty.
    details: Vec<Detail>,
    /// Below so many entries one more is put in without further ado. None is, if `has_details`.
    plain: usize,
    /// Whether a hit takes note of that: of its use, for the hand, or of its time.
    noted: bool,
    /// Whether any entry can expire.
    timed: bool,
    /// Whether weights count, or would under another bound.
    weighs: bool,
    hand: usize,
    /// Where the next entry is that may have expired.
    sweep: usize,
    /// What the entries [count](Bound::counts) together, if `has_details`; else each counts one.
    sum: u64,
    /// What they weigh together, if `has_details`.
    weight: u64,
    bound: Bound,
    tti: u64,
}

struct Entry<K, V> {
    key: K,
    value: V,
    mark: Mark,
}

/// A hash table of so many buckets is small.
const SMALL: usize = 256;

/// So much the list takes at once, if it is as good as known to grow to it.
const FEW_BYTES: usize = 4096;

impl<K, V> Entries<K, V> {
    pub(super) fn new(limits: &Limits) -> Self {
        let mut entries = Entries {
            places: HashTable::new(),
            list: Vec::new(),
            details: Vec::new(),
            plain: 0,
            noted: false,
            timed: false,
            weighs: false,
            hand: 0,
            sweep: 0,
            sum: 0,
            weight: 0,
            bound: Bound::new(limits, true),
            tti: limits.tti.map_or(NEVER, nanos),
        };
        entries.timed = entries.tti != NEVER;
        entries.settle();
        entries
    }

    /// Whether each entry has its [`Detail`].
    #[inline(always)]
    fn has_details(&self) -> bool {
        self.timed || self.weighs
    }

    /// Does what follows from the bound, and from whether there are lifetimes.
    fn settle(&mut self) {
        self.noted = self.bound.limit != NEVER || self.timed;
        self.weighs |= self.bound.weighs();
        if self.has_details() {
            self.plain = 0;
            let tti = self.tti;
            self.details.resize_with(self.list.len(), || Detail::new(1, None, tti));
            self.sum = self.details.iter().map(|detail| self.bound.counts(detail.weight)).sum();
            self.weight = self.details.iter().map(|detail| u64::from(detail.weight)).sum();
        } else {
            self.details = Vec::new();
            self.plain = usize::try_from(self.bound.limit).unwrap_or(usize::MAX).min(u32::MAX as usize);
        }
    }

    /// Holds itself to these limits from now on.
    #[cfg_attr(not(feature = "config"), allow(dead_code, reason = "limits change by a reload"))]
    pub(super) fn hold_to(&mut self, limits: &Limits, counts: &Counts, left: &mut Left<K, V>) {
        self.bound = Bound::new(limits, true);
        self.tti = limits.tti.map_or(NEVER, nanos);
        self.timed |= self.tti != NEVER;
        self.settle();
        while self.is_over(0) && !self.list.is_empty() {
            let place = self.next_to_go(counts);
            left.push(self.take(place));
        }
        self.tell(counts);
    }

    /// Drops all, each by itself: a panic in one `Drop` is not to keep the others.
    pub(super) fn drop_all(self)
    where
        K: 'static,
        V: 'static,
    {
        if needs_drop::<(K, V)>() {
            self.list.into_iter().for_each(|Entry { key, value, .. }| drop_retired((key, value)));
        }
    }

    /// Takes all out. What is small is used again as it is.
    pub(super) fn empty(&mut self, limits: &Limits) -> Self {
        let mut emptied = replace(self, Entries::new(limits));
        if emptied.places.num_buckets() <= SMALL {
            emptied.places.clear();
            self.places = std::mem::take(&mut emptied.places);
            let bytes = emptied.list.capacity().saturating_mul(size_of::<Entry<K, V>>());
            if !needs_drop::<(K, V)>() && bytes <= 2 * FEW_BYTES {
                emptied.list.clear();
                self.list = std::mem::take(&mut emptied.list);
            }
        }
        emptied
    }

    /// Says to all threads what is here.
    #[inline(always)]
    fn tell(&self, counts: &Counts) {
        counts.entries.store(self.list.len() as u64, Relaxed);
        if self.has_details() {
            counts.weight.store(if self.bound.weighs() { self.weight } else { AS_ENTRIES }, Relaxed);
        }
    }

    #[inline(always)]
    fn place<Q: Lookup<K>>(&self, hash: Short, query: &Q) -> Option<usize> {
        let is = |place: &u32| {
            self.list
                .get(*place as usize)
                .is_some_and(|entry| (Q::IS_CHEAP || entry.mark.hash() == hash) && query.matches(&entry.key))
        };
        self.places.find(hash.spread(), is).map(|place| *place as usize)
    }

    /// The look-up of a hit as it is where there is no lifetime.
    #[inline(always)]
    pub(super) fn get_fast<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Fast<V>
    where
        V: Clone,
    {
        match self.place(Short::of(hash), query).and_then(|place| self.list.get(place)) {
            None => Fast::Miss,
            Some(entry) => {
                if self.noted {
                    if self.timed {
                        return Fast::Slow;
                    }
                    entry.mark.use_now();
                }
                Fast::Hit(entry.value.clone())
            }
        }
    }

    /// The result of an entry that has not expired, or that there is one that has. `uses`: it is used by that.
    pub(super) fn get<Q: Lookup<K>>(&self, hash: u64, query: &Q, uses: bool) -> Result<V, Expired>
    where
        V: Clone,
    {
        let place = self.place(Short::of(hash), query).ok_or(Expired(false))?;
        let entry = &self.list[place];
        if let Some(detail) = self.details.get(place) {
            let now = detail.now(self.tti);
            if now >= ends(detail.deadline, detail.read.get(), self.tti) {
                return Err(Expired(true));
            }
            if uses {
                detail.read.set(detail.read.get().max(now));
            }
        }
        if uses {
            entry.mark.use_now();
        }
        Ok(entry.value.clone())
    }

    fn is_alive(&self, place: usize) -> bool {
        match self.details.get(place) {
            Some(detail) => detail.now(self.tti) < ends(detail.deadline, detail.read.get(), self.tti),
            None => true,
        }
    }

    /// Takes out what `query` finds, and tells whether it had not expired.
    pub(super) fn remove<Q: Lookup<K>>(
        &mut self,
        hash: u64,
        query: &Q,
        counts: &Counts,
    ) -> (Option<(K, V)>, bool) {
        let Some(place) = self.place(Short::of(hash), query) else { return (None, false) };
        let alive = self.is_alive(place);
        if !alive {
            add(&counts.expired, 1);
        }
        let removed = self.take(place);
        self.tell(counts);
        (Some(removed), alive)
    }

    /// Whether one more entry without a lifetime, of weight 1, is put in by [`insert_plain`](Self::insert_plain).
    #[inline(always)]
    pub(super) fn is_plain(&self) -> bool {
        self.list.len() < self.plain
    }

    /// Puts one in where it [is plain](Self::is_plain), and gives back what was there.
    #[inline(always)]
    pub(super) fn insert_plain(&mut self, hash: Short, key: K, value: V, counts: &Counts) -> Option<(K, V)>
    where
        K: Eq,
    {
        let entry = Entry { key, value, mark: Mark::new(hash) };
        if self.places.len() == self.places.capacity() {
            self.grow();
        }
        let list = &mut self.list;
        let is = |place: &u32| {
            let there = list.get(*place as usize);
            there.is_some_and(|there| there.mark.hash() == hash && there.key == entry.key)
        };
        let hash_at = |place: &u32| list.get(*place as usize).map_or(0, |there| there.mark.hash().spread());
        match self.places.entry(hash.spread(), is, hash_at) {
            hash_table::Entry::Vacant(vacant) => {
                // below 2^32, by `plain`
                vacant.insert(list.len() as u32);
                list.push(entry);
                counts.entries.store(list.len() as u64, Relaxed);
                None
            }
            hash_table::Entry::Occupied(there) => {
                let Entry { key, value, .. } = replace(&mut list[*there.get() as usize], entry);
                Some((key, value))
            }
        }
    }

    /// Makes room for places. As long as the hash table is small, it becomes four times as large: half as many moves, and
    /// half as much memory touched on the way to a large one.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        /// Of so many buckets, it is large: more than a megabyte.
        const LARGE: usize = 1 << 18;
        let buckets = self.places.num_buckets();
        let full = buckets / 8 * 7;
        let capacity = match full {
            0 => 56,
            // much of it is what the places of removed entries have left
            _ if self.list.len() <= full / 2 => full,
            _ if buckets < LARGE => full * 4,
            _ => full * 2,
        };
        // a list grows in small steps at first, which it need not where it is as good as known to be longer
        let small = FEW_BYTES / size_of::<Entry<K, V>>().max(1);
        self.list.reserve(capacity.min(small).saturating_sub(self.list.len()));
        let mut places = HashTable::with_capacity(capacity);
        for (place, entry) in self.list.iter().enumerate() {
            places.insert_unique(entry.mark.hash().spread(), place as u32, |_| {
                unreachable!("it is large enough")
            });
        }
        self.places = places;
    }

    /// Puts one in, whatever it and the table are.
    #[allow(clippy::too_many_arguments, reason = "what an entry is made of, and where it is told")]
    #[inline(never)]
    pub(super) fn insert(
        &mut self,
        hash: Short,
        key: K,
        value: V,
        weight: u32,
        lifetime: Option<Duration>,
        counts: &Counts,
        left: &mut Left<K, V>,
    ) where
        K: Eq,
    {
        if let Some(place) = self.place(hash, &Same(&key)) {
            left.push(self.take(place));
        }
        if (lifetime.is_some() && !self.timed) || (weight != 1 && !self.weighs) {
            self.timed |= lifetime.is_some();
            self.weighs |= weight != 1;
            self.settle();
        }
        if self.timed {
            // what has expired leaves as others come, a little faster than they do
            self.sweep(2, counts, left);
        }
        if lifetime == Some(Duration::ZERO) || !self.bound.admits(weight) {
            left.push((key, value));
        } else {
            let detail = self.has_details().then(|| Detail::new(weight, lifetime, self.tti));
            self.put(Entry { key, value, mark: Mark::new(hash) }, detail, counts, left);
        }
        self.tell(counts);
    }

    /// Evicts until there is room for this one, and puts it in: in the place of the last that was evicted.
    fn put(&mut self, entry: Entry<K, V>, detail: Option<Detail>, counts: &Counts, left: &mut Left<K, V>) {
        let weight = detail.as_ref().map_or(1, |detail| detail.weight);
        let more = self.bound.counts(weight);
        let hash = entry.mark.hash();
        let mut place = self.list.len();
        while self.is_over(more) && !self.list.is_empty() {
            let next = self.next_to_go(counts);
            left.push(self.take(next));
            place = next;
        }
        self.list.push(entry);
        if let Some(detail) = detail {
            self.details.push(detail);
            self.sum += more;
            self.weight += u64::from(weight);
        }
        let last = self.list.len() - 1;
        let list = &self.list;
        self.places.insert_unique(hash.spread(), last as u32, |place| {
            list.get(*place as usize).map_or(0, |entry| entry.mark.hash().spread())
        });
        if place < last {
            // where the hand has just been, so that it comes by there last
            self.swap(place, last);
        }
    }

    /// Has two entries change places.
    fn swap(&mut self, one: usize, other: usize) {
        let slot = |place: usize| {
            let hash = self.list[place].mark.hash().spread();
            self.places.find_bucket_index(hash, |at| *at as usize == place)
        };
        let (Some(first), Some(second)) = (slot(one), slot(other)) else { return };
        for (bucket, place) in [(first, other), (second, one)] {
            if let Some(at) = self.places.get_bucket_mut(bucket) {
                *at = place as u32;
            }
        }
        self.list.swap(one, other);
        if self.has_details() {
            self.details.swap(one, other);
        }
    }

    /// Takes an entry out. The last one is in its place then.
    fn take(&mut self, place: usize) -> (K, V) {
        let Entry { key, value, mark } = self.list.swap_remove(place);
        if let Ok(found) = self.places.find_entry(mark.hash().spread(), |at| *at as usize == place) {
            found.remove();
        }
        let last = self.list.len();
        if let Some(moved) = self.list.get(place)
            && let Some(at) = self.places.find_mut(moved.mark.hash().spread(), |at| *at as usize == last)
        {
            *at = place as u32;
        }
        if self.has_details() {
            let Detail { weight, .. } = self.details.swap_remove(place);
            self.sum -= self.bound.counts(weight);
            self.weight -= u64::from(weight);
        }
        (key, value)
    }

    /// Whether the entries are more than the bound allows, with so much more.
    fn is_over(&self, more: u64) -> bool {
        let sum = if self.has_details() { self.sum } else { self.list.len() as u64 };
        sum.saturating_add(more) > self.bound.limit || self.list.len() >= u32::MAX as usize
    }

    /// The place of the entry that makes room next, and counts it. There is one.
    fn next_to_go(&mut self, counts: &Counts) -> usize {
        loop {
            if self.hand >= self.list.len() {
                self.hand = 0;
            }
            let place = self.hand;
            self.hand += 1;
            let alive = !self.timed || self.is_alive(place);
            if alive && self.list[place].mark.unuse() {
                continue;
            }
            add(if alive { &counts.evicted } else { &counts.expired }, 1);
            return place;
        }
    }

    /// Looks whether the next entries of the list have expired, at so many places.
    fn sweep(&mut self, places: usize, counts: &Counts, left: &mut Left<K, V>) {
        for _ in 0..places.min(self.list.len()) {
            if self.sweep >= self.list.len() {
                self.sweep = 0;
            }
            if self.is_alive(self.sweep) {
                self.sweep += 1;
            } else {
                // the last one is there next
                add(&counts.expired, 1);
                left.push(self.take(self.sweep));
            }
        }
    }

    /// Drops what has expired.
    pub(super) fn sweep_all(&mut self, counts: &Counts, left: &mut Left<K, V>) {
        if self.timed {
            self.sweep(self.list.len(), counts, left);
            self.tell(counts);
        }
    }
}

/// Nothing was found; true if something was that has expired.
pub(super) struct Expired(pub(super) bool);
