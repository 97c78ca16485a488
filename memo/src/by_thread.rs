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

use crate::call::{AddHooks, LARGE, Op, Reply};
use crate::directive::{self, Directive};
use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::function::{Code, Hooks, Memo, Site};
use crate::key::Part;
use crate::near::{Looked, Lookup, Running, Table, Threads, runs_user_code};
use crate::outcome::Outcome;
use crate::registry::Memoized;
use crate::scope::{Answered, Asked, Call};
use crate::stats::{Counter, Counters};
use crate::trace::{self, Span};

/// What stays on its thread, in the types of a record.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Bound<T>(T);

// SAFETY: threads share types with this in them, and no values of it. It is made in this module only, of what a call on
// this thread has, goes into this thread's table, and is compared, cloned and dropped there, on this thread.
unsafe impl<T> Send for Bound<T> {}
// SAFETY: as above.
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
        // SAFETY: see above.
        unsafe { transmute(of) }
    }

    pub(super) fn lifetime<V>(of: fn(&V) -> Option<Duration>) -> fn(&Bound<V>) -> Option<Duration> {
        // SAFETY: see above.
        unsafe { transmute(of) }
    }

    pub(super) fn test<V>(of: fn(&V) -> bool) -> fn(&Bound<V>) -> bool {
        // SAFETY: see above.
        unsafe { transmute(of) }
    }

    #[cfg(feature = "tracing")]
    pub(super) fn show<K>(of: fn(&K) -> String) -> fn(&Bound<K>) -> String {
        // SAFETY: see above.
        unsafe { transmute(of) }
    }
}

impl<K: Eq + 'static, V: Clone + 'static> Hooks<K, V> {
    /// The same, of keys and results that are bound.
    fn bound(self) -> Hooks<Bound<K>, Bound<V>> {
        Hooks {
            weigh: self.weigh.map(bound::weigh),
            ttl_of: self.ttl_of.map(bound::lifetime),
            cache_if: self.cache_if.map(bound::test),
            skip: self.skip.map(bound::test),
            #[cfg(feature = "tracing")]
            show: self.show.map(bound::show),
            far: None,
            by_thread: Some(Threads::new),
        }
    }
}

/// A call that found nothing in its thread's table.
#[derive(Debug)]
pub struct MissedHere<K: Eq + Clone + 'static, V: Clone + 'static>(Miss<K, V>);

/// The usual one stays in registers as long as it is a type that no function hands out of its frame.
#[derive(Debug)]
enum Miss<K: Eq + Clone + 'static, V: Clone + 'static> {
    Usual(Usual<K, V>),
    Other(Box<Other<K, V>>),
}

/// A miss of which nothing is asked.
#[derive(Debug)]
struct Usual<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    hash: u64,
    key: K,
    /// Where it has looked; none if there is no table yet, or it could not be read.
    table: Option<&'static Table<Bound<K>, Bound<V>>>,
}

/// A miss that did not come the usual way.
#[derive(Debug)]
struct Other<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    hash: u64,
    /// None if it does not write.
    key: Option<K>,
    /// What is asked of it, if anything is.
    call: Option<Call>,
}

/// [`MissedHere`], by the borrowed key and the outcome.
type MissedBy<P, R, O> = MissedHere<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// [`Other`], by the same.
type OtherBy<P, R, O> = Box<Other<<P as Part>::Owned, <O as Outcome<R>>::Stored>>;

/// Looks into this thread's table: as [`enter`](crate::call::enter), for functions whose results stay on their thread.
///
/// # Errors
///
/// A call that found nothing, to go on with.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn enter_here<P: Part, R, O: Outcome<R>, S: Fn() -> Site>(
    site: S,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    const { assert!(size_of::<S>() == 0) };
    match Site::usual_memo::<S, Bound<P::Owned>, Bound<O::Stored>, Infallible>(&site) {
        Some(memo) if const { size_of::<O::Stored>() <= LARGE } => {
            if directive::pending() {
                return other(enter_slowly(memo, site(), key, outcome));
            }
            let hash = memo.hash(&key);
            match look(by_thread(memo), hash, &Here(key)) {
                Looked::Hit(Bound(stored)) => {
                    memo.counters.count(Counter::Hits);
                    Ok(outcome.hit(stored))
                }
                Looked::Miss(table) => {
                    Err(MissedHere(Miss::Usual(Usual { memo, hash, key: key.to_owned_part(), table })))
                }
                Looked::Slow => other(enter_in_full(memo, hash, key, outcome)),
            }
        }
        Some(memo) => other(enter_slowly(memo, site(), key, outcome)),
        None => other(enter_first(site(), Code::of::<S>(), hooks, key, outcome)),
    }
}

