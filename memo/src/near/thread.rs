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
//! Without a bound and without lifetimes, entries stand in the hash table itself. Else they stand in a list, and the
//! hash table has their places: a hand goes round the list and evicts what has not been used since it came by last
//! (CLOCK, with counters up to [`MOST_USES`]).
//!
//! # The user's code
//!
//! `Eq` and `Clone` run while the table is borrowed. What they ask of this very table is answered as far as it can be read;
//! nothing is stored meanwhile. If they invalidate something, the table is emptied as soon as it is not borrowed. `Drop`
//! runs when the table is not borrowed any more, [caught](super::bury).

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::mem::needs_drop;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::{HashTable, hash_table};

use super::{Bound, Limits, Lookup, NearCounts, Usual, bury, ends};
use crate::clock::{FINE, NEVER, coarse, exact, nanos};

/// A weight that is the number of entries.
const AS_ENTRIES: u64 = u64::MAX;

/// An epoch that never comes.
const OVERDUE: u64 = u64::MAX;

/// How often the hand passes an entry that has been used as often as is counted.
const MOST_USES: u8 = 3;

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
struct Table<K: 'static, V: 'static> {
    entries: RefCell<Entries<K, V>>,
    /// The epoch it has caught up with; [`OVERDUE`] if something was removed while it was borrowed: then it is to be
    /// emptied.
    epoch: Cell<u64>,
    /// How many computations are under way whose results are for here.
    running: Cell<usize>,
    /// How often it has changed so that they may not store: by a removal, or by being emptied.
    changes: Cell<u64>,
    /// What these changes were: the hash of what was removed, or none where all was.
    removed: RefCell<Vec<Option<u64>>>,
    counts: Arc<Counts>,
    shared: Arc<Shared>,
}

enum Entries<K, V> {
    /// Without a bound and without lifetimes.
    Open(HashTable<Open<K, V>>),
    Bounded(Bounded<K, V>),
}

struct Open<K, V> {
    hash: Short,
    key: K,
    value: V,
}

/// Half of a hash, which often fits beside a key and a value where no room would be left otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Short(u32);

impl Short {
    #[inline(always)]
    fn of(hash: u64) -> Self {
        Short(hash as u32)
    }

    /// As many bits as a hash table wants, of all sizes: what is high in it depends on all that was low (Fibonacci hashing).
    #[inline(always)]
    fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

struct Bounded<K, V> {
    /// Places in the list.
    index: HashTable<u32>,
    list: Vec<Option<Entry<K, V>>>,
    /// Places that are empty.
    free: Vec<u32>,
    hand: usize,
    /// Where the next entry is that may have expired.
    sweep: usize,
    /// What the entries [count](Bound::counts) together.
    sum: u64,
    weight: u64,
    bound: Bound,
    tti: u64,
    timed: bool,
}

struct Entry<K, V> {
    hash: Short,
    key: K,
    value: V,
    weight: u32,
    uses: Cell<u8>,
    /// Whether its end is told by the exact clock.
    fine: bool,
    deadline: u64,
    read: Cell<u64>,
}

/// Something that has left, to be dropped when the table is not borrowed any more.
type Left<K, V> = Vec<(K, V)>;

mod list {
    //! The tables of a thread, by the numbers of their stores.

    use super::{Cell, RefCell};
    use std::ptr::null_mut;

    /// What is behind a pointer in a list: a leaked box, and how to drop it.
    struct Owned {
        table: *mut (),
        drop: unsafe fn(*mut ()),
    }

    /// All that a thread has, to be dropped with it.
    #[derive(Default)]
    struct Owner {
        tables: RefCell<Vec<Owned>>,
        slots: RefCell<Box<[*mut ()]>>,
    }

    thread_local! {
        static SLOTS: Cell<(*const *mut (), usize)> = const { Cell::new((std::ptr::null(), 0)) };
        static OWNER: Owner = Owner::default();
    }

    impl Drop for Owner {
        fn drop(&mut self) {
            // from here on this thread finds none
            SLOTS.set((std::ptr::null(), 0));
            for Owned { table, drop } in self.tables.take() {
                // SAFETY: it was put here with its pointer, once, and nobody finds that any more.
                super::bury(Dropped(move || unsafe { drop(table) }));
            }
        }
    }

    /// Calls a function as it is dropped.
    struct Dropped<F: FnMut()>(F);

