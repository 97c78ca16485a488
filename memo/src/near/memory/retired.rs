//! Retired entries and tables: taken out of an index, and not freed before their grace period is over.
//!
//! Shards hand them over in batches. Enough batches together are worth a [`Grace`], whose beginning is dear; when that is
//! over they are freed, with no lock held. Nobody waits for that: what readers still see stays for somebody else to free,
//! later. How much may stay is bounded, see [`Retired::has_room`].

#![allow(unsafe_code)]

use super::batch::Batch;
use super::entry::Shape;
use super::kind::Kind;
use super::readers::{Grace, is_reading};
use super::slabs::Slabs;
use crate::fork::HeldOff;
use crate::sweep::hold_off_for_sweeper;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, MutexGuard, lock};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// All retired entries of a store.
pub(super) struct Retired {
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
}

/// By what retired entries are freed.
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
    /// What slots have room for as a rule.
    pub shape: Shape,
}

struct Pile {
    /// What came since the last grace began.
    fresh: Batch,
    waiting: Vec<(Grace, Batch)>,
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

impl Retired {
    pub(super) fn new(kind: &'static Kind, rules: Rules) -> Self {
        let Rules { worth, worth_weight, most, most_weight, shape } = rules;
        Retired {
            kind,
            pile: Mutex::new(Pile {
                fresh: Batch::default(),
                waiting: Vec::new(),
                slabs: Slabs::new(kind, shape),
            }),
            held: AtomicUsize::new(0),
            held_weight: AtomicU64::new(0),
            in_vain: AtomicBool::new(false),
            worth: AtomicUsize::new(worth),
            worth_weight: AtomicU64::new(worth_weight),
            most: AtomicUsize::new(most),
            most_weight: AtomicU64::new(most_weight),
        }
    }

    /// Goes by other rules from now on.
    #[cfg(feature = "config")]
    pub(super) fn adopt(&self, rules: Rules) {
        let Rules { worth, worth_weight, most, most_weight, shape } = rules;
        self.worth.store(worth, Relaxed);
        self.worth_weight.store(worth_weight, Relaxed);
        self.most.store(most, Relaxed);
        self.most_weight.store(most_weight, Relaxed);
        let mut pile = self.lock();
        if pile.slabs.shape() != shape {
            pile.slabs = Slabs::new(self.kind, shape);
        }
    }

    /// Takes a batch, and frees what can be freed, once that is worth it.
    ///
    /// For a caller that holds no lock, since user code runs.
    pub(super) fn take(&self, batch: Batch) {
        let large = batch.is_large();
        let pile = self.add(batch);
        let worth = large
            || pile.fresh.len() >= self.worth.load(Relaxed)
            || pile.fresh.weight() >= self.worth_weight.load(Relaxed);
        if worth || !pile.waiting.is_empty() {
            self.collect(pile, worth);
        }
    }

    /// Frees a batch here and now, unless somebody still reads it after a moment: then it is taken as any other.
    ///
    /// For a caller that holds no lock, since user code runs.
    pub(super) fn free_now(&self, batch: Batch) {
        const MOMENTS: u32 = 16;
        let Some(mut grace) = Grace::begin() else { return self.take(batch) };
        self.hold(&batch);
        // One that reads itself would wait for itself.
        let moments = if is_reading() { 0 } else { MOMENTS };
        for _ in 0..moments {
            if grace.is_over() {
                break;
            }
            crate::sync::thread::yield_now();
        }
        if grace.is_over() {
            self.free_all(vec![batch]);
        } else {
            self.lock().waiting.push((grace, batch));
        }
    }

    fn hold(&self, batch: &Batch) {
        self.held.fetch_add(batch.len(), Relaxed);
        self.held_weight.fetch_add(batch.weight(), Relaxed);
    }

    fn add(&self, batch: Batch) -> Unforked<'_> {
        self.hold(&batch);
        let mut pile = self.lock();
        pile.fresh.append(batch);
        pile
    }

    /// Takes a batch, and frees nothing.
    pub(super) fn keep(&self, batch: Batch) {
        self.add(batch);
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
        let fresh = if fresh { std::mem::take(&mut pile.fresh) } else { Batch::default() };
        let mut waiting = std::mem::take(&mut pile.waiting);
        drop(pile);
        let mut left = Batch::default();
        if !fresh.is_empty() {
            match Grace::begin() {
                Some(grace) => waiting.push((grace, fresh)),
                None => left = fresh,
            }
        }
        let (mut over, mut still) = (Vec::new(), Vec::new());
        for (mut grace, batch) in waiting {
            match grace.is_over() {
                true => over.push(batch),
                false => still.push((grace, batch)),
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
    fn free_all(&self, over: Vec<Batch>) {
        let all = over.iter().map(Batch::len).sum();
        let shape = self.lock().slabs.shape();
        let mut slabs = Slabs::with_room_for(all, self.kind, shape);
        for batch in over {
            let (len, weight) = (batch.len(), batch.weight());
            // SAFETY: its grace began when it had been taken out of the index, and is over. A store has entries of one kind.
            unsafe { batch.free(&mut slabs) };
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

    /// Whether there is room for more retired entries, hence for an insert that makes some.
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
        let shape = pile.slabs.shape();
        drop(pile);
        let mut slabs = Slabs::new(self.kind, shape);
        let all = waiting.into_iter().map(|(_, batch)| batch).chain([fresh]);
        // SAFETY: as the caller says.
        all.for_each(|batch| unsafe { batch.free(&mut slabs) });
    }
}
