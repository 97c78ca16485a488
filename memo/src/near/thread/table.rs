//! The table of one thread, and the computations under way whose results are for it.

use super::counts::{AS_ENTRIES, Counts};
use super::entries::{Entries, Left};
use super::mark::Short;
use super::shared::Shared;
use crate::near::limits::Limits;
use crate::near::lookup::{Fast, Lookup};
use crate::near::retired::drop_retired;
use std::cell::{Cell, RefCell};
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// An epoch that never comes.
const OVERDUE: u64 = u64::MAX;

/// The table of one thread.
pub(crate) struct Table<K: 'static, V: 'static> {
    pub(super) entries: RefCell<Entries<K, V>>,
    /// The epoch it has caught up with; [`OVERDUE`] if something was removed while it was borrowed: then it is to be
    /// emptied.
    epoch: Cell<u64>,
    /// How many computations have begun whose results are for here, and how many of them have ended.
    begun: Cell<u64>,
    ended: Cell<u64>,
    /// So many begin before the next one that is timed.
    timed: Cell<u64>,
    /// How often it has changed so that they may not store: by a removal, or by being emptied. It goes round; what changed while
    /// they are under way is in `removed`, which memory ends long before.
    changes: Cell<u32>,
    /// What these changes were: the hash of what was removed, or none where all was.
    removed: RefCell<Vec<Option<Short>>>,
    pub(super) counts: Arc<Counts>,
    shared: Arc<Shared>,
    /// The record that the table's store belongs to, for computations under way, which have no room for it.
    /// It is known from the first that is timed, and null before.
    #[cfg_attr(
        debug_assertions,
        allow(dead_code, reason = "only optimized code holds computations in registers")
    )]
    record: Cell<*const ()>,
}

impl<K, V> std::fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Table")
    }
}

/// What a look-up has found.
pub(crate) enum Looked<'t, K: 'static, V: 'static> {
    Hit(V),
    /// Nothing, in this table; none if there was no table to look into.
    Miss(Option<&'t Table<K, V>>),
    /// Something that can have a lifetime.
    Slow,
}

/// A computation under way. Two words, which are in registers while the body runs.
pub(crate) struct Running<'t, K: 'static, V: 'static> {
    table: &'t Table<K, V>,
    since: Since,
}

/// What a computation is about and when it began, in one word: what a table has of its key's hash, and above that, how often the
/// table had changed.
#[derive(Clone, Copy)]
struct Since(u64);

impl Since {
    #[inline(always)]
    fn new(hash: u64, changes: u32) -> Self {
        Since(u64::from(Short::of(hash).bits()) | u64::from(changes) << 32)
    }

    #[inline(always)]
    fn hash(self) -> Short {
        Short::of(self.0)
    }

    #[inline(always)]
    fn changes(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl<K, V> Running<'_, K, V> {
    /// Starts a clock for it, if it is one to be timed, to be asked as it begins. `record` is that of the table's store.
    #[inline(always)]
    pub(crate) fn clock(&self, record: *const ()) -> Option<Instant> {
        let begun = self.table.begun.get();
        (begun > self.table.timed.get()).then(|| self.table.start_clock(begun, record))
    }
}

impl<K: Eq, V> Running<'_, K, V> {
    /// Stores what was computed if that takes next to nothing: as [`store`](Self::store) does where it has no lifetime and weighs 1.
    /// It is given back otherwise.
    #[inline(always)]
    pub(crate) fn store_at_once(&self, key: K, value: V) -> Option<(K, V)> {
        let table = self.table;
        if !table.has_caught_up() || table.changes.get() != self.since.changes() {
            return Some((key, value));
        }
        let Ok(mut entries) = table.entries.try_borrow_mut() else { return Some((key, value)) };
        if !entries.is_plain() {
            return Some((key, value));
        }
        let left = entries.insert_plain(self.since.hash(), key, value, &table.counts);
        drop(entries);
        if left.is_some() {
            drop_retired(left);
        }
        None
    }

    /// Stores what was computed, unless it was removed, or all was, since the computation began; whether it did.
    #[inline(never)]
    pub(crate) fn store(&self, key: K, value: V, weight: u32, lifetime: Option<Duration>) -> bool {
        let (table, hash) = (self.table, self.since.hash());
        if !table.is_current()
            || (table.changes.get() != self.since.changes() && !table.has_stayed(self.since))
        {
            return false;
        }
        table.insert(hash, key, value, weight, lifetime)
    }
}

impl<K, V> Drop for Running<'_, K, V> {
    #[inline(always)]
    fn drop(&mut self) {
        let table = self.table;
        table.ended.set(table.ended.get() + 1);
        if table.changes.get() != self.since.changes() {
            table.forget_changes();
        }
    }
}

/// What computations need that are held in registers.
#[cfg(not(debug_assertions))]
impl<K, V> Running<'_, K, V> {
    /// The record that was told as a clock was started; null before one was.
    #[inline(always)]
    pub(crate) fn record(&self) -> *const () {
        self.table.record.get()
    }
}

/// What computations need that are held in registers.
#[cfg(not(debug_assertions))]
impl<K, V> Table<K, V> {
    /// Whether the next computation to begin is one to be timed.
    #[inline(always)]
    pub(crate) fn times_next(&self) -> bool {
        self.begun.get() >= self.timed.get()
    }
}

