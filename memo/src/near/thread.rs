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

mod counts;
mod detail;
mod entries;
mod list;
mod mark;
mod shared;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use self::entries::Expired;
use self::mark::Short;
use self::shared::Shared;
pub(crate) use self::table::{Looked, Running, Table};
use super::counts::NearCounts;
use super::limits::Limits;
use super::lookup::Lookup;
use super::retired::drop_retired;

/// See the [module](self).
pub(crate) struct Threads<K, V> {
    /// Where each thread's list has the table. No other store ever has the same.
    number: usize,
    shared: Arc<Shared>,
    typed: Typed<K, V>,
}

/// Makes a store.
pub(crate) type NewThreads<K, V> = fn(&Limits) -> Threads<K, V>;

/// Tells the key that is looked for.
type Is<'a, K> = &'a dyn Fn(&K) -> bool;

type Get<K, V> = fn(&Threads<K, V>, u64, Is<'_, K>) -> Option<V>;
type Insert<K, V> = fn(&Threads<K, V>, u64, K, &mut Option<V>, u32, Option<Duration>);
type Remove<K, V> = fn(&Threads<K, V>, u64, Is<'_, K>) -> bool;

/// What the seam asks of a store and depends on its types. These are pointers, so that functions without such a store compile
/// nothing of it: only [`Threads::new`] leads here.
struct Typed<K, V> {
    get: Get<K, V>,
    peek: Get<K, V>,
    insert: Insert<K, V>,
    remove: Remove<K, V>,
    /// Has this thread's table do what is asked of all.
    catch_up: fn(&Threads<K, V>),
    sweep: fn(&Threads<K, V>),
}

/// Finds a key by a test.
struct Where<'a, K>(Is<'a, K>);

impl<K> Lookup<K> for Where<'_, K> {
    fn matches(&self, key: &K) -> bool {
        (self.0)(key)
    }
}

/// The store as the seam has it.
impl<K, V> Threads<K, V> {
    pub(super) fn get_where(&self, hash: u64, is: Is<'_, K>) -> Option<V> {
        (self.typed.get)(self, hash, is)
    }

    pub(super) fn peek_where(&self, hash: u64, is: Is<'_, K>) -> Option<V> {
        (self.typed.peek)(self, hash, is)
    }

    pub(crate) fn insert_from(
        &self,
        hash: u64,
        key: K,
        value: &mut Option<V>,
        weight: u32,
        lifetime: Option<Duration>,
    ) {
        (self.typed.insert)(self, hash, key, value, weight, lifetime);
    }

    pub(super) fn remove_where(&self, hash: u64, is: Is<'_, K>) -> bool {
        (self.typed.remove)(self, hash, is)
    }

    /// Empties the tables of all threads: this one's now, the others as they are used next.
    pub(super) fn clear(&self) {
        self.shared.clear();
        (self.typed.catch_up)(self);
    }

    /// Drops what has expired on this thread.
    pub(super) fn sweep(&self) {
        (self.typed.sweep)(self);
    }

    #[cfg(feature = "config")]
    pub(super) fn resize(&self, limits: &Limits) -> bool {
        self.shared.resize(limits);
        (self.typed.catch_up)(self);
        true
    }

    pub(super) fn counts(&self) -> NearCounts {
        self.shared.counts()
    }
}

impl<K: Eq + 'static, V: Clone + 'static> Threads<K, V> {
    pub(crate) fn new(limits: &Limits) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Threads {
            number: NEXT.fetch_add(1, Relaxed),
            shared: Arc::new(Shared::new(limits)),
            typed: Typed {
                get: |store, hash, is| store.get(hash, Where(is)),
                peek: |store, hash, is| store.peek(hash, &Where(is)),
                insert: Self::insert_here,
                remove: |store, hash, is| store.remove(hash, &Where(is)),
                catch_up: |store| _ = store.table(),
                sweep: Self::sweep_here,
            },
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

    /// This thread's table, if it has one that is up to date. A table can be behind while it is borrowed.
    #[inline(always)]
    fn table(&self) -> Option<&Table<K, V>> {
        self.found().filter(|table| table.is_current())
    }

    /// This thread's table, made if there is none. None at the end of a thread.
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
        let table = Box::new(Table::<K, V>::new(&self.shared));
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
            Looked::Slow => self.get_bounded(hash, &query, true),
        }
    }

    /// The look-up of a hit as it is where there is no lifetime.
    #[inline(always)]
    pub(crate) fn look<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Looked<'_, K, V> {
        let Some(table) = self.found().filter(|table| table.has_caught_up()) else { return Looked::Slow };
        match table.entries.try_borrow() {
            Ok(entries) => table.looked(entries.get_fast(hash, query)),
            Err(_) => Looked::Miss(None),
        }
    }

    /// As [`look`](Self::look), where that runs no code of the user's, so that the table need not be borrowed.
    ///
    /// # Safety
    ///
    /// Neither comparing a `K` by `query` nor cloning a `V` comes back to this table.
    #[inline(always)]
    pub(crate) unsafe fn look_simply<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> Looked<'_, K, V> {
        let Some(table) = self.found().filter(|table| table.has_caught_up()) else { return Looked::Slow };
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

    fn insert_here(&self, hash: u64, key: K, value: &mut Option<V>, weight: u32, lifetime: Option<Duration>) {
        if let Some(table) = self.table_or_new()
            && let Some(value) = value.take()
        {
            table.insert(Short::of(hash), key, value, weight, lifetime);
        }
    }

    pub(crate) fn remove<Q: Lookup<K>>(&self, hash: u64, query: &Q) -> bool {
        let Some(table) = self.found() else { return false };
        if !table.note_removal(hash) {
            return false;
        }
        let mut entries = table.entries.borrow_mut();
        let (removed, alive) = entries.remove(hash, query, &table.counts);
        drop(entries);
        drop_retired(removed);
        alive
    }

    /// Drops what has expired on this thread.
    fn sweep_here(&self) {
        let Some(table) = self.table() else { return };
        let Ok(mut entries) = table.entries.try_borrow_mut() else { return };
        let mut left = Vec::new();
        entries.sweep_all(&table.counts, &mut left);
        drop(entries);
        left.into_iter().for_each(drop_retired);
    }

    /// Notes that a computation begins here for a key with this hash, whose result is for this thread's table; nothing at the end
    /// of a thread.
    #[inline(always)]
    pub(crate) fn begin(&self, hash: u64) -> Option<Running<'_, K, V>> {
        Some(self.table_or_new()?.begin(hash))
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests;
