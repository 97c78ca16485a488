//! The path of a call of a function with `engine = "thread"`: results stay on the thread that computed them.
//!
//! Keys and results need be neither `Send` nor `Sync`. The record of an instantiation is shared by all threads all the
//! same: it is typed by [`Bound`] keys and results, which only this module makes and opens. They go into the table of this
//! thread and nowhere else: there are no flights here, no engines behind, and no other thread that looks.
//!
//! A result is not stored if something with its hash was invalidated, or all was cleared, since its computation began.

#![allow(unsafe_code)]

use std::convert::Infallible;
use std::mem::{forget, needs_drop, transmute};
use std::time::{Duration, Instant};

use crate::body::Body;
use crate::call::{AddHooks, Ask, Entry, Reply, is_large};
use crate::counters::{Counter, Counters, Mine};
use crate::directive::{self, Directive};
use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::hooks::Hooks;
use crate::key::Part;
use crate::memo::{Code, Memo};
use crate::memoized::Memoized;
use crate::near::{Looked, Lookup, Running, Table, Threads, runs_user_code};
use crate::outcome::Outcome;
use crate::scope::{Answered, Asked, Call};
use crate::site::Site;
use crate::slots::Slotted;
use crate::stored::Stored;
use crate::trace::{self, EnteredSpan, Span};

/// What stays on its thread, in the types of a record.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Bound<T>(T);

// SAFETY: threads share types with this in them, and no values of it. It is made in this module only, of what a call on
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
type Local<K, V> = Memo<Bound<K>, Bound<V>, Infallible>;

/// Looks a table up by a borrowed key.
struct Here<P>(P);

impl<P: Part> Lookup<Bound<P::Owned>> for Here<P> {
    const IS_CHEAP: bool = P::IS_CHEAP;

    #[inline(always)]
    fn matches(&self, key: &Bound<P::Owned>) -> bool {
        self.0.matches(&key.0)
    }
}

/// Functions of a value, as such of a value that is bound.
mod bound {
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
    fn bound(self) -> Hooks<Bound<K>, Bound<V>> {
        Hooks {
            weigh: self.weigh.map(bound::weigh),
            ttl_of: self.ttl_of.map(bound::lifetime),
            cache_if: self.cache_if.map(bound::test),
            is_none: self.is_none.map(bound::test),
            valid_if: self.valid_if.map(bound::test),
            #[cfg(feature = "tracing")]
            show: self.show.map(bound::show),
            far: None,
            by_thread: Some(Threads::new),
        }
    }
}

/// All of a call that comes before its body, for a function whose results stay on their thread: as
/// [`begin`](crate::call::begin).
///
/// # Errors
///
/// The body is to run.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_here<P: Part, R, O: Outcome<R>, S: Fn() -> Site>(
    site: S,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    const { assert!(size_of::<S>() == 0) };
    let memo = Site::signposted::<S, Bound<P::Owned>, Bound<O::Stored>, Infallible>(&site);
    if let Some(memo) = memo
        && const { !is_large::<O::Stored>() }
        && !directive::pending()
    {
        let (mine, place) = (Mine::new(), memo.counters.place());
        if mine.has(place) {
            let counted = mine.line(place);
            let hash = memo.hash(&key);
            match look(by_thread(memo), hash, &Here(key)) {
                Looked::Hit(Bound(stored)) => {
                    counted.count(Counter::Hits);
                    return Ok(outcome.hit(stored));
                }
                Looked::Miss(Some(table)) if !trace::shows_keys() => {
                    return Err(begin_miss(memo, hash, key, table));
                }
                Looked::Miss(_) | Looked::Slow => {}
            }
        }
    }
    begin_slowly(memo, site, hooks, key, outcome)
}

/// Looks into this thread's table.
#[inline(always)]
fn look<'t, P: Part, V: Clone + 'static>(
    store: &'t Threads<Bound<P::Owned>, Bound<V>>,
    hash: u64,
    query: &Here<P>,
) -> Looked<'t, Bound<P::Owned>, Bound<V>> {
    let is_simple = P::IS_CHEAP && !needs_drop::<(P::Owned, V)>();
    if is_simple && !runs_user_code::<P::Owned>() && !runs_user_code::<V>() {
        // SAFETY: both are types of std's own that own nothing, so that no allocator is called either, and a cheap key is of
        // the same type as its owned form.
        unsafe { store.look_simply(hash, query) }
    } else {
        store.look(hash, query)
    }
}

/// Where the results are. There is no other near store for such a function, whatever a scope or the configuration says.
#[inline(always)]
fn by_thread<K: Eq + Clone + 'static, V: Clone + 'static>(
    memo: &'static Local<K, V>,
) -> &'static Threads<Bound<K>, Bound<V>> {
    match memo.near.by_thread() {
        Some(store) => store,
        None => unreachable!("the record of a function with `engine = \"thread\"` has another store"),
    }
}

