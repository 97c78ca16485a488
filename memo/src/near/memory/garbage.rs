//! What has been taken out of an index, until nobody can see it any more.
//!
//! Shards hand it over in batches. Enough of them together are worth a [`Grace`], whose beginning is dear; when that is
//! over they are freed, with no lock held. Nobody waits for it: what readers still see stays for somebody else to free,
//! later. How much may stay is bounded, see [`Graveyard::has_room`].

use super::entry::Entry;
use super::index::Table;
use super::kind::Kind;
use super::readers::{Grace, is_reading};
use super::slabs::Slabs;
use crate::fork::HeldOff;
use crate::sweep::hold_off_for_sweeper;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, MutexGuard, lock};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// Entries and tables that no new reader finds, owned from here on. Leaked if it is not [freed](Self::free).
#[derive(Default)]
pub(super) struct Garbage {
    entries: Vec<Entry>,
    /// Tables whose entries have gone elsewhere.
    tables: Vec<Table>,
    /// Tables with all that is in them, and how many entries that is.
    full: Vec<(Table, usize)>,
    /// The weight of all entries.
    weight: u64,
}

// SAFETY: it owns what the addresses lead to, keys and values, as a vector would; and those of any kind may be sent.
unsafe impl Send for Garbage {}

impl Garbage {
    /// # Safety
    ///
    /// The entry has been taken out of its index, and is known to nobody but readers that are at work already.
    #[inline]
    pub(super) unsafe fn add(&mut self, entry: Entry, weight: u32) {
        self.entries.push(entry);
        self.weight += u64::from(weight);
    }

    /// # Safety
    ///
    /// The table is no longer that of its index, and known to nobody but readers that are at work already. What was in
    /// it still is in the index.
    pub(super) unsafe fn add_table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// # Safety
    ///
    /// The table is no longer that of its index, and known to nobody but readers that are at work already; and so are
    /// the `len` entries in it, which weigh `weight`.
    pub(super) unsafe fn add_full(&mut self, table: Table, len: usize, weight: u64) {
        self.full.push((table, len));
        self.weight += weight;
    }

    pub(super) fn with_room_for(entries: usize) -> Self {
        Garbage { entries: Vec::with_capacity(entries), ..Garbage::default() }
    }

    /// Whether it is fewer entries than this, and nothing else.
    #[inline]
    pub(super) fn is_only_entries(&self, fewer: usize) -> bool {
        self.entries.len() < fewer && self.full.is_empty() && self.tables.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.tables.is_empty() && self.full.is_empty()
    }

    /// How many entries it is.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.full.iter().map(|(_, len)| len).sum::<usize>()
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Whether there is something of a size worth freeing at once.
    pub(super) fn is_large(&self) -> bool {
        const LARGE: usize = 64;
        !self.full.is_empty() || self.tables.iter().any(|table| table.groups() >= LARGE)
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.weight += other.weight;
        match self.entries.is_empty() {
            true => self.entries = other.entries,
            false => self.entries.append(&mut other.entries),
        }
        self.tables.append(&mut other.tables);
        self.full.append(&mut other.full);
    }

    /// Frees it, and drops keys and values. The memory of entries goes to the slabs.
    ///
    /// # Safety
    ///
    /// No reader sees it any more, and the slabs are of its kind.
    pub(super) unsafe fn free(self, slabs: &mut Slabs) {
        let mut free = |entry: Entry| {
            // SAFETY: it was ours but for readers, says who put it in, and these are gone, says the caller.
            unsafe { slabs.vacate(entry) };
        };
        self.entries.into_iter().for_each(&mut free);
        for (table, _) in self.full {
            // SAFETY: as above. The addresses of freed entries in it are not followed.
            unsafe {
                table.each(&mut free);
                table.free();
            }
        }
        for table in self.tables {
            // SAFETY: as above.
            unsafe { table.free() };
        }
    }
}

/// All garbage of a store.
pub(super) struct Graveyard {
    kind: &'static Kind,
    pile: Mutex<Pile>,
    /// How many entries are neither in the store nor freed.
    held: AtomicUsize,
    /// What these weigh.
    held_weight: AtomicU64,
    /// Somebody has waited for readers in vain, and it is as full as it was.
    in_vain: AtomicBool,
    worth: AtomicUsize,
    worth_weight: AtomicU64,
    most: AtomicUsize,
    most_weight: AtomicU64,
    timed: AtomicBool,
}

