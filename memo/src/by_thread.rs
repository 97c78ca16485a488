//! The path of a call of a function with `engine = "thread"`: results stay on the thread that computed them.
//!
//! They go into the table of this thread and nowhere else: there are no flights here, no engines behind, and no other thread that
//! looks. A result is not stored if something with its hash was invalidated, or all was cleared, since its computation began.

mod bound;
#[cfg(not(debug_assertions))]
mod held;
mod pooled;

use std::convert::Infallible;

use self::bound::{Bound, Here, Local, LocalBy, by_thread, look};
#[cfg(not(debug_assertions))]
use self::held::Held;
use self::pooled::{Run, RunBy};
use crate::body::Body;
use crate::call::{AddHooks, Ask, Entry, Reply, is_large};
use crate::counters::{Counter, Mine};
use crate::directive::{self, Directive};
use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::hooks::Hooks;
use crate::key::Part;
use crate::memo::Code;
use crate::memoized::Memoized;
use crate::near::{Looked, Table};
use crate::outcome::Outcome;
use crate::pool::Pooled;
use crate::scope::{Answered, Asked, Call};
use crate::site::Site;
use crate::stored::Stored;
use crate::trace;

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
        let hash = memo.hash(&key);
        match look(by_thread(memo), hash, &Here(key)) {
            Looked::Hit(Bound(stored)) => {
                let (mine, index) = (Mine::new(), memo.counters.index());
                if mine.has(index) {
                    mine.line(index).count(Counter::Hits);
                    return Ok(outcome.hit(stored));
                }
            }
            Looked::Miss(Some(table)) if !trace::shows_keys() => {
                #[cfg(not(debug_assertions))]
                if const { held::is_held::<P>() } {
                    return match Held::new(hash, key, table) {
                        Some(held) => Err(RunningHere(Computation::Held(held))),
                        None => {
                            begin_slowly(Some(memo), site, hooks, key, outcome).map_err(RunningHere::pooled)
                        }
                    };
                }
                return Err(RunningHere::pooled(begin_miss(memo, hash, key, table)));
            }
            Looked::Miss(_) | Looked::Slow => {}
        }
    }
    begin_slowly(memo, site, hooks, key, outcome).map_err(RunningHere::pooled)
}

/// What [`begin_here`] does on a miss where the computation is not [`Held`].
#[cold]
#[inline(never)]
fn begin_miss<P: Part, V: Clone + 'static>(
    memo: &'static Local<P::Owned, V>,
    hash: u64,
    key: P,
    table: &'static Table<Bound<P::Owned>, Bound<V>>,
) -> Pooled<Run<P::Owned, V>> {
    Run::usual(memo, key.to_owned_part(), table.begin(hash))
}

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
) -> Result<R, RunBy<P, R, O>> {
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
) -> Result<R, RunBy<P, R, O>> {
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
    Err(match store.begin(hash) {
        Some(running) if !trace::shows_keys() => Run::usual(memo, key, running),
        // at the end of a thread there is no table any more
        running => Run::unusual(memo, Some((Bound(key), running)), None),
    })
}

#[inline(never)]
fn begin_as_asked<P: Part, R, O: Outcome<R>>(
    memo: &'static LocalBy<P, R, O>,
    asked: Asked,
    key: P,
    outcome: O,
) -> Result<R, RunBy<P, R, O>> {
    if asked.directive == Some(Directive::Bypass) {
        return Err(Run::unusual(memo, None, Some(Call::new(asked, memo.name(), None))));
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
            Err(Run::unusual(memo, Some((key, by_thread(memo).begin(hash))), Some(call)))
        }
    }
}

/// A call whose body runs. Dropped before it has [finished](Self::finish), because the body panicked, it was a miss.
pub struct RunningHere<K: Eq + Clone + 'static, V: Clone + 'static>(Computation<K, V>);

impl<K: Eq + Clone + 'static, V: Clone + 'static> std::fmt::Debug for RunningHere<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningHere").finish_non_exhaustive()
    }
}

/// [`RunningHere`], by the borrowed key and the outcome.
type RunningBy<P, R, O> = RunningHere<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// Where what is known of a computation is while the body runs.
enum Computation<K: Eq + Clone + 'static, V: Clone + 'static> {
    /// In registers, which the body saves if it needs them. Code that is not optimized would copy it about in its frames.
    #[cfg(not(debug_assertions))]
    Held(Held<K, V>),
    /// In a block of the pool, so that each level of a recursion has one pointer to it.
    Pooled(Pooled<Run<K, V>>),
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> RunningHere<K, V> {
    #[inline(always)]
    fn pooled(pooled: Pooled<Run<K, V>>) -> Self {
        RunningHere(Computation::Pooled(pooled))
    }

    /// Stores the result of the body.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn finish<R, O: Outcome<R, Stored = V>>(self, outcome: O, result: &R) {
        match self.0 {
            #[cfg(not(debug_assertions))]
            Computation::Held(held) => held.finish(outcome, result),
            Computation::Pooled(pooled) => Run::finish(pooled, outcome, result),
        }
    }

    /// Runs the body, a function of the arguments, and [finishes](Self::finish). Optimized code ends with this call, which takes
    /// the place of its caller.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn apply<A, R, O: Outcome<R, Stored = V>>(
        self,
        outcome: O,
        body: impl Fn(A) -> R,
        arguments: A,
    ) -> R {
        match self.0 {
            #[cfg(not(debug_assertions))]
            Computation::Held(held) => held.apply(outcome, body, arguments),
            Computation::Pooled(pooled) => pooled::apply(pooled, outcome, body, arguments),
        }
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
            let storage = memo.storage(&owned, &value, is_error, Some(&self.asked.options))?;
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
