//! What stays on its thread, in the types of a record that all threads share; where it is kept and how it is found.
//!
//! Keys and results of a function with `engine = "thread"` need be neither `Send` nor `Sync`. Its record is shared by all threads
//! all the same: it is typed by [`Bound`] keys and results, which only `by_thread` makes and opens. They go into the table of
//! this thread and nowhere else.

#![allow(unsafe_code)]

use std::convert::Infallible;
use std::mem::{forget, needs_drop, transmute};
use std::time::Duration;

use crate::counters::{Counter, Counters};
use crate::hooks::Hooks;
use crate::key::Part;
use crate::memo::Memo;
use crate::near::{Looked, Lookup, Running, Threads, runs_user_code};
use crate::outcome::Outcome;
use crate::scope::OfCall;

/// What stays on its thread, in the types of a record.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Bound<T>(pub(super) T);

// SAFETY: threads share types with this in them, and no values of it. It is made in `by_thread` only, of what a call on
// this thread has, goes into this thread's table, and is compared, cloned and dropped there, on this thread.
unsafe impl<T> Send for Bound<T> {}
// SAFETY: no value of it is reached from another thread: tables are found by the thread that has them.
unsafe impl<T> Sync for Bound<T> {}

impl<T> std::fmt::Debug for Bound<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bound")
    }
}

/// The record of an instantiation whose results stay on their threads.
pub(super) type Local<K, V> = Memo<Bound<K>, Bound<V>, Infallible>;

/// Looks a table up by a borrowed key.
pub(super) struct Here<P>(pub(super) P);

impl<P: Part> Lookup<Bound<P::Owned>> for Here<P> {
    const IS_CHEAP: bool = P::IS_CHEAP;

    #[inline(always)]
    fn matches(&self, key: &Bound<P::Owned>) -> bool {
        self.0.matches(&key.0)
    }
}

/// Functions of a value, as such of a value that is bound.
mod as_bound {
    use super::{Bound, Duration, transmute};

    // SAFETY of the four: `Bound` is `repr(transparent)`, so a reference to one is passed as a reference to what is in it
    // is, and functions that differ in that alone are called alike. They run on the thread that has the value.

    pub(super) fn weigh<K, V>(of: fn(&K, &V) -> u32) -> fn(&Bound<K>, &Bound<V>) -> u32 {
        // SAFETY: as the four of this module.
        unsafe { transmute(of) }
    }

    pub(super) fn lifetime<V>(of: fn(&V) -> Option<Duration>) -> fn(&Bound<V>) -> Option<Duration> {
        // SAFETY: as the four of this module.
        unsafe { transmute(of) }
    }

    pub(super) fn test<V>(of: fn(&V) -> bool) -> fn(&Bound<V>) -> bool {
        // SAFETY: as the four of this module.
        unsafe { transmute(of) }
    }

    #[cfg(feature = "tracing")]
    pub(super) fn show<K>(of: fn(&K) -> String) -> fn(&Bound<K>) -> String {
        // SAFETY: as the four of this module.
        unsafe { transmute(of) }
    }
}

impl<K: Eq + 'static, V: Clone + 'static> Hooks<K, V> {
    /// These hooks, as functions of keys and results that are [`Bound`].
    pub(super) fn bound(self) -> Hooks<Bound<K>, Bound<V>> {
        Hooks {
            weigh: self.weigh.map(as_bound::weigh),
            ttl_of: self.ttl_of.map(as_bound::lifetime),
            cache_if: self.cache_if.map(as_bound::test),
            is_none: self.is_none.map(as_bound::test),
            valid_if: self.valid_if.map(as_bound::test),
            #[cfg(feature = "tracing")]
            show: self.show.map(as_bound::show),
            far: None,
            by_thread: Some(Threads::new),
        }
    }
}