/// What [`begin_here`] does on a miss.
#[cold]
#[inline(never)]
fn begin_miss<P: Part, V: Clone + 'static>(
    memo: &'static Local<P::Owned, V>,
    hash: u64,
    key: P,
    table: &'static Table<Bound<P::Owned>, Bound<V>>,
) -> RunningHere<P::Owned, V> {
    RunningHere::plain(memo, hash, key.to_owned_part(), table.begin())
}

/// The record of such a function with keys `P` and results `R` stored as `O` says.
type LocalBy<P, R, O> = Local<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// What [`begin_here`] does after a look that left the fast path. `memo` is the record, if this code has come by before.
//
// Few arguments, for which the caller's frame needs no room.
#[cold]
#[inline(never)]
fn begin_slowly<P: Part, R, O: Outcome<R>, S: Fn() -> Site>(
    memo: Option<&'static LocalBy<P, R, O>>,
    site: S,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    look_closely(memo, Code::of::<S>(), &site, hooks, key, outcome)
}

/// Looks again, in whatever way the call is to be looked up. `memo` is the record, if `code` has come by before.
fn look_closely<P: Part, R, O: Outcome<R>>(
    memo: Option<&'static LocalBy<P, R, O>>,
    code: Code<Bound<P::Owned>, Bound<O::Stored>, Infallible>,
    site: &dyn Fn() -> Site,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    let memo = memo.unwrap_or_else(|| site().memo_by(code, &|| hooks(Hooks::new()).bound()));
    let asked = if directive::pending_here() { directive::asked(&site(), memo.name()) } else { None };
    if let Some(asked) = asked {
        return begin_as_asked(memo, asked, key, outcome);
    }
    let hash = memo.hash(&key);
    let store = by_thread(memo);
    if let Some(Bound(stored)) = store.get(hash, Here(key)) {
        memo.counters.count(Counter::Hits);
        return Ok(outcome.hit(stored));
    }
    let key = key.to_owned_part();
    Err(match store.begin() {
        Some(running) if !trace::shows_keys() => RunningHere::plain(memo, hash, key, running),
        // at the end of a thread there is no table any more
        running => RunningHere::told(memo, hash, Some((Bound(key), running)), None),
    })
}

#[inline(never)]
fn begin_as_asked<P: Part, R, O: Outcome<R>>(
    memo: &'static LocalBy<P, R, O>,
    asked: Asked,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    if asked.directive == Some(Directive::Bypass) {
        return Err(RunningHere::told(memo, 0, None, Some(Call::new(asked, memo.name(), None))));
    }
    let (memo, in_use) = asked.choice.of(memo);
    let reads = asked.directive != Some(Directive::Refresh);
    let mut call = Call::new(asked, memo.name(), in_use);
    if call.is_heard() {
        call.shows(memo.shown_of(&Bound(key.to_owned_part())));
    }
    let hash = memo.hash(&key);
    let found = if reads { by_thread(memo).get(hash, Here(key)) } else { None };
    match found {
        Some(Bound(stored)) => {
            memo.counters.count(Counter::Hits);
            let result = outcome.hit(stored);
            call.answered(Answered::By(memo.near_name()), None);
            Ok(result)
        }
        None => {
            let key = Bound(key.to_owned_part());
            Err(RunningHere::told(memo, hash, Some((key, by_thread(memo).begin())), Some(call)))
        }
    }
}

/// Note in this thread's table of a computation that is under way.
type Underway<K, V> = Running<'static, Bound<K>, Bound<V>>;

/// A key, and the note that its computation is under way.
type Noted<K, V> = (Bound<K>, Option<Underway<K, V>>);

/// A call whose body runs. Dropped before it has [finished](Self::finish), because the body panicked, it was a miss.
//
// What is known of it is in a slot, so that each level of a recursion holds one pointer to it.
pub struct RunningHere<K: Eq + Clone + 'static, V: Clone + 'static>(Slotted<Run<K, V>>);

impl<K: Eq + Clone + 'static, V: Clone + 'static> std::fmt::Debug for RunningHere<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningHere").finish_non_exhaustive()
    }
}

/// [`RunningHere`], by the borrowed key and the outcome.
type RunningBy<P, R, O> = RunningHere<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// The plain one is nearly every one.
enum Run<K: Eq + Clone + 'static, V: Clone + 'static> {
    Plain(Plain<K, V>),
    /// One of those that are timed.
    Timed(Plain<K, V>, Instant),
    Told(Box<Told<K, V>>),
}

