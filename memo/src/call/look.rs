//! The first part of a call: look nearby. The fast path of every call ends here.
//!
//! What is not a hit at the first look, as nearly all are, leaves by a function out of line and does not come back, so that the
//! hit keeps next to nothing for it: the arguments for the body, and room for what such a function gives.

use crate::call::acquire::AcquireBy;
use crate::call::look_aged::look_at_age;
use crate::call::lookup::{AddHooks, MemoBy, is_large};
use crate::call::missed::{Missed, MissedBy};
use crate::call::running::RunningBy;
use crate::callee::Callee;
use crate::counters::{Counter, Mine};
use crate::directive::{self, Directive};
use crate::hooks::Hooks;
use crate::key::query::Query;
use crate::key::{OwnedPart, Part, SharedPart};
use crate::memo::Memo;
use crate::memoized::Memoized;
use crate::near::Fast;
use crate::outcome::{Outcome, SharedOutcome, Value};
use crate::scope::{Answered, Asked, Call};

/// [`Callee`], by the borrowed key and the outcome.
type CalleeBy<'c, P, R, O> =
    dyn Callee<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure> + 'c;

/// The first part of an asynchronous call.
///
/// # Errors
///
/// The part that comes next, where nothing was found.
#[allow(private_bounds, reason = "generated code hands over one of the two callees there are")]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_async<P: SharedPart, R, O: SharedOutcome<R>, C: Callee<P::Owned, O::Stored, O::Failure>>(
    callee: &C,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, AcquireBy<P, R, O>> {
    if const { !is_large::<O::Stored>() } {
        match look_first::<P, R, O>(callee.signposted(), key) {
            Look::Hit(stored) => return Ok(outcome.hit(stored)),
            Look::Miss(memo, hash) => return Err(begin_async_miss(memo, hash, key, outcome)),
            Look::Slow => {}
        }
    }
    begin_async_slowly(callee, hooks, key, outcome)
}

/// All of a synchronous call that comes before its body.
///
/// # Errors
///
/// The body is to run.
#[allow(private_bounds, reason = "generated code hands over one of the two callees there are")]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin<P: SharedPart, R, O: SharedOutcome<R>, C: Callee<P::Owned, O::Stored, O::Failure>>(
    callee: &C,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    if const { !is_large::<O::Stored>() } {
        match look_first::<P, R, O>(callee.signposted(), key) {
            Look::Hit(stored) => return Ok(outcome.hit(stored)),
            Look::Miss(memo, hash) => return begin_miss(memo, hash, key, outcome),
            Look::Slow => {}
        }
    }
    begin_slowly(callee, hooks, key, outcome)
}

/// What came of the first look.
enum Look<K: OwnedPart, V: Value, F: Value> {
    /// What is stored, which has been counted as a hit.
    Hit(V),
    /// Nothing is stored. The record, and the hash of the key.
    Miss(&'static Memo<K, V, F>, u64),
    /// It has to be looked at more closely, out of line.
    Slow,
}

/// [`Look`], by the borrowed key and the outcome.
type LookBy<P, R, O> = Look<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure>;

/// A look for a hit of the fast path. `memo` is the record, if this code has come by before.
#[cfg_attr(not(debug_assertions), inline(always))]
fn look_first<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: Option<&'static MemoBy<P, R, O>>,
    key: P,
) -> LookBy<P, R, O> {
    match memo {
        Some(memo) if !directive::pending() => look_once::<P, R, O>(memo, key),
        _ => Look::Slow,
    }
}

/// [`look_first`], where there is a record and nothing is asked of the call.
#[cfg_attr(not(debug_assertions), inline(always))]
fn look_once<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static MemoBy<P, R, O>,
    key: P,
) -> LookBy<P, R, O> {
    let (mine, index) = (Mine::new(), memo.counters.index());
    if !mine.has(index) {
        return Look::Slow;
    }
    let counted = mine.line(index);
    let hash = memo.hash(&key);
    match memo.near.get_fast(hash, Query(key)) {
        Fast::Hit(stored) => {
            counted.count(Counter::Hits);
            Look::Hit(stored)
        }
        Fast::Miss => Look::Miss(memo, hash),
        Fast::Slow => Look::Slow,
    }
}

/// What [`begin`] does on a miss.
#[cold]
#[inline(never)]
fn begin_miss<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static MemoBy<P, R, O>,
    hash: u64,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    Missed::new(memo, hash, key).begin(outcome)
}

