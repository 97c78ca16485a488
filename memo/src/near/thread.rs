//! The store of the engine `thread`: a table of each thread's own, with no locks and nothing that another thread writes.
//!
//! # How it is made
//!
//! Each store has a number. Each thread has a list of tables by these numbers; a look-up takes two loads to its table. A
//! table is made at the thread's first computation, and dropped with its thread. What user code asks for after that, as
//! the thread's other locals are dropped, finds nothing and is not kept.
//!
//! Other threads reach a table by its store's epoch alone: it moves when all tables are to be emptied, or to be held to
//! other limits, and each table catches up when it is used next. What a table has counted, others may read.
//!
//! What a table holds, and what leaves it when it is full, is in [`entries`].
//!
//! # The user's code
//!
//! `Eq` and `Clone` run while the table is borrowed. What they ask of this very table is answered as far as it can be read;
//! nothing is stored meanwhile. If they invalidate something, the table is emptied as soon as it is not borrowed. `Drop`
//! runs when the table is not borrowed any more, [caught](drop_retired).

#![allow(unsafe_code)]

mod entries;
mod list;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::entries::{Entries, Expired, Left};
use super::counts::NearCounts;
use super::limits::Limits;
use super::lookup::{Fast, Lookup};
use super::retired::drop_retired;

/// A weight that is the number of entries.
const AS_ENTRIES: u64 = u64::MAX;

/// An epoch that never comes.
const OVERDUE: u64 = u64::MAX;

/// See the [module](self).
pub(crate) struct Threads<K: 'static, V: 'static> {
    /// Where each thread's list has the table. No other store ever has the same.
    number: usize,
    shared: Arc<Shared>,
    tables: PhantomData<fn() -> (K, V)>,
}

/// What the tables of a store have in common.
struct Shared {
    /// Moves when the tables have something to catch up with.
    epoch: AtomicU64,
    /// The epoch in which all were to be emptied last.
    cleared: AtomicU64,
    rest: Mutex<Rest>,
}

struct Rest {
    limits: Limits,
    live: Vec<Arc<Counts>>,
    /// What tables counted that are gone.
    evicted: u64,
    expired: u64,
}

/// What one table counts. Only its thread writes it.
struct Counts {
    /// The epoch that the table has caught up with.
    epoch: AtomicU64,
    entries: AtomicU64,
    /// [`AS_ENTRIES`] where each weighs one.
    weight: AtomicU64,
    evicted: AtomicU64,
    expired: AtomicU64,
}

impl Shared {
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The table of one thread.
pub(crate) struct Table<K: 'static, V: 'static> {
    entries: RefCell<Entries<K, V>>,
    /// The epoch it has caught up with; [`OVERDUE`] if something was removed while it was borrowed: then it is to be
    /// emptied.
    epoch: Cell<u64>,
    /// How many computations have begun whose results are for here, and how many of them have ended.
    begun: Cell<u64>,
    ended: Cell<u64>,
    /// At which of them the next clock is started.
    timed: Cell<u64>,
    /// How often it has changed so that they may not store: by a removal, or by being emptied.
    changes: Cell<u64>,
    /// What these changes were: the hash of what was removed, or none where all was.
    removed: RefCell<Vec<Option<u64>>>,
    counts: Arc<Counts>,
    shared: Arc<Shared>,
}

impl<K: Eq + 'static, V: Clone + 'static> Threads<K, V> {
    pub(super) fn new(limits: &Limits) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let rest = Rest { limits: *limits, live: Vec::new(), evicted: 0, expired: 0 };
        let (epoch, cleared) = (AtomicU64::new(0), AtomicU64::new(0));
        Threads {
            number: NEXT.fetch_add(1, Relaxed),
            shared: Arc::new(Shared { epoch, cleared, rest: Mutex::new(rest) }),
            tables: PhantomData,
        }
    }

    /// This thread's table, if it has one.
    #[inline(always)]
    fn found(&self) -> Option<&Table<K, V>> {
        let table = list::find(self.number).cast::<Table<K, V>>();
        // SAFETY: what is under this number has been put there by `make`, of this store and so of these types. It lives
        // until the end of this thread, which the reference, being neither `Send` nor `Sync`, does not leave.
        unsafe { table.as_ref() }
    }

