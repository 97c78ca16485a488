//! The one path of a memoized call: make the key, look nearby, and on a miss compute once per key and store.
//!
//! Synchronous and asynchronous functions enter it alike. What may wait is written once, as `async`
//! ([`Waiting::end`]); a synchronous call runs it on its thread. The body itself runs in between, in the caller's own
//! frame, so that neither kind has to be turned into the other.

use std::future::Future;
use std::time::Instant;

use crate::directive::{self, Directive};
use crate::error::{Error, ErrorKind};
use crate::flight::{Joined, Landed, Lead, Wait, Waited};
use crate::function::{Hooks, Memo, Site};
use crate::key::{OwnedPart, Part, Query};
use crate::near::Lookup;
use crate::outcome::{Outcome, Value};
use crate::park::block_on;
use crate::registry::Memoized;
use crate::stats::Counter;

/// Finds an owned key by another.
struct Same<'a, K>(&'a K);

impl<K: Eq> Lookup<K> for Same<'_, K> {
    fn matches(&self, key: &K) -> bool {
        *self.0 == *key
    }
}

/// Adds to the hooks of a function with keys `P` and results `R` stored as `O` says.
type AddHooks<P, R, O> = fn(
    Hooks<<P as Part>::Owned, <O as Outcome<R>>::Stored>,
) -> Hooks<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// [`Missed`], by the borrowed key and the outcome.
type MissedBy<P, R, O> = Missed<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure>;

/// A call that found nothing nearby.
#[derive(Debug)]
pub struct Missed<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    key: Option<K>,
    directive: Option<Directive>,
}

/// Looks nearby: the fast path of every call ends here.
///
/// `site` is a function so that what only the slow path wants of it is made there.
///
/// # Errors
///
/// A call that found nothing, to go on with.
// in unoptimized code, inlining would only put all of this into the frame that a recursion repeats
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn enter<P: Part, R, O: Outcome<R>>(
    site: impl Fn() -> Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    let memo = Site::memo::<P::Owned, O::Stored, O::Failure>(&site, hooks);
    if directive::pending()
        && let Some(directive) = directive::take(&site())
    {
        return Err(Missed::directed(memo, key, directive));
    }
    let hash = memo.hash(key);
    match memo.near.get(hash, Query(*key)) {
        Some(stored) => {
            memo.counters.count(Counter::Hits);
            Ok(outcome.hit(stored))
        }
        None => Err(Missed::new(memo, hash, key)),
    }
}

impl<K: OwnedPart, V: Value, F: Value> Missed<K, V, F> {
    /// A call for the models, which looks nearby as [`enter`] does.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Result<V, Self> {
        let found = memo.near.get(hash, Same(&key));
        found.ok_or(Missed { memo, hash, key: Some(key), directive: None })
    }

    #[cold]
    #[inline(never)]
    fn new<P: Part<Owned = K>>(memo: &'static Memo<K, V, F>, hash: u64, key: &P) -> Self {
        Missed { memo, hash, key: Some(key.to_owned_part()), directive: None }
    }

    #[cold]
    fn directed<P: Part<Owned = K>>(memo: &'static Memo<K, V, F>, key: &P, directive: Directive) -> Self {
        let key_needed = directive != Directive::Bypass;
        Missed {
            memo,
            hash: memo.hash(key),
            key: key_needed.then(|| key.to_owned_part()),
            directive: Some(directive),
        }
    }

    /// The rest of a synchronous call: waits for another call's result, or computes and stores one.
    #[inline(never)]
    pub fn run<R, O: Outcome<R, Stored = V, Failure = F>>(self, outcome: O, body: impl FnOnce() -> R) -> R {
        // little of ours is on the stack while the body runs: it may call this function again, to any depth
        match self.acquire_blocking(outcome) {
            Ok(result) => result,
            Err(computation) => {
                let held = computation.lead.as_ref().map(Lead::hold);
                let result = body();
                drop(held);
                computation.finish(outcome, result)
            }
        }
    }

    #[inline(never)]
    fn acquire_blocking<R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        outcome: O,
    ) -> Result<R, Computation<K, V, F>> {
        let begun = match self.begin(true) {
            Begun::Wait(wait) => block_on(wait.end()),
            begun => begun,
        };
        begun.result(outcome)
    }

    /// The part of an asynchronous call that comes before the body: waits for another call's result.
    ///
    /// # Errors
    ///
    /// The right to compute, where nobody else does.
    pub async fn acquire<R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        outcome: O,
    ) -> Result<R, Computation<K, V, F>> {
        let begun = match self.begin(false) {
            Begun::Wait(wait) => wait.end().await,
            begun => begun,
        };
        begun.result(outcome)
    }

    fn begin(self, blocks: bool) -> Begun<K, V, F> {
        let Missed { memo, hash, key, directive } = self;
        let Some(key) = key else {
            return Begun::Compute(Computation::new(memo, None));
        };
        if directive == Some(Directive::Refresh) {
            memo.flights.supersede(hash, &Same(&key));
            return Begun::Compute(Computation::new(memo, Some(memo.flights.alone(hash, key))));
        }
        if !memo.settings.single_flight {
            return Begun::alone(memo, hash, key);
        }
        Begun::join(memo, hash, key, blocks)
    }
}

