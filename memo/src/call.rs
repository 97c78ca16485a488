//! The one path of a memoized call: make the key, look nearby, and on a miss compute once per key and store.
//!
//! Synchronous and asynchronous functions enter it alike. What may wait is written once, as `async`
//! ([`Waiting::end`]); a synchronous call runs it on its thread. The body itself runs in between, in the caller's own
//! frame, so that neither kind has to be turned into the other.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::directive::{self, Directive};
use crate::error::{Error, ErrorKind};
use crate::far::{Far, FarKey, Looked};
use crate::flight::{Joined, Landed, Lead, Wait, Waited};
use crate::function::{Hooks, Memo, Site, Storage};
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
        let begun = self.begin(true);
        let end = if begun.is_end() { begun } else { block_on(begun.end()) };
        end.result(outcome)
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
        let begun = self.begin(false);
        let end = if begun.is_end() { begun } else { begun.end().await };
        end.result(outcome)
    }

    #[inline(always)]
    fn begin(self, blocks: bool) -> Begun<K, V, F> {
        let Missed { memo, hash, key, directive } = self;
        let Some(key) = key else {
            return Begun::Compute(Computation::new(memo, None));
        };
        if directive == Some(Directive::Refresh) {
            memo.flights.supersede(hash, &Same(&key));
            let unseen = memo.far.as_ref().and_then(|far| far.unseen(&key));
            let lead = memo.flights.alone(hash, key);
            return Begun::Compute(Computation { far: unseen, ..Computation::new(memo, Some(lead)) });
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
    /// It looks into the engines that outlive the process, for all who wait for it.
    Look(&'static Memo<K, V, F>, &'static Far<K, V>, Lead<'static, K, V, F>),
}

struct Waiting<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    blocks: bool,
    wait: Box<Wait<'static, K, V, F>>,
}

impl<K: OwnedPart, V: Value, F: Value> Begun<K, V, F> {
    #[inline(always)]
    fn join(memo: &'static Memo<K, V, F>, hash: u64, key: K, blocks: bool) -> Self {
        match memo.flights.join(hash, key, blocks) {
            Joined::Lead(lead) => Self::lead(memo, lead),
            Joined::Wait(wait) => Begun::Wait(Waiting { memo, hash, blocks, wait }),
        }
    }

    fn alone(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Self {
        Self::look(memo, memo.flights.alone(hash, key))
    }

    #[inline(always)]
    fn lead(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>) -> Self {
        // `Eq`, `Clone` and `Drop` of the user's run in here, and may wait for others
        let _held = memo.runs_user_code.then(|| lead.hold());
        // a flight may have landed between our look at the store and our joining
        if let Some(stored) = memo.near.get(lead.hash(), Same(lead.key())) {
            memo.counters.count(Counter::Hits);
            lead.land(|| Landed::Value(stored.clone()));
            return Begun::Found(stored);
        }
        Self::look(memo, lead)
    }

    #[inline(always)]
    fn look(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>) -> Self {
        match &memo.far {
            Some(far) => Begun::Look(memo, far, lead),
            None => Self::compute(memo, lead, None),
        }
    }

    #[inline(always)]
    fn compute(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>, far: Option<Box<FarKey>>) -> Self {
        memo.counters.count(Counter::Misses);
        Begun::Compute(Computation { far, ..Computation::new(memo, Some(lead)) })
    }

    /// Whether there is nothing to wait for.
    fn is_end(&self) -> bool {
        !matches!(self, Begun::Wait(_) | Begun::Look(..))
    }

    /// Waits for what there is to wait for.
    async fn end(mut self) -> Self {
        loop {
            self = match self {
                Begun::Wait(wait) => wait.end().await,
                Begun::Look(memo, far, lead) => {
                    let looked = far.look(lead.key()).await;
                    if !memo.settings.near && far.is_back(&looked) {
                        // it was there for the time being, and would hide what the engine has
                        memo.near.clear();
                    }
                    match looked {
                        Looked::Found { value, lives, size } => {
                            // as in `lead`: code of the user's runs in here
                            let _held = memo.runs_user_code.then(|| lead.hold());
                            memo.counters.count(Counter::Hits);
                            memo.keep(&lead, &value, lives, size);
                            lead.land(|| Landed::Value(value.clone()));
                            Begun::Found(value)
                        }
                        Looked::Nothing(key) => Self::compute(memo, lead, key),
                    }
                }
                end => return end,
            }
        }
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
            Begun::Wait(_) | Begun::Look(..) => unreachable!("what there was to wait for is over"),
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Waiting<K, V, F> {
    async fn end(self) -> Begun<K, V, F> {
        let Waiting { memo, hash, blocks, wait } = self;
        let waited = wait.await;
        if matches!(waited, Waited::Value(_) | Waited::Failed(_)) {
            memo.counters.count(Counter::Misses);
            memo.counters.count(Counter::Waits);
        }
        match waited {
            Waited::Value(value) => Begun::Found(value),
            Waited::Failed(failure) => Begun::Failed(failure),
            Waited::Lead(lead) => Begun::lead(memo, lead),
            Waited::Alone(key) => Begun::alone(memo, hash, key),
            Waited::Again(key) => Begun::join(memo, hash, key, blocks),
        }
    }
}

/// A result of more bytes than this is kept only in engines that outlive the process, so that one does not push many
/// small ones out of memory.
const LARGE: usize = 1 << 20;

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Keeps in memory what a farther engine had, for as long as it lives there.
    fn keep(&self, lead: &Lead<'static, K, V, F>, value: &V, lives: Option<Duration>, size: usize) {
        if !self.settings.near || size > LARGE {
            return;
        }
        if let Some(storage) = self.storage(lead.key(), value, false) {
            let lifetime = [storage.lifetime, lives].into_iter().flatten().min();
            let store =
                || self.near.insert(lead.hash(), lead.key().clone(), value.clone(), storage.weight, lifetime);
            let undo = || {
                self.near.remove(lead.hash(), &Same(lead.key()));
            };
            lead.store(store, undo);
        }
    }
}

/// The right to compute a key, and the duty to say what came of it. If it is dropped before it has
/// [finished](Computation::finish), because the body panicked or its future was dropped, another caller takes over.
pub struct Computation<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    /// None for a call that stores nothing.
    lead: Option<Lead<'static, K, V, F>>,
    /// Where to store the result in engines that outlive the process.
    far: Option<Box<FarKey>>,
    started: Option<Instant>,
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Computation<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Computation").field("memo", &self.memo).finish_non_exhaustive()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Computation<K, V, F> {
    fn new(memo: &'static Memo<K, V, F>, lead: Option<Lead<'static, K, V, F>>) -> Self {
        Computation { memo, lead, far: None, started: memo.counters.start() }
    }

    /// Runs the body of an asynchronous function.
    pub fn compute<B: Future>(&self, body: B) -> impl Future<Output = B::Output> + use<'_, K, V, F, B> {
        crate::flight::holding(self.lead.as_ref(), body)
    }

    /// Stores what came of it, tells those who wait, and gives it back.
    #[inline(never)]
    pub fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(self, outcome: O, result: R) -> R {
        let memo = self.memo;
        let cost = memo.counters.computed(self.started);
        let Some(lead) = self.lead else {
            return result;
        };
        // callbacks and drops of the user's run in here, and may wait for others
        let _held = memo.runs_user_code.then(|| lead.hold());
        if let Some(value) = outcome.stored(&result)
            && let Some(storage) = memo.storage(lead.key(), &value, outcome.is_error(&value))
        {
            // the user's `Serialize` runs before anything waits for the store
            let far = memo.far.as_ref().zip(self.far);
            let far = far.and_then(|(far, key)| Some((far, key, far.encode(&value)?)));
            let large = far.as_ref().is_some_and(|(_, _, encoded)| encoded.len() > LARGE);
            let near = far.as_ref().is_none_or(|(_, key, _)| key.failed || (memo.settings.near && !large));
            let store = || {
                if near {
                    let Storage { weight, lifetime } = storage;
                    memo.near.insert(lead.hash(), lead.key().clone(), value, weight, lifetime);
                }
                if let Some((far, key, encoded)) = far {
                    far.store(*key, encoded, storage.lifetime, cost.unwrap_or_default());
                }
                memo.counters.count(Counter::Stored);
            };
            let undo = || {
                memo.near.remove(lead.hash(), &Same(lead.key()));
                if let Some(far) = &memo.far {
                    far.forget(lead.key());
                }
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
pub enum Reply<R> {
    /// To [`Op::Peek`].
    Peeked(Option<R>),
    /// To the others.
    Done(Result<(), Error>),
    /// Still to come, from an engine that outlives the process.
    Later(Pin<Box<dyn Future<Output = Reply<R>> + Send>>),
}

impl<R> std::fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Reply::Peeked(_) => "Peeked",
            Reply::Done(_) => "Done",
            Reply::Later(_) => "Later",
        })
    }
}

impl<R> Reply<R> {
    /// The reply itself, waited for.
    pub async fn settled(mut self) -> Self {
        while let Reply::Later(later) = self {
            self = later.await;
        }
        self
    }

    fn settled_now(self) -> Self {
        match self {
            Reply::Later(_) => block_on(self.settled()),
            reply => reply,
        }
    }

    /// What was peeked.
    pub fn peeked(self) -> Option<R> {
        match self.settled_now() {
            Reply::Peeked(peeked) => peeked,
            _ => None,
        }
    }

    /// Whether it was done.
    ///
    /// # Errors
    ///
    /// If it was not done in every tier.
    pub fn done(self) -> Result<(), Error> {
        match self.settled_now() {
            Reply::Done(done) => done,
            _ => Ok(()),
        }
    }
}

/// Does `op` with `key`.
pub fn control<P: Part, R: 'static, O: Outcome<R> + Send>(
    site: Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
    op: Op<R>,
) -> Reply<R> {
    let memo = Site::memo::<P::Owned, O::Stored, O::Failure>(&|| site, hooks);
    let hash = memo.hash(key);
    let far = memo.far.as_ref();
    match op {
        Op::Peek => match (memo.near.peek(hash, &Query(*key)), far) {
            (Some(stored), _) => Reply::Peeked(Some(outcome.hit(stored))),
            (None, None) => Reply::Peeked(None),
            (None, Some(far)) => {
                let Some(key) = far.key(&key.to_owned_part()) else { return Reply::Peeked(None) };
                Reply::Later(Box::pin(async move {
                    Reply::Peeked(far.peek(key).await.map(|stored| outcome.hit(stored)))
                }))
            }
        },
        Op::Insert(result) => {
            let owned = key.to_owned_part();
            let storable = outcome.stored(&result).and_then(|value| {
                let storage = memo.storage(&owned, &value, outcome.is_error(&value))?;
                Some((value, storage))
            });
            let Some((value, storage)) = storable else {
                return Reply::Done(Err(Error::new(ErrorKind::NotStorable, memo.name())));
            };
            let encoded = far.and_then(|far| Some((far, far.key(&owned)?, far.encode(&value)?)));
            memo.flights.supersede(hash, &Query(*key));
            if encoded.is_none() || memo.settings.near {
                memo.near.insert(hash, owned, value, storage.weight, storage.lifetime);
            }
            memo.counters.count(Counter::Stored);
            match encoded {
                Some((far, key, encoded)) => Reply::Later(Box::pin(async move {
                    Reply::Done(far.insert(key, encoded, storage.lifetime).await)
                })),
                None => Reply::Done(Ok(())),
            }
        }
        Op::Invalidate => {
            memo.flights.supersede(hash, &Query(*key));
            memo.near.remove(hash, &Query(*key));
            match far.and_then(|far| Some((far, far.key(&key.to_owned_part())?))) {
                Some((far, key)) => Reply::Later(Box::pin(async move { Reply::Done(far.remove(key).await) })),
                None => Reply::Done(Ok(())),
            }
        }
    }
}