    /// The same, if it is up to date. It can be behind while it is borrowed.
    #[inline(always)]
    fn table(&self) -> Option<&Table<K, V>> {
        self.found().filter(|table| table.is_current())
    }

    /// The same, made if there is none; none at the end of a thread.
    #[inline]
    fn table_or_new(&self) -> Option<&Table<K, V>> {
        if self.found().is_some() { self.table() } else { self.make() }
    }

    #[cold]
    #[inline(never)]
    fn make(&self) -> Option<&Table<K, V>> {
        unsafe fn drop_table<K: 'static, V: 'static>(table: *mut ()) {
            // SAFETY: it comes out of `Box::into_raw` below, and is dropped once.
            drop(unsafe { Box::from_raw(table.cast::<Table<K, V>>()) });
        }
        let counts = Arc::new(Counts {
            epoch: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            weight: AtomicU64::new(AS_ENTRIES),
            evicted: AtomicU64::new(0),
            expired: AtomicU64::new(0),
        });
        let mut rest = self.shared.rest();
        let epoch = self.shared.epoch.load(Relaxed);
        counts.epoch.store(epoch, Relaxed);
        let table = Box::new(Table {
            entries: RefCell::new(Entries::<K, V>::new(&rest.limits)),
            epoch: Cell::new(epoch),
            begun: Cell::new(0),
            ended: Cell::new(0),
            timed: Cell::new(0),
            removed: RefCell::default(),
            changes: Cell::new(0),
            counts: counts.clone(),
            shared: self.shared.clone(),
        });
        rest.live.push(counts);
        drop(rest);
        let table = Box::into_raw(table).cast::<()>();
        // SAFETY: it is dropped by that, as the box that it was.
        if unsafe { list::put(self.number, table, drop_table::<K, V>) } {
            return self.table();
        }
        // SAFETY: as above; nobody else has it.
        unsafe { drop_table::<K, V>(table) };
        None
    }

    #[inline(always)]
    pub(crate) fn get<Q: Lookup<K>>(&self, hash: u64, query: Q) -> Option<V> {
        match self.look(hash, &query) {
            Looked::Hit(value) => Some(value),
            Looked::Miss(_) => None,
            Looked::Unusual => self.get_bounded(hash, &query, true),
        }
    }

    /// As [`get`](Self::get), with what it needs of the stack in a frame of its own.
    #[inline(never)]
    pub(crate) fn get_into<Q: Lookup<K>>(&self, hash: u64, query: Q, into: &mut Option<V>) {
        *into = self.get(hash, query);
    }