/// The record of such a function with keys `P` and results `R` stored as `O` says.
pub(super) type LocalBy<P, R, O> = Local<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// Looks into this thread's table.
#[inline(always)]
pub(super) fn look<'t, P: Part, V: Clone + 'static>(
    store: &'t Threads<Bound<P::Owned>, Bound<V>>,
    hash: u64,
    query: &Here<P>,
) -> Looked<'t, Bound<P::Owned>, Bound<V>> {
    if P::IS_CHEAP && !needs_drop::<V>() && !runs_user_code::<V>() {
        // SAFETY: a cheap key is made of primitive types, and the result is one of std's types that own nothing. So neither
        // code of the user's nor an allocator is called.
        unsafe { store.look_simply(hash, query) }
    } else {
        store.look(hash, query)
    }
}

/// Where the results are. There is no other near store for such a function, whatever a scope or the configuration says.
#[inline(always)]
pub(super) fn by_thread<K: Eq + Clone + 'static, V: Clone + 'static>(
    memo: &'static Local<K, V>,
) -> &'static Threads<Bound<K>, Bound<V>> {
    match memo.near.by_thread() {
        Some(store) => store,
        None => unreachable!("the record of a function with `engine = \"thread\"` has another store"),
    }
}

/// Note in this thread's table of a computation that is under way.
pub(super) type Underway<K, V> = Running<'static, Bound<K>, Bound<V>>;

/// Puts what is to be stored of a result into the table, and counts a computation of which nothing was asked.
#[inline(always)]
pub(super) fn store_and_count<K: Eq + Clone + 'static, R, O: Outcome<R>>(
    memo: &'static Local<K, O::Stored>,
    key: K,
    running: Underway<K, O::Stored>,
    outcome: O,
    result: &R,
) {
    let unstored = Unstored(&memo.counters);
    let Some(value) = outcome.stored(result) else { return };
    let (key, value) = (Bound(key), Bound(value));
    let left_over = if memo.is_plain() { running.store_at_once(key, value) } else { Some((key, value)) };
    forget(unstored);
    match left_over {
        None => memo.counters.count(Counter::StoredMisses),
        Some((key, Bound(value))) => {
            let is_error = outcome.is_error(&value);
            store_slowly(memo, key, running, Bound(value), is_error);
        }
    }
}

/// What [`store_and_count`] does where there is more to it. All is passed by value, so that its caller needs no place for it.
#[cold]
#[inline(never)]
fn store_slowly<K: Eq + Clone + 'static, V: Clone + 'static>(
    memo: &'static Local<K, V>,
    key: Bound<K>,
    running: Underway<K, V>,
    value: Bound<V>,
    is_error: bool,
) {
    let unstored = Unstored(&memo.counters);
    if store_in_full(memo, key, &running, value, is_error, None) {
        forget(unstored);
        memo.counters.count(Counter::StoredMisses);
    }
}

/// A computation whose result has not been stored, or not yet.
struct Unstored<'c>(&'c Counters);

impl Drop for Unstored<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.missed_and_computed();
    }
}

/// Puts what is to be stored of a result into the table; whether something was, which is for the caller to count.
pub(super) fn store<K: Eq + Clone + 'static, R, O: Outcome<R>>(
    memo: &Local<K, O::Stored>,
    key: K,
    running: &Underway<K, O::Stored>,
    outcome: O,
    result: &R,
    asked: Option<&OfCall>,
) -> bool {
    let Some(value) = outcome.stored(result) else { return false };
    let is_error = outcome.is_error(&value);
    store_in_full(memo, Bound(key), running, Bound(value), is_error, asked)
}

/// Stores a value if it is to be, for as long and as heavy as the settings and the hooks say; whether it was.
fn store_in_full<K: Eq + Clone + 'static, V: Clone + 'static>(
    memo: &Local<K, V>,
    key: Bound<K>,
    running: &Underway<K, V>,
    value: Bound<V>,
    is_error: bool,
    asked: Option<&OfCall>,
) -> bool {
    let Some(storage) = memo.storage(&key, &value, is_error, asked) else { return false };
    running.store(key, value, storage.weight, storage.lifetime)
}
