//! A computation of the engine `thread` that is held in registers while its body runs. Optimized code has it.

#![allow(unsafe_code)]

use std::mem::{forget, needs_drop};

use super::bound::{Bound, Local, Underway, store_and_count};
use crate::counters::Counter;
use crate::key::Part;
use crate::near::Table;
use crate::outcome::Outcome;

/// The largest key and the largest result that are passed in registers.
const SMALL: usize = 16;

/// Whether the key is so small that its computation is [`Held`].
pub(super) const fn is_held<P: Part>() -> bool {
    P::IS_CHEAP && !needs_drop::<P::Owned>() && size_of::<P::Owned>() <= SMALL
}

/// A computation under way of which nothing is asked, that nobody is told of and that is not timed, with a small key.
//
// None once it has ended.
pub(super) struct Held<K: Eq + Clone + 'static, V: Clone + 'static>(Option<(Underway<K, V>, K)>);

impl<K: Eq + Clone + 'static, V: Clone + 'static> Held<K, V> {
    /// None for one that is to be timed. The first of a table is.
    #[inline(always)]
    pub(super) fn new<P: Part<Owned = K>>(
        hash: u64,
        key: P,
        table: &'static Table<Bound<K>, Bound<V>>,
    ) -> Option<Self> {
        (!table.times_next()).then(|| Held(Some((table.begin(hash), key.to_owned_part()))))
    }

    /// Runs the body and stores its result.
    #[inline(always)]
    pub(super) fn apply<A, R, O: Outcome<R, Stored = V>>(
        self,
        outcome: O,
        body: impl Fn(A) -> R,
        arguments: A,
    ) -> R {
        let Some((running, key)) = self.take() else { return body(arguments) };
        apply(running, key, outcome, body, arguments)
    }

    /// Stores what is to be stored of a result.
    #[inline(always)]
    pub(super) fn finish<R, O: Outcome<R, Stored = V>>(self, outcome: O, result: &R) {
        if let Some((running, key)) = self.take() {
            finish(running, key, outcome, result);
        }
    }

    /// What it holds. Nothing is left to be dropped, so that what comes next can be the last call of its caller.
    #[inline(always)]
    fn take(mut self) -> Option<(Underway<K, V>, K)> {
        let held = self.0.take();
        forget(self);
        held
    }
}

/// A body that panicked.
impl<K: Eq + Clone + 'static, V: Clone + 'static> Drop for Held<K, V> {
    #[inline]
    fn drop(&mut self) {
        if let Some((running, _)) = &self.0 {
            panicked(running);
        }
    }
}

/// The record whose call this is.
#[inline(always)]
fn memo<K: Eq + Clone + 'static, V: Clone + 'static>(running: &Underway<K, V>) -> &'static Local<K, V> {
    // SAFETY: a computation that is timed has been before this one, and has noted the record, of these types. It is never
    // freed, and the table belongs to its store.
    unsafe { &*running.record().cast::<Local<K, V>>() }
}

/// Counts a body that panicked.
#[cold]
#[inline(never)]
fn panicked<K: Eq + Clone + 'static, V: Clone + 'static>(running: &Underway<K, V>) {
    memo(running).counters.count(Counter::Misses);
}

/// Runs the body and stores its result.
///
/// All that it needs is handed over in registers, so that it can take the place of its caller.
#[inline(never)]
fn apply<K: Eq + Clone + 'static, V: Clone + 'static, A, R, O: Outcome<R, Stored = V>>(
    running: Underway<K, V>,
    key: K,
    outcome: O,
    body: impl Fn(A) -> R,
    arguments: A,
) -> R {
    let held = Held(Some((running, key)));
    let result = body(arguments);
    let Some((running, key)) = held.take() else { return result };
    if const { size_of::<R>() <= SMALL } {
        finish_small(running, key, outcome, result)
    } else {
        finish(running, key, outcome, &result);
        result
    }
}

/// Stores a small result, which stays in registers, and gives it back.
#[inline(never)]
fn finish_small<K: Eq + Clone + 'static, R, O: Outcome<R>>(
    running: Underway<K, O::Stored>,
    key: K,
    outcome: O,
    result: R,
) -> R {
    store_and_count(memo(&running), key, running, outcome, &result);
    result
}

/// Stores a result.
#[inline(never)]
fn finish<K: Eq + Clone + 'static, R, O: Outcome<R>>(
    running: Underway<K, O::Stored>,
    key: K,
    outcome: O,
    result: &R,
) {
    store_and_count(memo(&running), key, running, outcome, result);
}