    /// The look-up of a hit as it is where there is no lifetime.
    #[inline(always)]
    pub(crate) fn look<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Looked<'_, K, V> {
        let Some(table) = self.table() else { return Looked::Miss(None) };
        match table.entries.try_borrow() {
            Ok(entries) => table.looked(entries.get_fast(hash, query)),
            Err(_) => Looked::Miss(None),
        }
    }

    /// The same, where no code of the user's is run by it, so that the table need not be borrowed.
    ///
    /// # Safety
    ///
    /// Neither comparing a `K` by `query` nor cloning a `V` comes back to this table.
    #[inline(always)]
    pub(crate) unsafe fn look_simply<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Looked<'_, K, V> {
        let Some(table) = self.table() else { return Looked::Miss(None) };
        // SAFETY: this thread alone has the table, and the caller says that nothing of it uses it before the reference ends.
        match unsafe { table.entries.try_borrow_unguarded() } {
            Ok(entries) => table.looked(entries.get_fast(hash, query)),
            Err(_) => Looked::Miss(None),
        }
    }

    /// A look-up in a table with lifetimes.
    #[inline(never)]
    fn get_bounded<Q: Lookup<K>>(&self, hash: u64, query: &Q, uses: bool) -> Option<V> {
        let table = self.table()?;
        let entries = table.entries.try_borrow().ok()?;
        let found = entries.get(hash, query, uses);
        drop(entries);
        if let Err(Expired(true)) = found
            && uses
        {
            table.expire(hash, query);
        }
        found.ok()
    }

    pub(crate) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        self.get_bounded(hash, query, false)
    }

    pub(crate) fn insert_from(
        &self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) {
        if let Some(table) = self.table_or_new()
            && let Some(value) = value.take()
        {
            table.insert(hash, key, value, weight, lifetime);
        }
    }

    pub(crate) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        let Some(table) = self.found() else { return false };
        table.note_change(Some(hash));
        if self.table().is_none() || table.entries.try_borrow_mut().is_err() {
            table.epoch.set(OVERDUE);
            return false;
        }
        let mut entries = table.entries.borrow_mut();
        let (removed, alive) = entries.remove(hash, query, &table.counts);
        drop(entries);
        drop_retired(removed);
        alive
    }

    /// Empties the tables of all threads: this one's now, the others as they are used next.
    pub(super) fn clear(&self) {
        let rest = self.shared.rest();
        let epoch = self.shared.epoch.load(Relaxed) + 1;
        self.shared.cleared.store(epoch, Relaxed);
        self.shared.epoch.store(epoch, Relaxed);
        drop(rest);
        self.table();
    }

    /// Drops what has expired on this thread.
    pub(super) fn sweep(&self) {
        let Some(table) = self.table() else { return };
        let Ok(mut entries) = table.entries.try_borrow_mut() else { return };
        let mut left = Vec::new();
        entries.sweep_all(&table.counts, &mut left);
        drop(entries);
        left.into_iter().for_each(drop_retired);
    }

    #[cfg(feature = "config")]
    pub(super) fn resize(&self, limits: &Limits) -> bool {
        let mut rest = self.shared.rest();
        rest.limits = *limits;
        self.shared.epoch.store(self.shared.epoch.load(Relaxed) + 1, Relaxed);
        drop(rest);
        self.table();
        true
    }

    pub(super) fn counts(&self) -> NearCounts {
        let rest = self.shared.rest();
        let cleared = self.shared.cleared.load(Relaxed);
        let mut counts = NearCounts { evicted: rest.evicted, expired: rest.expired, ..NearCounts::default() };
        for live in &rest.live {
            counts.evicted += live.evicted.load(Relaxed);
            counts.expired += live.expired.load(Relaxed);
            // what has not caught up with that yet is empty for all who ask
            if live.epoch.load(Relaxed) >= cleared {
                let (entries, weight) = (live.entries.load(Relaxed), live.weight.load(Relaxed));
                counts.entries += entries;
                counts.weight += if weight == AS_ENTRIES { entries } else { weight };
            }
        }
        counts
    }

    /// Notes that a computation begins here whose result is for this thread's table; nothing at the end of a thread.
    #[inline(always)]
    pub(crate) fn begin(&self) -> Option<Running<'_, K, V>> {
        Some(self.table_or_new()?.begin())
    }
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
    Unusual,
}

/// A computation under way.
pub(crate) struct Running<'t, K: 'static, V: 'static> {
    table: &'t Table<K, V>,
    /// How often the table had changed when it began.
    changes: u64,
}

impl<K: Eq, V> Running<'_, K, V> {
    /// Starts a clock for it, if it is one to be timed, to be asked as it begins.
    #[inline(always)]
    pub(crate) fn clock(&self) -> Option<Instant> {
        let begun = self.table.begun.get();
        (begun >= self.table.timed.get()).then(|| self.table.start_clock(begun))
    }

    /// Stores what was computed, as [`store`](Self::store) does where it has no lifetime and weighs 1.
    #[inline(always)]
    pub(crate) fn store_plain(&self, hash: u64, key: K, value: V) -> bool {
        let table = self.table;
        let is_usual = table.is_current() && table.changes.get() == self.changes;
        match table.entries.try_borrow_mut() {
            Ok(mut entries) if is_usual && entries.is_plain() => {
                let left = entries.insert_plain(hash, key, value, &table.counts);
                drop(entries);
                if left.is_some() {
                    drop_retired(left);
                }
                true
            }
            entries => {
                drop(entries);
                self.store(hash, key, value, 1, None)
            }
        }
    }

    /// Stores what was computed, unless it was removed, or all was, since the computation began; whether it did.
    #[inline(never)]
    pub(crate) fn store(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) -> bool {
        let table = self.table;
        if !table.is_current()
            || (table.changes.get() != self.changes && !table.has_stayed(hash, self.changes))
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
        if table.changes.get() != self.changes {
            table.forget_changes();
        }
    }
}