/// How a graveyard is run.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// So many entries are worth the beginning of a grace.
    pub worth: usize,
    /// So much weight as well.
    pub worth_weight: u64,
    /// No more than so many are to be held.
    pub most: usize,
    /// Nor more weight than this.
    pub most_weight: u64,
    /// Whether entries of the store have room for the time of their last read.
    pub timed: bool,
}

struct Pile {
    /// What came since the last grace began.
    fresh: Garbage,
    waiting: Vec<(Grace, Garbage)>,
    /// What was freed, for shards that need a place.
    slabs: Slabs,
}

/// The pile with its lock held, and no fork meanwhile if it is the sweeper who holds it.
struct Unforked<'g> {
    pile: MutexGuard<'g, Pile>,
    _unforked: Option<HeldOff>,
}

impl Deref for Unforked<'_> {
    type Target = Pile;

    fn deref(&self) -> &Pile {
        &self.pile
    }
}

impl DerefMut for Unforked<'_> {
    fn deref_mut(&mut self) -> &mut Pile {
        &mut self.pile
    }
}

impl Graveyard {
    pub(super) fn new(kind: &'static Kind, rules: Rules) -> Self {
        let Rules { worth, worth_weight, most, most_weight, timed } = rules;
        Graveyard {
            kind,
            pile: Mutex::new(Pile {
                fresh: Garbage::default(),
                waiting: Vec::new(),
                slabs: Slabs::new(kind, timed),
            }),
            held: AtomicUsize::new(0),
            held_weight: AtomicU64::new(0),
            in_vain: AtomicBool::new(false),
            worth: AtomicUsize::new(worth),
            worth_weight: AtomicU64::new(worth_weight),
            most: AtomicUsize::new(most),
            most_weight: AtomicU64::new(most_weight),
            timed: AtomicBool::new(timed),
        }
    }

    /// Goes by other rules from now on.
    #[cfg(feature = "config")]
    pub(super) fn adopt(&self, rules: Rules) {
        let Rules { worth, worth_weight, most, most_weight, timed } = rules;
        self.worth.store(worth, Relaxed);
        self.worth_weight.store(worth_weight, Relaxed);
        self.most.store(most, Relaxed);
        self.most_weight.store(most_weight, Relaxed);
        if self.timed.swap(timed, Relaxed) != timed {
            self.lock().slabs = Slabs::new(self.kind, timed);
        }
    }

    /// Takes garbage, and frees what can be freed, once that is worth it.
    ///
    /// For a caller that holds no lock, since user code runs.
    pub(super) fn take(&self, garbage: Garbage) {
        let large = garbage.is_large();
        let pile = self.add(garbage);
        let worth = large
            || pile.fresh.len() >= self.worth.load(Relaxed)
            || pile.fresh.weight() >= self.worth_weight.load(Relaxed);
        if worth || !pile.waiting.is_empty() {
            self.collect(pile, worth);
        }
    }

    /// Frees garbage here and now, unless somebody still reads it after a moment: then it is taken as any other.
    ///
    /// For a caller that holds no lock, since user code runs.
    pub(super) fn free_now(&self, garbage: Garbage) {
        const MOMENTS: u32 = 16;
        let Some(mut grace) = Grace::begin() else { return self.take(garbage) };
        self.hold(&garbage);
        // One that reads itself would wait for itself.
        let moments = if is_reading() { 0 } else { MOMENTS };
        for _ in 0..moments {
            if grace.is_over() {
                break;
            }
            crate::sync::thread::yield_now();
        }
        if grace.is_over() {
            self.free_all(vec![garbage]);
        } else {
            self.lock().waiting.push((grace, garbage));
        }
    }

    fn hold(&self, garbage: &Garbage) {
        self.held.fetch_add(garbage.len(), Relaxed);
        self.held_weight.fetch_add(garbage.weight(), Relaxed);
    }