/// What [`begin`] does after a look that left the fast path.
#[cold]
#[inline(never)]
fn begin_slowly<P: SharedPart, R, O: SharedOutcome<R>>(
    callee: &CalleeBy<'_, P, R, O>,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    let mut found = None;
    match look_closely::<P, R, O>(callee, hooks, key, &mut found) {
        Some(missed) => missed.begin(outcome),
        None => hit(&mut found, outcome),
    }
}

/// The result of what was found, as what it is in for the caller: a large one stands in no other frame on its way.
#[cfg_attr(not(debug_assertions), inline(always))]
fn hit<R, O: Outcome<R>, E>(found: &mut Option<O::Stored>, outcome: O) -> Result<R, E> {
    match found.take() {
        Some(stored) => Ok(outcome.hit(stored)),
        None => unreachable!("what has not missed has found something"),
    }
}

/// What [`begin_async`] does on a miss.
#[cold]
#[inline(never)]
fn begin_async_miss<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static MemoBy<P, R, O>,
    hash: u64,
    key: P,
    outcome: O,
) -> AcquireBy<P, R, O> {
    Missed::new(memo, hash, key).acquire(outcome)
}

/// What [`begin_async`] does after a look that left the fast path.
#[cold]
#[inline(never)]
fn begin_async_slowly<P: SharedPart, R, O: SharedOutcome<R>>(
    callee: &CalleeBy<'_, P, R, O>,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, AcquireBy<P, R, O>> {
    let mut found = None;
    match look_closely::<P, R, O>(callee, hooks, key, &mut found) {
        Some(missed) => Err(missed.acquire(outcome)),
        None => hit(&mut found, outcome),
    }
}

/// Looks again, in whatever way the call is to be looked up. What is found goes into `found`. Else it gives the call that has
/// missed.
fn look_closely<P: SharedPart, R, O: SharedOutcome<R>>(
    callee: &CalleeBy<'_, P, R, O>,
    hooks: AddHooks<P, R, O>,
    key: P,
    found: &mut Option<O::Stored>,
) -> Option<MissedBy<P, R, O>> {
    let memo = callee.memo(&|| hooks(Hooks::new()));
    if directive::pending_here() {
        if let Some(asked) = directive::asked(&callee.site(), memo.name()) {
            return look_as_asked::<P, R, O>(memo, asked, key, found);
        }
    } else if directive::pending() && const { !is_large::<O::Stored>() } {
        // another thread has a scope: nothing is asked here, and most are hits of the fast path
        match look_once::<P, R, O>(memo, key) {
            Look::Hit(stored) => {
                *found = Some(stored);
                return None;
            }
            Look::Miss(memo, hash) => return Some(Missed::new(memo, hash, key)),
            Look::Slow => {}
        }
    }
    if memo.is_aged() {
        return look_at_age::<P, R, O>(memo, key, None, found);
    }
    let hash = memo.hash(&key);
    memo.near.get_slow(hash, Query(key), found);
    if found.is_none() {
        return Some(Missed::found_nothing(memo, hash, key));
    }
    memo.counters.count(Counter::Hits);
    None
}

/// Looks as a scope, a directive or somebody who listens asks for. It gives what [`look_closely`] gives.
#[inline(never)]
fn look_as_asked<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static MemoBy<P, R, O>,
    asked: Asked,
    key: P,
    found: &mut Option<O::Stored>,
) -> Option<MissedBy<P, R, O>> {
    if asked.directive == Some(Directive::Bypass) {
        return Some(Missed::asked(memo, 0, None, Call::new(asked, memo.name(), None)));
    }
    let (memo, in_use) = asked.choice.of(memo);
    let reads = asked.directive != Some(Directive::Refresh);
    let mut call = Call::new(asked, memo.name(), in_use);
    if call.is_heard() {
        call.shows(memo.shown(&key));
    }
    if reads && (memo.is_aged() || call.asks_of_age()) {
        return look_at_age::<P, R, O>(memo, key, Some(call), found);
    }
    let hash = memo.hash(&key);
    if reads {
        memo.near.get_slow(hash, Query(key), found);
    }
    if found.is_none() {
        return Some(Missed::asked(memo, hash, Some(key.to_owned_part()), call));
    }
    memo.counters.count(Counter::Hits);
    call.answered(Answered::By(memo.near_name()), None);
    None
}