/// Only the thread that owns the table writes, so this needs no atomic addition.
#[inline(always)]
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}

impl<K: Eq, V> Table<K, V> {
    /// Whether it has been put in. Nothing is while the table is borrowed: user code has come here that it has called.
    #[inline(never)]
    fn insert(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) -> bool {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return false };
        let mut left = Left::new();
        entries.insert(hash, key, value, weight, lifetime, &self.counts, &mut left);
        drop(entries);
        left.into_iter().for_each(drop_retired);
        true
    }

    /// Removes what is found expired.
    #[cold]
    fn expire<Q: Lookup<K>>(&self, hash: u64, query: &Q) {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        let (removed, _) = entries.remove(hash, query, &self.counts);
        drop(entries);
        drop_retired(removed);
    }
}

impl<K, V> Table<K, V> {
    #[inline(always)]
    fn looked(&self, found: Fast<V>) -> Looked<'_, K, V> {
        match found {
            Fast::Hit(value) => Looked::Hit(value),
            Fast::Miss => Looked::Miss(Some(self)),
            Fast::Slow => Looked::Unusual,
        }
    }

    /// Notes that a computation begins whose result is for here.
    #[inline(always)]
    pub(crate) fn begin(&self) -> Running<'_, K, V> {
        self.begun.set(self.begun.get() + 1);
        Running { table: self, changes: self.changes.get() }
    }

    /// Whether it has done what other threads have asked for, perhaps just now. Not so while it is borrowed.
    #[inline(always)]
    fn is_current(&self) -> bool {
        self.epoch.get() == self.shared.epoch.load(Relaxed) || self.catch_up()
    }

    /// Notes that something is removed, or all is, for computations that began before.
    fn note_change(&self, removed: Option<u64>) {
        if self.begun.get() != self.ended.get() {
            self.removed.borrow_mut().push(removed);
            self.changes.set(self.changes.get() + 1);
        }
    }

    /// Starts a clock for the computation that is the latest to begin, and says which is timed next: each of the first, one
    /// in 16 of some thousand, and one in 256 of all others.
    #[cold]
    #[inline(never)]
    fn start_clock(&self, begun: u64) -> Instant {
        let next = match begun {
            ..16 => 1,
            16..4096 => 16,
            _ => 256,
        };
        self.timed.set(begun + next);
        Instant::now()
    }

    /// Whether no change was about this hash since there were so many. There is one number for each hash that was removed,
    /// and one for each time that the table was emptied.
    #[cold]
    #[inline(never)]
    fn has_stayed(&self, hash: u64, since: u64) -> bool {
        let removed = self.removed.borrow();
        let changes = self.changes.get() - since;
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
        let rest = self.shared.rest();
        let (epoch, limits) = (self.shared.epoch.load(Relaxed), rest.limits);
        let overdue = self.epoch.get() == OVERDUE;
        let cleared = overdue || self.shared.cleared.load(Relaxed) > self.epoch.get();
        drop(rest);
        let mut left = Vec::new();
        let mut emptied = None;
        if cleared {
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
        let mut rest = self.shared.rest();
        rest.live.retain(|counts| !Arc::ptr_eq(counts, &self.counts));
        rest.evicted += self.counts.evicted.load(Relaxed);
        rest.expired += self.counts.expired.load(Relaxed);
        drop(rest);
        std::mem::replace(self.entries.get_mut(), Entries::new(&Limits::default())).drop_all();
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests;