/// What a call that found nothing nearby does next.
enum Begun<K: OwnedPart, V: Value, F: Value> {
    /// Another call has just stored or shared a value.
    Found(V),
    /// Another call has just failed.
    Failed(F),
    /// It computes.
    Compute(Computation<K, V, F>),
    /// It waits for another call's computation.
    Wait(Waiting<K, V, F>),
}

struct Waiting<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    blocks: bool,
    wait: Wait<'static, K, V, F>,
}

impl<K: OwnedPart, V: Value, F: Value> Begun<K, V, F> {
    fn join(memo: &'static Memo<K, V, F>, hash: u64, key: K, blocks: bool) -> Self {
        match memo.flights.join(hash, key, blocks) {
            Joined::Lead(lead) => Self::lead(memo, lead),
            Joined::Wait(wait) => Begun::Wait(Waiting { memo, hash, blocks, wait }),
        }
    }

    fn alone(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Self {
        memo.counters.count(Counter::Misses);
        Begun::Compute(Computation::new(memo, Some(memo.flights.alone(hash, key))))
    }

    fn lead(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>) -> Self {
        // `Eq`, `Clone` and `Drop` of the user's run in here, and may wait for others
        let _held = memo.runs_user_code.then(|| lead.hold());
        // a flight may have landed between our look at the store and our joining
        if let Some(stored) = memo.near.get(lead.hash(), Same(lead.key())) {
            memo.counters.count(Counter::Hits);
            lead.land(|| Landed::Value(stored.clone()));
            return Begun::Found(stored);
        }
        memo.counters.count(Counter::Misses);
        Begun::Compute(Computation::new(memo, Some(lead)))
    }

    /// The result, or the right to compute it.
    fn result<R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        outcome: O,
    ) -> Result<R, Computation<K, V, F>> {
        match self {
            Begun::Found(value) => Ok(outcome.hit(value)),
            Begun::Failed(failure) => Ok(outcome.failed(failure)),
            Begun::Compute(computation) => Err(computation),
            Begun::Wait(_) => unreachable!("a wait has been waited for"),
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Waiting<K, V, F> {
    /// What comes of it: no other wait.
    async fn end(self) -> Begun<K, V, F> {
        let Waiting { memo, hash, blocks, mut wait } = self;
        loop {
            let waited = wait.await;
            if matches!(waited, Waited::Value(_) | Waited::Failed(_)) {
                memo.counters.count(Counter::Misses);
                memo.counters.count(Counter::Waits);
            }
            let begun = match waited {
                Waited::Value(value) => Begun::Found(value),
                Waited::Failed(failure) => Begun::Failed(failure),
                Waited::Lead(lead) => Begun::lead(memo, lead),
                Waited::Alone(key) => Begun::alone(memo, hash, key),
                Waited::Again(key) => Begun::join(memo, hash, key, blocks),
            };
            match begun {
                Begun::Wait(next) => wait = next.wait,
                begun => return begun,
            }
        }
    }
}

/// The right to compute a key, and the duty to say what came of it. If it is dropped before it has
/// [finished](Computation::finish), because the body panicked or its future was dropped, another caller takes over.
pub struct Computation<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    /// None for a call that stores nothing.
    lead: Option<Lead<'static, K, V, F>>,
    started: Option<Instant>,
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Computation<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Computation").field("memo", &self.memo).finish_non_exhaustive()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Computation<K, V, F> {
    fn new(memo: &'static Memo<K, V, F>, lead: Option<Lead<'static, K, V, F>>) -> Self {
        Computation { memo, lead, started: memo.counters.start() }
    }

    /// Runs the body of an asynchronous function.
    pub fn compute<B: Future>(&self, body: B) -> impl Future<Output = B::Output> + use<'_, K, V, F, B> {
        crate::flight::holding(self.lead.as_ref(), body)
    }

    /// Stores what came of it, tells those who wait, and gives it back.
    #[inline(never)]
    pub fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(self, outcome: O, result: R) -> R {
        let memo = self.memo;
        memo.counters.computed(self.started);
        let Some(lead) = self.lead else {
            return result;
        };
        // callbacks and drops of the user's run in here, and may wait for others
        let _held = memo.runs_user_code.then(|| lead.hold());
        if let Some(value) = outcome.stored(&result)
            && let Some(storage) = memo.storage(lead.key(), &value, outcome.is_error(&value))
        {
            let store = || {
                memo.near.insert(lead.hash(), lead.key().clone(), value, storage.weight, storage.lifetime);
                memo.counters.count(Counter::Stored);
            };
            let undo = || {
                memo.near.remove(lead.hash(), &Same(lead.key()));
            };
            lead.store(store, undo);
        }
        lead.land(|| match outcome.stored(&result) {
            Some(value) => Landed::Value(value),
            None => outcome.failure(&result).map_or(Landed::Unshared, Landed::Failed),
        });
        result
    }
}

/// What the control of a function asks about one key.
#[derive(Debug)]
pub enum Op<R> {
    /// What is stored?
    Peek,
    /// Store this.
    Insert(R),
    /// Drop it.
    Invalidate,
}

/// What it is told.
#[derive(Debug)]
pub enum Reply<R> {
    /// To [`Op::Peek`].
    Peeked(Option<R>),
    /// To the others.
    Done(Result<(), Error>),
}

impl<R> Reply<R> {
    /// What was peeked.
    pub fn peeked(self) -> Option<R> {
        match self {
            Reply::Peeked(peeked) => peeked,
            Reply::Done(_) => None,
        }
    }