    impl<F: FnMut()> Drop for Dropped<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    /// What this thread has under `number`: null where it has nothing.
    #[inline(always)]
    pub(super) fn find(number: usize) -> *mut () {
        let (slots, count) = SLOTS.get();
        // SAFETY: `slots` points at as many pointers, in a box that `OWNER` keeps until there is another.
        if number < count { unsafe { *slots.add(number) } } else { null_mut() }
    }

    /// Puts a leaked box there, for good. False, and it is still the caller's, at the end of a thread.
    ///
    /// # Safety
    ///
    /// `drop` drops it, and can be called with it once, on this thread.
    pub(super) unsafe fn put(number: usize, table: *mut (), drop: unsafe fn(*mut ())) -> bool {
        OWNER
            .try_with(|owner| {
                let mut slots = owner.slots.borrow_mut();
                if slots.len() <= number {
                    let mut more = vec![null_mut(); (number + 1).next_power_of_two().max(16)];
                    more[..slots.len()].copy_from_slice(&slots);
                    *slots = more.into_boxed_slice();
                    SLOTS.set((slots.as_ptr(), slots.len()));
                }
                slots[number] = table;
                // the pointer to the slots is that of the latest write through them
                SLOTS.set((slots.as_ptr(), slots.len()));
                owner.tables.borrow_mut().push(Owned { table, drop });
            })
            .is_ok()
    }
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
            running: Cell::new(0),
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
        match self.get_usual(hash, &query) {
            Usual::Hit(value) => Some(value),
            Usual::Miss => None,
            Usual::Unusual => self.get_bounded(hash, &query, true),
        }
    }

    /// As [`get`](Self::get), with what it needs of the stack in a frame of its own.
    #[inline(never)]
    pub(crate) fn get_into<Q: Lookup<K>>(&self, hash: u64, query: Q, into: &mut Option<V>) {
        *into = self.get(hash, query);
    }

    /// The look-up of a hit as it is where there is no lifetime.
    #[inline(always)]
    pub(crate) fn get_usual<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Usual<V> {
        let Some(table) = self.table() else { return Usual::Miss };
        let Ok(entries) = table.entries.try_borrow() else { return Usual::Miss };
        match &*entries {
            Entries::Open(open) => {
                let hash = Short::of(hash);
                let is =
                    |entry: &Open<K, V>| (Q::IS_CHEAP || entry.hash == hash) && query.matches(&entry.key);
                match open.find(hash.spread(), is) {
                    Some(entry) => Usual::Hit(entry.value.clone()),
                    None => Usual::Miss,
                }
            }
            Entries::Bounded(bounded) => match bounded.find(hash, query) {
                Some(entry) if entry.deadline == NEVER && bounded.tti == NEVER => {
                    entry.use_now();
                    Usual::Hit(entry.value.clone())
                }
                Some(_) => Usual::Unusual,
                None => Usual::Miss,
            },
        }
    }

    /// A look-up in a table with lifetimes.
    #[inline(never)]
    fn get_bounded<Q: Lookup<K>>(&self, hash: u64, query: &Q, uses: bool) -> Option<V> {
        let table = self.table()?;
        let entries = table.entries.try_borrow().ok()?;
        let Entries::Bounded(bounded) = &*entries else { return None };
        let entry = bounded.find(hash, query)?;
        let now = entry.now(bounded.tti);
        if now < ends(entry.deadline, entry.read.get(), bounded.tti) {
            if uses {
                entry.use_now();
                entry.read.set(entry.read.get().max(now));
            }
            return Some(entry.value.clone());
        }
        drop(entries);
        if uses {
            table.expire(hash, query);
        }
        None
    }

    pub(crate) fn peek<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<V> {
        let table = self.table()?;
        let entries = table.entries.try_borrow().ok()?;
        if let Entries::Open(open) = &*entries {
            let hash = Short::of(hash);
            let is = |entry: &Open<K, V>| entry.hash == hash && query.matches(&entry.key);
            return Some(open.find(hash.spread(), is)?.value.clone());
        }
        drop(entries);
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
        if let Some(table) = self.table_or_new() {
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
        bury(removed);
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
        let Entries::Bounded(bounded) = &mut *entries else { return };
        let mut left = Vec::new();
        bounded.sweep(bounded.list.len(), &table.counts, &mut left);
        drop(entries);
        left.into_iter().for_each(bury);
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
        let table = self.table_or_new()?;
        let running = table.running.get();
        table.running.set(running + 1);
        let changes = table.changes.get();
        Some(Running { table, changes })
    }
}

/// A computation under way.
pub(crate) struct Running<'t, K: 'static, V: 'static> {
    table: &'t Table<K, V>,
    /// How often the table had changed when it began.
    changes: u64,
}