/// A computation under way of which nothing is asked, and that nobody is told of.
struct Plain<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    hash: u64,
    /// None once it has ended.
    running: Option<(Underway<K, V>, K)>,
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Drop for Plain<K, V> {
    #[inline]
    fn drop(&mut self) {
        if self.running.is_some() {
            self.memo.counters.count(Counter::Misses);
        }
    }
}

/// A computation under way of which something is asked, that somebody is told of, or whose thread has no tables any
/// more.
struct Told<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    hash: u64,
    span: Option<EnteredSpan>,
    /// None if nothing is stored.
    running: Option<(Bound<K>, Underway<K, V>)>,
    clock: Option<Instant>,
    /// What is asked of it, if anything is. Last: it holds on to the record.
    call: Option<Call>,
}

/// A computation whose result has not been stored, or not yet.
struct Unstored<'c>(&'c Counters);

impl Drop for Unstored<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.missed_and_computed();
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> RunningHere<K, V> {
    fn plain(memo: &'static Local<K, V>, hash: u64, key: K, running: Underway<K, V>) -> Self {
        let clock = running.clock();
        let plain = Plain { memo, hash, running: Some((running, key)) };
        RunningHere(Slotted::new(|| match clock {
            None => Run::Plain(plain),
            Some(clock) => Run::Timed(plain, clock),
        }))
    }

    /// `key` is none for a call that neither looks nor stores, and its note in the table is none at the end of a thread.
    #[cold]
    #[inline(never)]
    fn told(memo: &'static Local<K, V>, hash: u64, key: Option<Noted<K, V>>, call: Option<Call>) -> Self {
        let refreshes = call.as_ref().is_some_and(|call| call.directive == Some(Directive::Refresh));
        let heard = call.as_ref().is_some_and(|call| call.is_heard());
        if key.is_some() && !refreshes {
            memo.counters.count(Counter::Misses);
            call.iter().for_each(|call| call.missed());
        }
        // timed in any case where somebody is told of it
        let clock = if heard { Some(Instant::now()) } else { memo.counters.start() };
        let shown = || memo.shown_of(&key.as_ref()?.0);
        let span = trace::shows_keys().then(|| Span::of(memo.name(), shown).enter());
        let running = key.and_then(|(key, running)| Some((key, running?)));
        let told = Box::new(Told { memo, hash, span, running, clock, call });
        RunningHere(Slotted::new(|| Run::Told(told)))
    }

    /// Stores the result of the body.
    #[inline(never)]
    pub fn finish<R, O: Outcome<R, Stored = V>>(mut self, outcome: O, result: &R) {
        // what is in the slot is not moved as a whole, having been written in parts just now: the processor would wait for that
        match &mut *self.0 {
            Run::Plain(plain) => plain.finish(outcome, result),
            Run::Timed(plain, clock) => {
                plain.memo.counters.timed(clock.elapsed());
                plain.finish(outcome, result);
            }
            Run::Told(told) => told.finish(outcome, result),
        }
    }

    /// Runs the body, a function of the arguments, and [finishes](Self::finish). Optimized code ends with this call, which takes
    /// the place of its caller.
    #[cold]
    #[inline(never)]
    pub fn apply<A, R, O: Outcome<R, Stored = V>>(self, outcome: O, body: fn(A) -> R, arguments: A) -> R {
        let result = body(arguments);
        self.finish(outcome, &result);
        result
    }

    /// Runs the body and [finishes](Self::finish). A large result goes this way: it stands in one frame less than where the
    /// function runs the body itself.
    #[inline(never)]
    pub fn run<R, O: Outcome<R, Stored = V>>(self, outcome: O, body: &mut dyn Body<R>) -> R {
        let result = body.run();
        self.finish(outcome, &result);
        result
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Plain<K, V> {
    /// Counts it, and stores what is to be stored. Nothing is left to be dropped.
    #[inline(always)]
    fn finish<R, O: Outcome<R, Stored = V>>(&mut self, outcome: O, result: &R) {
        let memo = self.memo;
        let unstored = Unstored(&memo.counters);
        let Some((running, key)) = self.running.take() else { return };
        if store(memo, self.hash, key, &running, outcome, result, None) {
            forget(unstored);
            memo.counters.count(Counter::StoredMisses);
        }
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Told<K, V> {
    #[cold]
    #[inline(never)]
    fn finish<R, O: Outcome<R, Stored = V>>(&mut self, outcome: O, result: &R) {
        let Told { memo, hash, clock, .. } = *self;
        let mut call = self.call.take();
        self.span = None;
        let cost = memo.counters.computed(clock);
        let (mut writes, mut ttl) = (true, None);
        if let Some(call) = &mut call {
            call.answered(Answered::Computed, cost);
            (writes, ttl) = (call.writes(), call.options.ttl);
        }
        let Some((key, running)) = self.running.take() else { return };
        let shown = if call.is_none() && event::may_be_heard() { memo.shown_of(&key) } else { None };
        let stored = writes && store(memo, hash, key.0, &running, outcome, result, ttl);
        if stored {
            memo.counters.count(Counter::Stored);
        }
        drop(running);
        match call {
            // it is told as the call ends, here
            Some(mut call) if stored => call.stored(),
            None if stored => event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref()),
            _ => {}
        }
        event::tell_rest();
    }
}

/// Puts what is to be stored of a result into the table; whether something was, which is for the caller to count.
#[inline(always)]
fn store<K: Eq + Clone + 'static, R, O: Outcome<R>>(
    memo: &Local<K, O::Stored>,
    hash: u64,
    key: K,
    running: &Underway<K, O::Stored>,
    outcome: O,
    result: &R,
    ttl: Option<Duration>,
) -> bool {
    let Some(value) = outcome.stored(result) else { return false };
    let is_error = outcome.is_error(&value);
    let (key, value) = (Bound(key), Bound(value));
    if memo.is_plain() && ttl.is_none() {
        return running.store_plain(hash, key, value);
    }
    let Some(storage) = memo.storage(&key, &value, is_error, ttl) else { return false };
    running.store(hash, key, value, storage.weight, storage.lifetime)
}

/// Puts a question to the entry of `key` in this thread's table: as [`control`](crate::call::control).
pub fn control_here<P: Part, R: 'static, O: Outcome<R>>(
    site: Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
    ask: Ask<'_, R>,
) {
    let add = || hooks(Hooks::new()).bound();
    let origin = site.memo::<Bound<P::Owned>, Bound<O::Stored>, Infallible>(&add);
    let asked = Asked::of(origin.name()).unwrap_or_default();
    ask(&HereEntry { origin, asked, key: *key, outcome });
}

/// The entry of a function whose results stay on their thread.
struct HereEntry<P: Part, R, O: Outcome<R>> {
    origin: &'static Local<P::Owned, O::Stored>,
    asked: Asked,
    key: P,
    outcome: O,
}

impl<P: Part, R, O: Outcome<R>> HereEntry<P, R, O> {
    /// Removes the entry where the scopes in force do not lead, and the function's calls may look.
    fn forget_elsewhere(&self) {
        for (other, _in_use) in self.asked.choice.others(self.origin) {
            by_thread(other).remove(other.hash(&self.key), &Here(self.key));
        }
    }
}

impl<P: Part, R: 'static, O: Outcome<R>> Entry<R> for HereEntry<P, R, O> {
    fn peek(&self) -> Reply<Option<R>> {
        let (memo, _in_use) = self.asked.choice.of(self.origin);
        if !memo.settings.enabled() {
            return Reply::Now(None);
        }
        let found = by_thread(memo).peek(memo.hash(&self.key), &Here(self.key));
        Reply::Now(found.map(|Bound(stored)| self.outcome.hit(stored)))
    }

    fn peek_entry(&self) -> Reply<Option<Stored<R>>> {
        let engine = self.asked.choice.of(self.origin).0.near_name();
        let found = self.peek().now();
        Reply::Now(found.map(|value| Stored::near(value, engine, None)))
    }

    fn insert(&self, result: R) -> Reply<Result<(), Error>> {
        let HereEntry { key, outcome, .. } = *self;
        let (memo, _in_use) = self.asked.choice.of(self.origin);
        let owned = Bound(key.to_owned_part());
        let storable = outcome.stored(&result).and_then(|value| {
            let is_error = outcome.is_error(&value);
            let value = Bound(value);
            let storage = memo.storage(&owned, &value, is_error, self.asked.options.ttl)?;
            Some((value, storage))
        });
        let Some((value, storage)) = storable else {
            return Reply::Now(Err(Error::new(ErrorKind::NotStorable, memo.name())));
        };
        self.forget_elsewhere();
        let (near, hash) = (by_thread(memo), memo.hash(&key));
        // what is being computed for this key now is not stored in its place
        near.remove(hash, &Here(key));
        near.insert_from(hash, owned, &mut Some(value), storage.weight, storage.lifetime);
        memo.counters.count(Counter::Stored);
        let shown = memo.shown_of(&Bound(key.to_owned_part()));
        event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref());
        Reply::Now(Ok(()))
    }

    /// Drops it: results that stay on their threads are never stale.
    fn expire(&self) -> Reply<Result<(), Error>> {
        self.invalidate()
    }

    fn invalidate(&self) -> Reply<Result<(), Error>> {
        let (memo, _in_use) = self.asked.choice.of(self.origin);
        self.forget_elsewhere();
        by_thread(memo).remove(memo.hash(&self.key), &Here(self.key));
        Reply::Now(Ok(()))
    }
}