impl<K: Eq, V> Table<K, V> {
    /// Whether it has been put in. Nothing is while the table is borrowed: user code has come here that it has called.
    #[inline(never)]
    pub(super) fn insert(
        &self,
        hash: Short,
        key: K,
        value: V,
        weight: u32,
        lifetime: Option<Duration>,
    ) -> bool {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return false };
        let mut left = Left::new();
        entries.insert(hash, key, value, weight, lifetime, &self.counts, &mut left);
        drop(entries);
        left.into_iter().for_each(drop_retired);
        true
    }

    /// Removes what is found expired.
    #[cold]
    pub(super) fn expire<Q: Lookup<K>>(&self, hash: u64, query: &Q) {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        let (removed, _) = entries.remove(hash, query, &self.counts);
        drop(entries);
        drop_retired(removed);
    }
}

impl<K, V> Table<K, V> {
    /// An empty one of these.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        let (counts, epoch, limits) = shared.join();
        Table {
            entries: RefCell::new(Entries::new(&limits)),
            epoch: Cell::new(epoch),
            begun: Cell::new(0),
            ended: Cell::new(0),
            timed: Cell::new(0),
            removed: RefCell::default(),
            changes: Cell::new(0),
            counts,
            shared: shared.clone(),
            record: Cell::new(null()),
        }
    }

    /// Notes that something with this hash is removed, and has the table emptied if it is borrowed. Whether it is not.
    pub(super) fn note_removal(&self, hash: u64) -> bool {
        self.note_change(Some(Short::of(hash)));
        let is_free = self.is_current() && self.entries.try_borrow_mut().is_ok();
        if !is_free {
            self.epoch.set(OVERDUE);
        }
        is_free
    }

    #[inline(always)]
    pub(super) fn looked(&self, found: Fast<V>) -> Looked<'_, K, V> {
        match found {
            Fast::Hit(value) => Looked::Hit(value),
            Fast::Miss => Looked::Miss(Some(self)),
            Fast::Slow => Looked::Slow,
        }
    }

    /// Notes that a computation begins for a key with this hash, whose result is for here.
    #[inline(always)]
    pub(crate) fn begin(&self, hash: u64) -> Running<'_, K, V> {
        self.begun.set(self.begun.get() + 1);
        Running { table: self, since: Since::new(hash, self.changes.get()) }
    }

    /// Whether it has done what other threads have asked for, perhaps just now. Not so while it is borrowed.
    #[inline(always)]
    pub(super) fn is_current(&self) -> bool {
        self.has_caught_up() || self.catch_up()
    }

    /// Whether it had done what other threads have asked for. The fast path asks this, and so calls nothing: a frame that saves
    /// no registers is a small one, and a recursion repeats it.
    #[inline(always)]
    pub(super) fn has_caught_up(&self) -> bool {
        self.epoch.get() == self.shared.epoch.load(Relaxed)
    }

    /// Notes that something is removed, or all is, for computations that began before.
    fn note_change(&self, removed: Option<Short>) {
        if self.begun.get() != self.ended.get() {
            self.removed.borrow_mut().push(removed);
            self.changes.set(self.changes.get().wrapping_add(1));
        }
    }

    /// Starts a clock for the computation that is the latest to begin, and says which is timed next: the 1st, 2nd, 4th, 8th and 16th,
    /// one in 16 of some thousand, and one in 256 of all others. They are few, since two looks at a clock take longer than many a
    /// computation.
    #[cold]
    #[inline(never)]
    fn start_clock(&self, begun: u64, record: *const ()) -> Instant {
        self.record.set(record);
        let next = match begun {
            ..16 => begun,
            16..4096 => 16,
            _ => 256,
        };
        self.timed.set(begun + next - 1);
        Instant::now()
    }

    /// Whether no change was about this hash since then. There is one change for each hash that was removed, and one for each
    /// time that the table was emptied.
    #[cold]
    #[inline(never)]
    fn has_stayed(&self, since: Since) -> bool {
        let (removed, hash) = (self.removed.borrow(), since.hash());
        let changes = self.changes.get().wrapping_sub(since.changes());
        let last = usize::try_from(changes).ok().and_then(|changes| removed.len().checked_sub(changes));
        last.is_some_and(|first| {
            removed[first..].iter().all(|removed| *removed != Some(hash) && removed.is_some())
        })
    }

    /// Drops the notes of changes if no computation is under way that began before them.
    #[cold]
    #[inline(never)]
    fn forget_changes(&self) {
        if self.begun.get() == self.ended.get() {
            self.removed.borrow_mut().clear();
        }
    }

    /// Does what other threads have asked for since it was used last; not while it is borrowed.
    #[cold]
    #[inline(never)]
    fn catch_up(&self) -> bool {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return false };
        let (epoch, cleared, limits) = self.shared.now();
        let is_cleared = self.epoch.get() == OVERDUE || cleared > self.epoch.get();
        let mut left = Vec::new();
        let mut emptied = None;
        if is_cleared {
            self.note_change(None);
            emptied = Some(entries.empty(&limits));
            self.counts.entries.store(0, Relaxed);
            self.counts.weight.store(AS_ENTRIES, Relaxed);
        } else {
            entries.hold_to(&limits, &self.counts, &mut left);
        }
        self.epoch.set(epoch);
        self.counts.epoch.store(epoch, Relaxed);
        drop(entries);
        emptied.into_iter().for_each(Entries::drop_all);
        left.into_iter().for_each(drop_retired);
        true
    }
}

impl<K, V> Drop for Table<K, V> {
    fn drop(&mut self) {
        self.shared.leave(&self.counts);
        std::mem::replace(self.entries.get_mut(), Entries::new(&Limits::default())).drop_all();
    }
}