/// What came the other way, as what the call goes on with.
#[inline(always)]
fn other<R, K: Eq + Clone + 'static, V: Clone + 'static>(
    entered: Result<R, Box<Other<K, V>>>,
) -> Result<R, MissedHere<K, V>> {
    match entered {
        Ok(result) => Ok(result),
        Err(missed) => Err(MissedHere(Miss::Other(missed))),
    }
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

#[cold]
#[inline(never)]
fn enter_first<P: Part, R, O: Outcome<R>>(
    site: Site,
    code: Code<Bound<P::Owned>, Bound<O::Stored>, Infallible>,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, OtherBy<P, R, O>> {
    enter_slowly(site.memo_by(code, &|| hooks(Hooks::new()).bound()), site, key, outcome)
}

#[inline(never)]
fn enter_slowly<P: Part, R, O: Outcome<R>>(
    memo: &'static Local<P::Owned, O::Stored>,
    site: Site,
    key: P,
    outcome: O,
) -> Result<R, OtherBy<P, R, O>> {
    let asked = if directive::pending() { directive::asked(&site, memo.name()) } else { None };
    match asked {
        Some(asked) => enter_as_asked(memo, asked, key, outcome),
        None => enter_in_full(memo, memo.hash(&key), key, outcome),
    }
}

/// Whatever there is to be done for a hit.
#[cold]
#[inline(never)]
fn enter_in_full<P: Part, R, O: Outcome<R>>(
    memo: &'static Local<P::Owned, O::Stored>,
    hash: u64,
    key: P,
    outcome: O,
) -> Result<R, OtherBy<P, R, O>> {
    match by_thread(memo).get(hash, Here(key)) {
        Some(Bound(stored)) => {
            memo.counters.count(Counter::Hits);
            Ok(outcome.hit(stored))
        }
        None => Err(Box::new(Other { memo, hash, key: Some(key.to_owned_part()), call: None })),
    }
}

#[inline(never)]
fn enter_as_asked<P: Part, R, O: Outcome<R>>(
    memo: &'static Local<P::Owned, O::Stored>,
    asked: Asked,
    key: P,
    outcome: O,
) -> Result<R, OtherBy<P, R, O>> {
    if asked.directive == Some(Directive::Bypass) {
        let call = Some(Call::new(asked, memo.name(), None));
        return Err(Box::new(Other { memo, hash: 0, key: None, call }));
    }
    let (memo, lease) = asked.place.of(memo);
    let reads = asked.directive != Some(Directive::Refresh);
    let mut call = Call::new(asked, memo.name(), lease);
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
        None => Err(Box::new(Other { memo, hash, key: Some(key.to_owned_part()), call: Some(call) })),
    }
}

/// Note in this thread's table of a computation that is under way.
type Underway<K, V> = Running<'static, Bound<K>, Bound<V>>;

/// A computation under way, of which nothing is asked. Dropped before it is finished, since the body has panicked, it
/// was a miss.
struct Started<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    hash: u64,
    /// None at the end of a thread, which has no tables any more.
    running: Option<(K, Underway<K, V>)>,
    clock: Option<Instant>,
}

/// A computation whose result has not been stored, or not yet.
struct Unstored<'c>(&'c Counters);