    fn add(&self, garbage: Garbage) -> Unforked<'_> {
        self.hold(&garbage);
        let mut pile = self.lock();
        pile.fresh.append(garbage);
        pile
    }

    /// Takes garbage, and frees nothing.
    pub(super) fn keep(&self, garbage: Garbage) {
        self.add(garbage);
    }

    fn lock(&self) -> Unforked<'_> {
        // The sweeper is not to be caught with the lock by a fork.
        let unforked = hold_off_for_sweeper();
        Unforked { pile: lock(&self.pile), _unforked: unforked }
    }

    /// Takes its lock, for a fork: that of a shard is taken before.
    pub(super) fn held_lock(&self) -> impl Sized + '_ {
        lock(&self.pile)
    }

    /// Frees what can be freed.
    pub(super) fn flush(&self) {
        let pile = self.lock();
        if !pile.fresh.is_empty() || !pile.waiting.is_empty() {
            self.collect(pile, true);
        }
    }

    #[cold]
    #[inline(never)]
    fn collect(&self, mut pile: Unforked<'_>, fresh: bool) {
        // Taken out, so that nobody has to wait for what is done with it.
        let fresh = if fresh { std::mem::take(&mut pile.fresh) } else { Garbage::default() };
        let mut waiting = std::mem::take(&mut pile.waiting);
        drop(pile);
        let mut left = Garbage::default();
        if !fresh.is_empty() {
            match Grace::begin() {
                Some(grace) => waiting.push((grace, fresh)),
                None => left = fresh,
            }
        }
        let (mut over, mut still) = (Vec::new(), Vec::new());
        for (mut grace, garbage) in waiting {
            match grace.is_over() {
                true => over.push(garbage),
                false => still.push((grace, garbage)),
            }
        }
        if !still.is_empty() || !left.is_empty() {
            let mut pile = self.lock();
            pile.waiting.append(&mut still);
            pile.fresh.append(left);
        }
        if !over.is_empty() {
            self.free_all(over);
        }
    }

    /// Frees what has been held, and whose grace is over.
    fn free_all(&self, over: Vec<Garbage>) {
        let all = over.iter().map(Garbage::len).sum();
        let mut slabs = Slabs::with_room_for(all, self.kind, self.timed.load(Relaxed));
        for garbage in over {
            let (len, weight) = (garbage.len(), garbage.weight());
            // SAFETY: its grace began when it had been taken out of the index, and is over. A store has entries of one kind.
            unsafe { garbage.free(&mut slabs) };
            self.held.fetch_sub(len, Relaxed);
            self.held_weight.fetch_sub(weight, Relaxed);
        }
        let mut pile = self.lock();
        // What is freed by two graces at once is needed again; what a `clear` leaves is not.
        let room = (4 * self.worth.load(Relaxed)).saturating_sub(pile.slabs.spares());
        slabs.give(room, &mut pile.slabs);
    }

    /// Some places for entries, if there are any.
    #[cold]
    pub(super) fn spare(&self, most: usize, to: &mut Slabs) {
        self.lock().slabs.give(most, to);
    }

    /// Whether there is room for more garbage, hence for an insert that makes some.
    ///
    /// There is none when so many entries have come and gone while one and the same reader was at work (it sleeps, or
    /// its `Clone` does; it has been off the processor) that as much memory is held for it as the
    /// store is allowed itself. Then this waits, for a moment, with no lock held; the next ones do not, until there is
    /// room again.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.is_roomy() || self.make_room()
    }

    #[inline]
    fn is_roomy(&self) -> bool {
        // A single entry may weigh as much as is allowed.
        self.held.load(Relaxed) < self.most.load(Relaxed)
            && self.held_weight.load(Relaxed) <= self.most_weight.load(Relaxed)
    }

    #[cold]
    #[inline(never)]
    fn make_room(&self) -> bool {
        const WAITS: u32 = 60;
        for wait in 0.. {
            self.flush();
            if self.is_roomy() {
                self.in_vain.store(false, Relaxed);
                return true;
            }
            // One that reads itself would wait for itself.
            if wait == WAITS || is_reading() || self.in_vain.load(Relaxed) {
                break;
            }
            match wait {
                0..10 => crate::sync::thread::yield_now(),
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        self.in_vain.store(true, Relaxed);
        false
    }

    /// How many entries are neither in the store nor freed.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// Frees all there is.
    ///
    /// # Safety
    ///
    /// There is no reader of this store, and there will be none.
    pub(super) unsafe fn free(&mut self) {
        let mut pile = lock(&self.pile);
        let (waiting, fresh) = (std::mem::take(&mut pile.waiting), std::mem::take(&mut pile.fresh));
        drop(pile);
        let mut slabs = Slabs::new(self.kind, self.timed.load(Relaxed));
        let all = waiting.into_iter().map(|(_, garbage)| garbage).chain([fresh]);
        // SAFETY: as the caller says.
        all.for_each(|garbage| unsafe { garbage.free(&mut slabs) });
    }
}