impl<K: Eq, V> Running<'_, K, V> {
    /// Stores what was computed, unless it was removed, or all was, since the computation began; whether it did.
    #[inline(always)]
    pub(crate) fn store(&self, hash: u64, key: K, value: V, weight: u32, lifetime: Option<Duration>) -> bool {
        let table = self.table;
        if !table.is_current() || (table.changes.get() != self.changes && !self.has_stayed(hash)) {
            return false;
        }
        table.insert(hash, key, &mut Some(value), weight, lifetime);
        true
    }

    /// Whether no change since it began was about this hash. There is one number for each hash that was removed, and one
    /// for each time that the table was emptied.
    #[cold]
    #[inline(never)]
    fn has_stayed(&self, hash: u64) -> bool {
        let removed = self.table.removed.borrow();
        let changes = self.table.changes.get() - self.changes;
        let last = usize::try_from(changes).ok().and_then(|changes| removed.len().checked_sub(changes));
        last.is_some_and(|first| {
            removed[first..].iter().all(|removed| *removed != Some(hash) && removed.is_some())
        })
    }
}

impl<K, V> Drop for Running<'_, K, V> {
    #[inline(always)]
    fn drop(&mut self) {
        let running = self.table.running.get() - 1;
        self.table.running.set(running);
        if running == 0 && self.table.changes.get() != self.changes {
            self.table.removed.borrow_mut().clear();
        }
    }
}

/// Only the thread that owns the table writes, so this needs no atomic addition.
#[inline(always)]
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}

fn subtract(counter: &AtomicU64, amount: u64) {
    add(counter, amount.wrapping_neg());
}

impl<K: Eq, V> Table<K, V> {
    /// Nothing happens while it is borrowed: user code has come here that the table has called.
    #[inline(always)]
    fn insert(&self, hash: u64, key: K, value: &mut Option<V>, weight: u32, lifetime: Option<Duration>) {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        match &mut *entries {
            Entries::Open(open) if lifetime.is_none() => {
                let Some(value) = value.take() else { return };
                let hash = Short::of(hash);
                let is = |entry: &Open<K, V>| entry.hash == hash && entry.key == key;
                let left = match open.entry(hash.spread(), is, |entry| entry.hash.spread()) {
                    hash_table::Entry::Vacant(vacant) => {
                        vacant.insert(Open { hash, key, value });
                        add(&self.counts.entries, 1);
                        return;
                    }
                    hash_table::Entry::Occupied(mut there) => {
                        std::mem::replace(there.get_mut(), Open { hash, key, value })
                    }
                };
                drop(entries);
                bury(left);
            }
            _ => {
                let left = self.insert_bounded(&mut entries, hash, key, value, weight, lifetime);
                drop(entries);
                left.into_iter().for_each(bury);
            }
        }
    }

    #[inline(never)]
    fn insert_bounded(
        &self,
        entries: &mut Entries<K, V>,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) -> Left<K, V> {
        let mut left = Vec::new();
        if let Some(value) = value.take() {
            let hash = Short::of(hash);
            entries.bound().insert(hash, key, value, weight, lifetime, &self.counts, &mut left);
        }
        left
    }
    /// Removes what is found expired.
    #[cold]
    fn expire<Q: Lookup<K>>(&self, hash: u64, query: &Q) {
        let Ok(mut entries) = self.entries.try_borrow_mut() else { return };
        let (removed, _) = entries.remove(hash, query, &self.counts);
        drop(entries);
        bury(removed);
    }
}

impl<K, V> Table<K, V> {
    /// Whether it has done what other threads have asked for, perhaps just now. Not so while it is borrowed.
    #[inline(always)]
    fn is_current(&self) -> bool {
        self.epoch.get() == self.shared.epoch.load(Relaxed) || self.catch_up()
    }

    /// Notes that something is removed, or all is, for computations that began before.
    fn note_change(&self, removed: Option<u64>) {
        if self.running.get() > 0 {
            self.removed.borrow_mut().push(removed);
            self.changes.set(self.changes.get() + 1);
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
            emptied = Some(std::mem::replace(&mut *entries, Entries::new(&limits)));
            self.counts.entries.store(0, Relaxed);
            self.counts.weight.store(AS_ENTRIES, Relaxed);
        } else {
            entries.hold_to(&limits, &self.counts, &mut left);
        }
        self.epoch.set(epoch);
        self.counts.epoch.store(epoch, Relaxed);
        drop(entries);
        emptied.into_iter().for_each(Entries::bury);
        left.into_iter().for_each(bury);
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
        std::mem::replace(self.entries.get_mut(), Entries::Open(HashTable::new())).bury();
    }
}