impl Drop for Unstored<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.missed_and_computed();
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Started<K, V> {
    /// Counts it and stores what is to be stored. Nothing is left to be dropped.
    #[inline(never)]
    fn finish<R, O: Outcome<R, Stored = V>>(&mut self, outcome: O, result: &R) {
        let memo = self.memo;
        if let Some(clock) = self.clock {
            memo.counters.timed(clock.elapsed());
        }
        let unstored = Unstored(&memo.counters);
        let Some((key, running)) = self.running.take() else { return };
        if store(memo, self.hash, key, &running, outcome, result, None) {
            forget(unstored);
            memo.counters.count(Counter::Plain);
        }
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Drop for Started<K, V> {
    #[inline]
    fn drop(&mut self) {
        if self.running.is_some() {
            self.memo.counters.count(Counter::Misses);
        }
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

impl<K: Eq + Clone + 'static, V: Clone + 'static> MissedHere<K, V> {
    /// The rest of the call: computes and stores.
    #[inline]
    pub fn run<R, O: Outcome<R, Stored = V>>(self, outcome: O, body: impl FnOnce() -> R) -> R {
        let usual = match self.0.usual() {
            Ok(usual) => usual,
            Err(mut other) => {
                let mut body = Some(body);
                return other.run(outcome, &mut || match body.take() {
                    Some(body) => body(),
                    None => unreachable!("a body runs once"),
                });
            }
        };
        let mut started = usual.start();
        let result = body();
        started.finish(outcome, &result);
        forget(started);
        result
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Miss<K, V> {
    /// One of which nothing is asked, and where nobody listens.
    #[inline(always)]
    fn usual(self) -> Result<Usual<K, V>, Box<Other<K, V>>> {
        match self {
            Miss::Usual(usual) if !trace::shows_keys() => Ok(usual),
            Miss::Usual(usual) => Err(usual.other()),
            Miss::Other(other) => match other.usual() {
                Ok((memo, hash, key)) => Ok(Usual { memo, hash, key, table: None }),
                Err(other) => Err(other),
            },
        }
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Usual<K, V> {
    #[cold]
    #[inline(never)]
    fn other(self) -> Box<Other<K, V>> {
        let Usual { memo, hash, key, .. } = self;
        Box::new(Other { memo, hash, key: Some(key), call: None })
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn start(self) -> Started<K, V> {
        let Usual { memo, hash, key, table } = self;
        let running = match table {
            Some(table) => Some(table.begin()),
            None => by_thread(memo).begin(),
        };
        let running = running.map(|running| (key, running));
        let clock = running.as_ref().and_then(|(_, running)| running.clock());
        Started { memo, hash, running, clock }
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Other<K, V> {
    /// What a usual miss has, if it is one of which nothing is asked, and where nobody listens.
    #[cold]
    #[inline(never)]
    #[allow(clippy::type_complexity, reason = "the parts of a `Usual`, which stays in registers")]
    fn usual(mut self: Box<Self>) -> Result<(&'static Local<K, V>, u64, K), Box<Self>> {
        match self.key.take() {
            Some(key) if self.call.is_none() && !trace::shows_keys() => Ok((self.memo, self.hash, key)),
            key => {
                self.key = key;
                Err(self)
            }
        }
    }

    /// As [`MissedHere::run`], where something is asked of the call, or somebody listens.
    #[cold]
    #[inline(never)]
    fn run<R, O: Outcome<R, Stored = V>>(&mut self, outcome: O, body: &mut dyn FnMut() -> R) -> R {
        let (memo, mut call) = (self.memo, self.call.take());
        let refreshes = call.as_ref().is_some_and(|call| call.directive == Some(Directive::Refresh));
        let heard = call.as_ref().is_some_and(|call| call.is_heard());
        if self.key.is_some() && !refreshes {
            memo.counters.count(Counter::Misses);
            call.iter().for_each(|call| call.missed());
        }
        // timed in any case where somebody is told of it
        let clock = if heard { Some(Instant::now()) } else { memo.counters.start() };
        let key = self.key.take().map(Bound);
        let running = key.is_some().then(|| by_thread(memo).begin()).flatten();
        let result = {
            let _span = Span::of(memo.name(), || memo.shown_of(key.as_ref()?)).enter();
            body()
        };
        let cost = memo.counters.computed(clock);
        let (mut writes, mut ttl) = (true, None);
        if let Some(call) = &mut call {
            call.answered(Answered::Computed, cost);
            (writes, ttl) = (call.writes(), call.ttl);
        }
        let Some((key, running)) = key.zip(running) else { return result };
        let shown = if call.is_none() { memo.shown_of(&key) } else { None };
        let stored = writes && store(memo, self.hash, key.0, &running, outcome, &result, ttl);
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
        result
    }
}

/// Does `op` with `key`, in this thread's table: as [`control`](crate::call::control).
pub fn control_here<P: Part, R: 'static, O: Outcome<R>>(
    site: Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
    op: Op<R>,
) -> Reply<R> {
    let add = || hooks(Hooks::new()).bound();
    let origin = site.memo::<Bound<P::Owned>, Bound<O::Stored>, Infallible>(&add);
    let Asked { place, ttl, .. } = Asked::of(origin.name()).unwrap_or_default();
    let (memo, _lease) = place.of(origin);
    let hash = memo.hash(key);
    let near = by_thread(memo);
    match op {
        Op::Peek if !memo.settings.enabled() => Reply::Peeked(None),
        Op::Peek => Reply::Peeked(near.peek(hash, &Here(*key)).map(|Bound(stored)| outcome.hit(stored))),
        Op::Insert(result) => {
            let owned = Bound(key.to_owned_part());
            let storable = outcome.stored(&result).and_then(|value| {
                let is_error = outcome.is_error(&value);
                let value = Bound(value);
                let storage = memo.storage(&owned, &value, is_error, ttl)?;
                Some((value, storage))
            });
            let Some((value, storage)) = storable else {
                return Reply::Done(Err(Error::new(ErrorKind::NotStorable, memo.name())));
            };
            for (other, _lease) in place.others(origin) {
                by_thread(other).remove(other.hash(key), &Here(*key));
            }
            // what is being computed for this key now is not stored in its place
            near.remove(hash, &Here(*key));
            near.insert_from(hash, owned, &mut Some(value), storage.weight, storage.lifetime);
            memo.counters.count(Counter::Stored);
            let shown = memo.shown_of(&Bound(key.to_owned_part()));
            event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref());
            Reply::Done(Ok(()))
        }
        Op::Invalidate => {
            for (other, _lease) in place.others(origin) {
                by_thread(other).remove(other.hash(key), &Here(*key));
            }
            near.remove(hash, &Here(*key));
            Reply::Done(Ok(()))
        }
    }
}