    /// Whether it was done.
    ///
    /// # Errors
    ///
    /// If it was not done in every tier.
    pub fn done(self) -> Result<(), Error> {
        match self {
            Reply::Done(done) => done,
            Reply::Peeked(_) => Ok(()),
        }
    }
}

/// Does `op` with `key`.
pub fn control<P: Part, R, O: Outcome<R>>(
    site: Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
    op: Op<R>,
) -> Reply<R> {
    let memo = Site::memo::<P::Owned, O::Stored, O::Failure>(&|| site, hooks);
    let hash = memo.hash(key);
    match op {
        Op::Peek => Reply::Peeked(memo.near.peek(hash, &Query(*key)).map(|stored| outcome.hit(stored))),
        Op::Insert(result) => {
            let owned = key.to_owned_part();
            let storable = outcome.stored(&result).and_then(|value| {
                let storage = memo.storage(&owned, &value, outcome.is_error(&value))?;
                Some((value, storage))
            });
            Reply::Done(match storable {
                Some((value, storage)) => {
                    memo.flights.supersede(hash, &Query(*key));
                    memo.near.insert(hash, owned, value, storage.weight, storage.lifetime);
                    memo.counters.count(Counter::Stored);
                    Ok(())
                }
                None => Err(Error::new(ErrorKind::NotStorable, memo.name())),
            })
        }
        Op::Invalidate => {
            memo.flights.supersede(hash, &Query(*key));
            memo.near.remove(hash, &Query(*key));
            Reply::Done(Ok(()))
        }
    }
}