impl<K, V> Entries<K, V> {
    fn new(limits: &Limits) -> Self {
        let open = limits.capacity.is_none()
            && limits.max_weight.is_none()
            && limits.tti.is_none()
            && !limits.lifetimes;
        if open { Entries::Open(HashTable::new()) } else { Entries::Bounded(Bounded::new(limits)) }
    }

    /// Drops all, each by itself: a panic in one `Drop` is not to keep the others.
    fn bury(self)
    where
        K: 'static,
        V: 'static,
    {
        if !needs_drop::<(K, V)>() {
            return;
        }
        match self {
            Entries::Open(open) => open.into_iter().for_each(bury),
            Entries::Bounded(bounded) => bounded.list.into_iter().for_each(bury),
        }
    }

    /// Takes out what `query` finds, and tells whether it had not expired.
    fn remove<Q: Lookup<K>>(&mut self, hash: u64, query: &Q, counts: &Counts) -> (Option<(K, V)>, bool) {
        match self {
            Entries::Open(open) => {
                let hash = Short::of(hash);
                let is = |entry: &Open<K, V>| entry.hash == hash && query.matches(&entry.key);
                let Ok(found) = open.find_entry(hash.spread(), is) else { return (None, false) };
                let (Open { key, value, .. }, _) = found.remove();
                subtract(&counts.entries, 1);
                (Some((key, value)), true)
            }
            Entries::Bounded(bounded) => {
                let Some(place) = bounded.place(Short::of(hash), query) else { return (None, false) };
                let alive = bounded.list[place].as_ref().is_some_and(|entry| bounded.is_alive(entry));
                if !alive {
                    add(&counts.expired, 1);
                }
                (bounded.take(place, counts), alive)
            }
        }
    }

    /// Holds itself to these limits from now on.
    fn hold_to(&mut self, limits: &Limits, counts: &Counts, left: &mut Left<K, V>) {
        if !matches!((&*self, Entries::<K, V>::new(limits)), (Entries::Open(_), Entries::Open(_))) {
            let bounded = self.bound();
            bounded.bound = Bound::new(limits, true);
            bounded.tti = limits.tti.map_or(NEVER, nanos);
            bounded.timed |= bounded.tti != NEVER;
            let entries = bounded.list.iter().flatten();
            bounded.sum = entries.map(|entry| bounded.bound.counts(entry.weight)).sum();
            bounded.make_room(0, counts, left);
            bounded.tell(counts);
        }
    }

    /// Turns itself into what can have bounds and lifetimes.
    fn bound(&mut self) -> &mut Bounded<K, V> {
        if let Entries::Open(open) = self {
            let mut bounded = Bounded::new(&Limits::default());
            for Open { hash, key, value } in std::mem::take(open) {
                bounded.put(Entry::new(hash, key, value, 1, None, NEVER));
            }
            *self = Entries::Bounded(bounded);
        }
        match self {
            Entries::Bounded(bounded) => bounded,
            Entries::Open(_) => unreachable!("it has just been turned"),
        }
    }
}

impl<K, V> Entry<K, V> {
    fn new(hash: Short, key: K, value: V, weight: u32, lifetime: Option<Duration>, tti: u64) -> Self {
        let lifetime = lifetime.map_or(NEVER, nanos);
        let shortest = lifetime.min(tti);
        let now = if shortest == NEVER { 0 } else { exact() };
        Entry {
            hash,
            key,
            value,
            weight,
            uses: Cell::new(0),
            fine: shortest < FINE,
            deadline: now.saturating_add(lifetime),
            read: Cell::new(now),
        }
    }

    fn use_now(&self) {
        let uses = self.uses.get();
        if uses < MOST_USES {
            self.uses.set(uses + 1);
        }
    }

    /// The time, as exactly as this one's end is told.
    fn now(&self, tti: u64) -> u64 {
        match self.fine {
            _ if self.deadline == NEVER && tti == NEVER => 0,
            true => exact(),
            false => coarse(),
        }
    }
}

impl<K, V> Bounded<K, V> {
    fn new(limits: &Limits) -> Self {
        let tti = limits.tti.map_or(NEVER, nanos);
        Bounded {
            index: HashTable::new(),
            list: Vec::new(),
            free: Vec::new(),
            hand: 0,
            sweep: 0,
            sum: 0,
            weight: 0,
            bound: Bound::new(limits, true),
            tti,
            timed: tti != NEVER,
        }
    }

    /// Says to all threads what is here.
    fn tell(&self, counts: &Counts) {
        let entries = self.index.len() as u64;
        counts.entries.store(entries, Relaxed);
        counts.weight.store(if self.bound.weighs() { self.weight } else { AS_ENTRIES }, Relaxed);
    }

    #[inline]
    fn place<Q: Lookup<K>>(&self, hash: Short, query: &Q) -> Option<usize> {
        let is = |place: &u32| {
            let entry = self.list.get(*place as usize).and_then(Option::as_ref);
            entry.is_some_and(|entry| (Q::IS_CHEAP || entry.hash == hash) && query.matches(&entry.key))
        };
        self.index.find(hash.spread(), is).map(|place| *place as usize)
    }

    #[inline]
    fn find<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Option<&Entry<K, V>> {
        self.list[self.place(Short::of(hash), query)?].as_ref()
    }

    fn is_alive(&self, entry: &Entry<K, V>) -> bool {
        entry.now(self.tti) < ends(entry.deadline, entry.read.get(), self.tti)
    }

    #[allow(clippy::too_many_arguments, reason = "what an entry is made of, and where it is told")]
    fn insert(
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
        struct Same<'k, K>(&'k K);
        impl<K: Eq> Lookup<K> for Same<'_, K> {
            fn matches(&self, key: &K) -> bool {
                *self.0 == *key
            }
        }
        if let Some(place) = self.place(hash, &Same(&key)) {
            left.extend(self.take(place, counts));
        }
        if lifetime.is_some() {
            self.timed = true;
        }
        if self.timed {
            // what has expired leaves as others come, a little faster than they do
            self.sweep(2, counts, left);
        }
        if lifetime == Some(Duration::ZERO) || !self.bound.admits(weight) {
            left.push((key, value));
        } else {
            self.make_room(self.bound.counts(weight), counts, left);
            self.put(Entry::new(hash, key, value, weight, lifetime, self.tti));
        }
        self.tell(counts);
    }

    /// Puts an entry into an empty place.
    fn put(&mut self, entry: Entry<K, V>) {
        self.sum += self.bound.counts(entry.weight);
        self.weight += u64::from(entry.weight);
        let hash = entry.hash;
        let place = match self.free.pop() {
            Some(place) => {
                self.list[place as usize] = Some(entry);
                place
            }
            None => {
                self.list.push(Some(entry));
                u32::try_from(self.list.len() - 1).expect("`make_room` keeps it below that")
            }
        };
        let list = &self.list;
        self.index.insert_unique(hash.spread(), place, |place| {
            list.get(*place as usize).and_then(Option::as_ref).map_or(0, |entry| entry.hash.spread())
        });
    }

    /// Takes an entry out.
    fn take(&mut self, place: usize, counts: &Counts) -> Option<(K, V)> {
        let Entry { hash, key, value, weight, .. } = self.list[place].take()?;
        if let Ok(found) = self.index.find_entry(hash.spread(), |at| *at as usize == place) {
            found.remove();
        }
        self.free.push(place as u32);
        self.sum -= self.bound.counts(weight);
        self.weight -= u64::from(weight);
        self.tell(counts);
        Some((key, value))
    }

    /// Evicts until there is room for so much more.
    fn make_room(&mut self, more: u64, counts: &Counts, left: &mut Left<K, V>) {
        while !self.index.is_empty()
            && (self.sum.saturating_add(more) > self.bound.limit || self.index.len() >= u32::MAX as usize)
        {
            if self.hand >= self.list.len() {
                self.hand = 0;
            }
            let place = self.hand;
            self.hand += 1;
            let Some(entry) = &self.list[place] else { continue };
            let alive = !self.timed || self.is_alive(entry);
            let uses = entry.uses.get();
            if alive && uses > 0 {
                entry.uses.set(uses - 1);
                continue;
            }
            add(if alive { &counts.evicted } else { &counts.expired }, 1);
            left.extend(self.take(place, counts));
        }
    }

    /// Looks whether the next entries of the list have expired, at so many places.
    fn sweep(&mut self, places: usize, counts: &Counts, left: &mut Left<K, V>) {
        for _ in 0..places.min(self.list.len()) {
            if self.sweep >= self.list.len() {
                self.sweep = 0;
            }
            let place = self.sweep;
            self.sweep += 1;
            if self.list[place].as_ref().is_some_and(|entry| !self.is_alive(entry)) {
                add(&counts.expired, 1);
                left.extend(self.take(place, counts));
            }
        }
    }
}
