//! The one path of a memoized call: make the key, look nearby, and on a miss compute once per key and store.
//!
//! Synchronous and asynchronous functions enter it alike. What may wait is written once, as `async`
//! ([`Waiting::end`]); a synchronous call runs it on its thread. The body itself runs in between, in the caller's own
//! frame, so that neither kind has to be turned into the other.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::body::Body;
use crate::directive::{self, Directive};
use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::far::{Far, FarKey, Found, Hold, Looked};
use crate::flight::blocks::Block;
use crate::flight::graph::{self, Held};
use crate::flight::{Joined, Landed, Lead, Own, Wait, Waited, holding};
use crate::function::{Code, Hooks, Leads, Memo, OnError, SingleFlight, Site, Storage};
use crate::key::{OwnedPart, Part, Query, SharedPart};
use crate::near::{Fast, Lookup, Memory};
use crate::outcome::{Outcome, SharedOutcome, Value};
use crate::park::block_on;
use crate::registry::Memoized;
use crate::scope::{Answered, Asked, Call};
use crate::stats::{Counter, Mine};
use crate::trace::{self, EnteredSpan, Span};

/// Finds an owned key by another.
struct Same<'a, K>(&'a K);

impl<K: Eq> Lookup<K> for Same<'_, K> {
    fn matches(&self, key: &K) -> bool {
        *self.0 == *key
    }
}

/// Values of more bytes are looked up out of line, where a clone goes straight to the frame that hands it out. Inlined code
/// would make a frame of many times their size, which unoptimized code does not share between its steps.
pub(crate) const LARGE: usize = 2048;

/// Adds to the hooks of a function with keys `P` and results `R` stored as `O` says.
pub(crate) type AddHooks<P, R, O> = fn(
    Hooks<<P as Part>::Owned, <O as Outcome<R>>::Stored>,
) -> Hooks<<P as Part>::Owned, <O as Outcome<R>>::Stored>;

/// [`Missed`], by the borrowed key and the outcome.
pub(crate) type MissedBy<P, R, O> =
    Missed<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure>;

/// A call that found nothing nearby.
#[derive(Debug)]
pub struct Missed<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    key: Option<K>,
    /// What is asked of it, if anything is.
    call: Option<Box<Call>>,
}

/// Looks nearby: the fast path of every call ends here.
///
/// `site` is a function so that what only the slow path wants of it is made there. It gives the same each time, and that
/// goes for all functions of its type.
///
/// # Errors
///
/// A call that found nothing, to go on with.
// In unoptimized code, inlining would only put all of this into the frame that a recursion repeats, and into each function.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn enter<P: SharedPart, R, O: SharedOutcome<R>, S: Fn() -> Site>(
    site: S,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    const { assert!(size_of::<S>() == 0) };
    match Site::usual_memo::<S, P::Owned, O::Stored, O::Failure>(&site) {
        Some(memo) if const { size_of::<O::Stored>() <= LARGE } => match directive::pending() {
            true => enter_asked(memo, site(), key, outcome),
            false => enter_memo(memo, key, outcome),
        },
        Some(memo) => enter_slowly(memo, site(), key, outcome),
        None => enter_first(site(), Code::of::<S>(), hooks, key, outcome),
    }
}

/// As [`enter`], for code that has come by before, where nothing is asked of the call.
//
// Whatever is not a hit as nearly all are, leaves by a function out of line and does not come back, so that the hit keeps
// next to nothing for it: the arguments for the body, and room for what such a function gives.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn enter_memo<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    let hash = memo.hash(&key);
    match look_once(memo, hash, key, outcome) {
        Ok(result) => Ok(result),
        Err(Why::Miss) => Err(Missed::new(memo, hash, key)),
        Err(Why::Unusual) => enter_in_full(memo, hash, key, outcome),
    }
}

/// Why nothing was found at the first look.
#[derive(Debug, Clone, Copy)]
pub enum Why {
    /// Nothing is stored.
    Miss,
    /// It has to be looked at more closely.
    Unusual,
}

/// A look for the usual hit, which it counts.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn look_once<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    hash: u64,
    key: P,
    outcome: O,
) -> Result<R, Why> {
    let (mine, place) = (Mine::new(), memo.counters.place());
    if !mine.has(place) {
        return Err(Why::Unusual);
    }
    let counted = mine.line(place);
    match memo.near.get_fast(hash, Query(key)) {
        Fast::Hit(stored) => {
            counted.count(Counter::Hits);
            Ok(outcome.hit(stored))
        }
        Fast::Miss => Err(Why::Miss),
        Fast::Slow => Err(Why::Unusual),
    }
}

/// As [`enter`], for code that enters for the first time.
#[cold]
#[inline(never)]
fn enter_first<P: SharedPart, R, O: SharedOutcome<R>>(
    site: Site,
    code: Code<P::Owned, O::Stored, O::Failure>,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    enter_slowly(site.memo_by(code, &|| hooks(Hooks::new())), site, key, outcome)
}

/// As [`enter`], for code that has come by before, with nothing in the caller's frame. Large values always come this way.
#[inline(never)]
pub(crate) fn enter_slowly<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    site: Site,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    match directive::pending() {
        true => enter_asked(memo, site, key, outcome),
        false => enter_in_full(memo, memo.hash(&key), key, outcome),
    }
}

/// As [`enter`] where nothing is asked, whatever there is to be done for a hit.
#[cold]
#[inline(never)]
pub(crate) fn enter_in_full<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    hash: u64,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    let mut found = None;
    memo.near.get_slow(hash, Query(key), &mut found);
    answer(memo, hash, key, outcome, &mut found)
}

/// What comes of what was `found`.
fn answer<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    hash: u64,
    key: P,
    outcome: O,
    found: &mut Option<O::Stored>,
) -> Result<R, MissedBy<P, R, O>> {
    match found.take() {
        Some(stored) => {
            memo.counters.count(Counter::Hits);
            Ok(outcome.hit(stored))
        }
        None => Err(Missed { memo, hash, key: Some(key.to_owned_part()), call: None }),
    }
}

/// As [`enter`], where something may be asked of the call.
#[cold]
#[inline(never)]
fn enter_asked<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    site: Site,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    match directive::asked(&site, memo.name()) {
        Some(asked) => enter_as_asked(memo, asked, key, outcome),
        None => enter_in_full(memo, memo.hash(&key), key, outcome),
    }
}

/// As [`enter`], where this is asked of the call.
#[inline(never)]
fn enter_as_asked<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static Memo<P::Owned, O::Stored, O::Failure>,
    asked: Asked,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    if asked.directive == Some(Directive::Bypass) {
        let call = Some(Box::new(Call::new(asked, memo.name(), None)));
        return Err(Missed { memo, hash: 0, key: None, call });
    }
    let (memo, lease) = asked.place.of(memo);
    let reads = asked.directive != Some(Directive::Refresh);
    let mut call = Call::new(asked, memo.name(), lease);
    if call.is_heard() {
        call.shows(memo.shown(&key));
    }
    let hash = memo.hash(&key);
    let mut found = None;
    if reads {
        memo.near.get_slow(hash, Query(key), &mut found);
    }
    match found {
        Some(stored) => {
            memo.counters.count(Counter::Hits);
            let result = outcome.hit(stored);
            call.answered(Answered::By(memo.near_name()), None);
            Ok(result)
        }
        None => Err(Missed { memo, hash, key: Some(key.to_owned_part()), call: Some(Box::new(call)) }),
    }
}

impl<K: OwnedPart, V: Value, F: Value> Missed<K, V, F> {
    /// A call for the models, which looks nearby as [`enter`] does.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Result<V, Self> {
        let found = memo.near.get(hash, Same(&key));
        found.ok_or(Missed { memo, hash, key: Some(key), call: None })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn new<P: Part<Owned = K>>(memo: &'static Memo<K, V, F>, hash: u64, key: P) -> Self {
        memo.near.missed(hash);
        Missed { memo, hash, key: Some(key.to_owned_part()), call: None }
    }

    /// The rest of a synchronous call: waits for another call's result, or computes and stores one.
    #[inline(always)]
    pub fn run<R, O: Outcome<R, Stored = V, Failure = F>>(self, outcome: O, body: &mut dyn Body<R>) -> R {
        // in parts, which need no place in the caller's frame
        let Missed { memo, hash, key, call } = self;
        Self::run_once(memo, hash, key, call, outcome, body)
    }

    /// As [`run`](Self::run). It is the same code for all functions of these types, whatever their bodies.
    //
    // Little of ours is on the stack while the body runs: it may call this function again, to any depth. What there is to be
    // known of the computation is in a block.
    #[inline(never)]
    fn run_once<R, O: Outcome<R, Stored = V, Failure = F>>(
        memo: &'static Memo<K, V, F>,
        hash: u64,
        key: Option<K>,
        call: Option<Box<Call>>,
        outcome: O,
        body: &mut dyn Body<R>,
    ) -> R {
        let running = match Self::start(memo, hash, key, call) {
            Started::Running(running) => running,
            Started::Shared(shared) => return shared.result(outcome),
        };
        let result = body.run();
        Running::finish(running, outcome, &result);
        result
    }

    /// What another call shares, or the right to compute, which begins.
    #[inline(never)]
    fn start(
        memo: &'static Memo<K, V, F>,
        hash: u64,
        key: Option<K>,
        call: Option<Box<Call>>,
    ) -> Started<K, V, F> {
        let mut missed = Missed { memo, hash, key, call };
        match missed.lead_at_once(true) {
            Ok(flight) => {
                let started = Computation::count(memo, true);
                Started::Running(Running::begin(|| Computation::leading(memo, flight, started)))
            }
            Err(begun) => missed.start_slowly(begun),
        }
    }

    /// As [`start`](Self::start), where there is more to it than to lead: what has `begun` if anything has.
    #[cold]
    #[inline(never)]
    fn start_slowly(&mut self, begun: Other<K, V, F>) -> Started<K, V, F> {
        let call = self.call.take();
        let begun = begun.map_or_else(|| self.begin(true, call.as_deref()), |begun| *begun);
        let begun = if begun.is_end() { begun } else { block_on(Box::pin(begun.end(call.as_deref()))) };
        match begun.ended(call) {
            Ended::Shared(shared) => Started::Shared(shared),
            Ended::Compute(computation) => Started::Running(Running::begin(|| computation)),
        }
    }

    /// The flight to lead, as nearly every miss of a function without engines comes to it: nothing is asked of the call, and
    /// nobody else computes the key. The error is what has begun instead, if anything has.
    //
    // What this gives is in registers. Structures that are written in parts and soon after moved as wholes would have the
    // processor wait for each of the writes.
    #[inline(always)]
    fn lead_at_once(&mut self, blocks: Blocks) -> Result<Own<K, V, F>, Other<K, V, F>> {
        let Missed { memo, hash, .. } = *self;
        let Some(leads) = memo.leads else { return Err(None) };
        if self.call.is_some() || const { size_of::<V>() > LARGE } {
            return Err(None);
        }
        let Some(key) = self.key.take() else { return Err(None) };
        let joined = match leads {
            Leads::All => memo.flights.join(hash, key, blocks),
            Leads::Alone => return Ok(memo.flights.alone(hash, key)),
        };
        let flight = match joined {
            Joined::Lead(flight) => flight,
            Joined::Wait(wait) => {
                return Err(Some(Box::new(Begun::Wait(Waiting { memo, hash, blocks, wait }))));
            }
        };
        let lead = memo.flights.lead(flight);
        // as in `Begun::lead`, where the look is made again if it has found anything
        let held = memo.runs_user_code.then(|| lead.hold());
        let is_there = match memo.near.get_fast(hash, Same(lead.key())) {
            Fast::Miss => false,
            Fast::Hit(_) => true,
            Fast::Slow => memo.landed(&lead).is_some(),
        };
        drop(held);
        match is_there {
            false => Ok(lead.into_flight()),
            true => Err(Some(Box::new(Begun::lead(memo, lead, blocks)))),
        }
    }

    /// The part of an asynchronous call that comes before the body: waits for another call's result, else gives the right
    /// to compute.
    #[inline(never)]
    pub fn acquire<R, O: Outcome<R, Stored = V, Failure = F>>(
        mut self,
        outcome: O,
    ) -> Acquire<K, V, F, R, O> {
        let begun = match self.lead_at_once(false) {
            Ok(flight) => {
                let started = Computation::count(self.memo, true);
                let computation = Computation::leading(self.memo, flight, started);
                let state = Some(Acquiring::Ended(Ended::Compute(computation)));
                return Acquire { state, outcome, result: PhantomData };
            }
            Err(begun) => begun,
        };
        let call = self.call.take();
        let begun = begun.map_or_else(|| self.begin(false, call.as_deref()), |begun| *begun);
        let state = if begun.is_end() {
            Acquiring::Ended(begun.ended(call))
        } else {
            // what waits is rare, and is not to make the future of every call as large as it is
            Acquiring::Later(Box::pin(async move {
                let begun = begun.end(call.as_deref()).await;
                begun.ended(call)
            }))
        };
        Acquire { state: Some(state), outcome, result: PhantomData }
    }

    #[inline(never)]
    fn begin(&mut self, blocks: bool, call: Option<&Call>) -> Begun<K, V, F> {
        let Missed { memo, hash, .. } = *self;
        let Some(key) = self.key.take() else {
            return Begun::Compute(Computation::new(memo, None, None));
        };
        if !memo.settings.enabled() {
            return Begun::Compute(Computation::new(memo, None, None));
        }
        if call.is_some_and(|call| call.directive == Some(Directive::Refresh)) {
            memo.flights.supersede(hash, &Same(&key));
            let unseen = memo.far.as_ref().and_then(|far| Some((far, far.unseen(&key, hash)?)));
            let lead = memo.flights.lead(memo.flights.alone(hash, key));
            return Begun::Compute(Computation::new(memo, Some(lead), unseen));
        }
        if memo.settings.single_flight == Some(SingleFlight::Off) {
            return Begun::alone(memo, hash, key);
        }
        Begun::join(memo, hash, key, blocks)
    }
}

/// What has begun in place of leading a flight at once, if anything has.
type Other<K, V, F> = Option<Box<Begun<K, V, F>>>;

/// What a call that found nothing nearby does next.
enum Begun<K: OwnedPart, V: Value, F: Value> {
    /// A value that was found, or that another call shares.
    Found(Box<V>, Answered),
    /// Another call has just failed.
    Failed(Box<F>),
    /// It computes.
    Compute(Computation<K, V, F>),
    /// It waits for another call's computation.
    Wait(Waiting<K, V, F>),
    /// It looks into the engines that outlive the process, for all who wait for it.
    Look(Looking<K, V, F>),
}

struct Looking<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    far: &'static Far<K, V>,
    lead: Lead<'static, K, V, F>,
    /// Whether it may wait for a computation in another process, and how.
    may_wait: Option<Blocks>,
}

/// Whether a wait blocks its thread.
pub(crate) type Blocks = bool;

struct Waiting<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    blocks: bool,
    wait: Box<Wait<'static, K, V, F>>,
}

impl<K: OwnedPart, V: Value, F: Value> Begun<K, V, F> {
    fn join(memo: &'static Memo<K, V, F>, hash: u64, key: K, blocks: bool) -> Self {
        match memo.flights.join(hash, key, blocks) {
            Joined::Lead(flight) => Self::lead(memo, memo.flights.lead(flight), blocks),
            Joined::Wait(wait) => Begun::Wait(Waiting { memo, hash, blocks, wait }),
        }
    }

    fn alone(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Self {
        Self::look(memo, memo.flights.lead(memo.flights.alone(hash, key)), None)
    }

    fn lead(memo: &'static Memo<K, V, F>, mut lead: Lead<'static, K, V, F>, blocks: Blocks) -> Self {
        // `Eq`, `Clone` and `Drop` of the user's run in here, and may wait for others
        let held = memo.runs_user_code.then(|| lead.hold());
        // a flight may have landed between our look at the store and our joining
        let stored = if const { size_of::<V>() > LARGE } {
            memo.landed(&lead)
        } else {
            memo.near.get(lead.hash(), Same(lead.key())).map(Box::new)
        };
        if let Some(stored) = stored {
            memo.counters.count(Counter::Hits);
            lead.land(|| Landed::Value(V::clone(&stored)));
            return Begun::Found(stored, Answered::By(memo.near_name()));
        }
        drop(held);
        Self::look(memo, lead, Some(blocks))
    }

    fn look(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>, may_wait: Option<Blocks>) -> Self {
        match &memo.far {
            Some(far) => Begun::Look(Looking { memo, far, lead, may_wait }),
            None => Self::compute(memo, lead, None),
        }
    }

    fn compute(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>, far: Option<Place<K, V>>) -> Self {
        Begun::Compute(Computation::missed(memo, lead, far))
    }

    /// Whether there is nothing to wait for.
    fn is_end(&self) -> bool {
        !matches!(self, Begun::Wait(_) | Begun::Look(_))
    }

    /// Waits for what there is to wait for.
    async fn end(mut self, call: Option<&Call>) -> Self {
        loop {
            self = match self {
                Begun::Wait(wait) => wait.end().await,
                Begun::Look(looking) => looking.end(call).await,
                end => return end,
            }
        }
    }

    /// How the call ends, or goes on.
    fn ended(self, mut call: Option<Box<Call>>) -> Ended<K, V, F> {
        let mut answered = |by| call.iter_mut().for_each(|call| call.answered(by, None));
        match self {
            Begun::Found(value, by) => {
                answered(by);
                Ended::Shared(Shared::Value(value))
            }
            Begun::Failed(failure) => {
                answered(Answered::Waited);
                Ended::Shared(Shared::Failure(failure))
            }
            Begun::Compute(computation) => Ended::Compute(match call {
                Some(call) => computation.asked(call),
                None => computation,
            }),
            Begun::Wait(_) | Begun::Look(_) => unreachable!("what there was to wait for is over"),
        }
    }
}

/// What a call has come to when there is nothing more to wait for.
enum Ended<K: OwnedPart, V: Value, F: Value> {
    /// A result that it did not compute.
    Shared(Shared<V, F>),
    /// The right to compute.
    Compute(Computation<K, V, F>),
}

/// How an asynchronous call comes to its end, or to the right to compute: see [`Missed::acquire`].
pub struct Acquire<K: OwnedPart, V: Value, F: Value, R, O> {
    state: Option<Acquiring<K, V, F>>,
    outcome: O,
    result: PhantomData<fn() -> R>,
}

impl<K: OwnedPart, V: Value, F: Value, R, O> std::fmt::Debug for Acquire<K, V, F, R, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

enum Acquiring<K: OwnedPart, V: Value, F: Value> {
    Ended(Ended<K, V, F>),
    Later(Pin<Box<dyn Future<Output = Ended<K, V, F>> + Send>>),
}

impl<K: OwnedPart, V: Value, F: Value, R, O> Unpin for Acquire<K, V, F, R, O> {}

impl<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>> Future
    for Acquire<K, V, F, R, O>
{
    /// A result, or the right to compute where nobody else does.
    type Output = Result<R, Computation<K, V, F>>;

    // out of line: what is only needed here is not in the frame of each level of a recursion
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = match self.state.take() {
            Some(Acquiring::Ended(ended)) => ended,
            Some(Acquiring::Later(mut later)) => match later.as_mut().poll(context) {
                Poll::Ready(ended) => ended,
                Poll::Pending => {
                    self.state = Some(Acquiring::Later(later));
                    return Poll::Pending;
                }
            },
            None => unreachable!("it is polled until it has ended"),
        };
        Poll::Ready(match ended {
            Ended::Compute(computation) => Err(computation),
            Ended::Shared(shared) => Ok(shared.result(self.outcome)),
        })
    }
}

/// How a synchronous call goes on.
enum Started<K: OwnedPart, V: Value, F: Value> {
    /// Its body runs.
    Running(Block<Running<K, V, F>>),
    /// With a result that it does not compute.
    Shared(Shared<V, F>),
}

/// A body that runs on the thread of its call. The order is that in which these end.
struct Running<K: OwnedPart, V: Value, F: Value> {
    span: Option<Box<EnteredSpan>>,
    held: Option<Held>,
    computation: Computation<K, V, F>,
}

impl<K: OwnedPart, V: Value, F: Value> Running<K, V, F> {
    /// Has the computation run from now on.
    //
    // It is made, and borrowed, only where it will stand: see `lead_at_once`.
    #[inline(always)]
    fn begin(computation: impl FnOnce() -> Computation<K, V, F>) -> Block<Self> {
        let mut running = Block::new(|| Running { span: None, held: None, computation: computation() });
        running.held = running.computation.lead.as_ref().map(Lead::hold);
        if trace::shows_keys() {
            running.span = Some(Box::new(running.computation.span().enter()));
        }
        running
    }

    #[inline(never)]
    fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(mut running: Block<Self>, outcome: O, result: &R) {
        let Running { span, held, computation } = &mut *running;
        (*span, *held) = (None, None);
        computation.finish(outcome, result);
    }
}

/// What a call gets that does not compute, each in a box: a large one stays out of the frames between.
enum Shared<V, F> {
    Value(Box<V>),
    Failure(Box<F>),
}

impl<V: Value, F: Value> Shared<V, F> {
    #[inline(never)]
    fn result<R, O: Outcome<R, Stored = V, Failure = F>>(self, outcome: O) -> R {
        match self {
            Shared::Value(value) => outcome.hit(*value),
            Shared::Failure(failure) => outcome.failed(*failure),
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Looking<K, V, F> {
    async fn end(self, call: Option<&Call>) -> Begun<K, V, F> {
        let Looking { memo, far, mut lead, may_wait } = self;
        let writes = call.is_none_or(Call::writes);
        // `Serialize`, `Deserialize` and `Drop` of the user's run in here, and may wait for others, for this one even
        let looked = holding(Some(&lead), far.look(&lead, may_wait, writes)).await;
        let held = memo.runs_user_code.then(|| lead.hold());
        if far.is_suspect() || memo.stands_in() && far.is_back(&looked) {
            // it may be another key's; or was there for the time being, and would hide what the engine has
            memo.near.clear();
        }
        match looked {
            Looked::Found(found) => {
                let Found { value, lives, cost, size, waited, engine, hold } = found;
                if waited {
                    memo.counters.count(Counter::Misses);
                    memo.counters.count(Counter::Waits);
                } else {
                    memo.counters.hit_of_cost(cost);
                }
                if writes {
                    memo.keep(&lead, &value, call.and_then(|call| call.ttl), lives, size, (far, hold));
                }
                lead.land(|| Landed::Value(V::clone(&value)));
                Begun::Found(value, if waited { Answered::Waited } else { Answered::By(engine) })
            }
            Looked::Nothing(key) => {
                drop(held);
                Begun::compute(memo, lead, key.map(|key| (far, key)))
            }
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Waiting<K, V, F> {
    async fn end(self) -> Begun<K, V, F> {
        let Waiting { memo, hash, blocks, mut wait } = self;
        // a leader on a thread is taken to make progress, and those of a function that blocks are all such
        if !blocks {
            wait.with(memo.patience());
        }
        let waited = wait.await;
        if matches!(waited, Waited::Value(_) | Waited::Failed(_)) {
            memo.counters.count(Counter::Misses);
            memo.counters.count(Counter::Waits);
        }
        match waited {
            Waited::Value(value) => Begun::Found(value, Answered::Waited),
            Waited::Failed(failure) => Begun::Failed(failure),
            Waited::Lead(lead) => Begun::lead(memo, lead, blocks),
            Waited::Alone(key) => Begun::alone(memo, hash, key),
            Waited::Again(key) => Begun::join(memo, hash, key, blocks),
            Waited::Impatient(key) => {
                memo.is_impatient();
                Begun::join(memo, hash, key, blocks)
            }
        }
    }
}

/// Engines that outlive the process, and where to store a result there.
type Place<K, V> = (&'static Far<K, V>, Box<FarKey>);

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// What the store has for the flight of `lead` after all, out of line for large values.
    #[inline(never)]
    fn landed(&self, lead: &Lead<'static, K, V, F>) -> Option<Box<V>> {
        let mut stored = None;
        self.near.get_slow(lead.hash(), Same(lead.key()), &mut stored);
        stored.map(Box::new)
    }

    /// Keeps in memory what a farther engine had, for as long as it lives there.
    fn keep(
        &self,
        lead: &Lead<'static, K, V, F>,
        value: &V,
        ttl: Option<Duration>,
        lives: Option<Duration>,
        size: usize,
        (far, hold): (&Far<K, V>, Hold),
    ) {
        if !self.goes_near(false, Some(size)) {
            return;
        }
        if let Some(storage) = self.storage(lead.key(), value, false, ttl) {
            let lifetime = [storage.lifetime, lives].into_iter().flatten().min();
            let store = || {
                let (key, mut value) = (lead.key().clone(), Some(value.clone()));
                self.near.insert_from(lead.hash(), key, &mut value, storage.weight, lifetime);
                self.drop_unless(far, hold, lead);
            };
            let undo = || {
                self.near.remove(lead.hash(), &Same(lead.key()));
            };
            lead.store(store, undo);
        }
    }

    /// Takes back what was just put near, if it was changed elsewhere since it was looked up or its computation began.
    fn drop_unless(&self, far: &Far<K, V>, hold: Hold, lead: &Lead<'static, K, V, F>) {
        if !far.holds(hold) {
            self.near.remove(lead.hash(), &Same(lead.key()));
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
    /// What few have. Last: it holds on to the record.
    more: Option<Box<More<K, V>>>,
}

/// What is to be known of some computations.
struct More<K: 'static, V: 'static> {
    /// Where to store the result in engines that outlive the process: those that were asked for it, whatever the
    /// function's engines are by then.
    far: Option<Place<K, V>>,
    /// What is asked of the call.
    call: Option<Box<Call>>,
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Computation<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Computation").field("memo", &self.memo).finish_non_exhaustive()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Computation<K, V, F> {
    /// One that is not for a miss.
    fn new(
        memo: &'static Memo<K, V, F>,
        lead: Option<Lead<'static, K, V, F>>,
        far: Option<Place<K, V>>,
    ) -> Self {
        let more = far.map(|far| Box::new(More { far: Some(far), call: None }));
        Computation { memo, lead, started: memo.counters.start(), more }
    }

    /// That of a miss which leads at once, and has been counted.
    #[inline(always)]
    fn leading(memo: &'static Memo<K, V, F>, flight: Own<K, V, F>, started: Option<Instant>) -> Self {
        Computation { memo, lead: Some(memo.flights.lead(flight)), started, more: None }
    }

    /// That of any other miss, which it counts.
    fn missed(memo: &'static Memo<K, V, F>, lead: Lead<'static, K, V, F>, far: Option<Place<K, V>>) -> Self {
        let started = Self::count(memo, far.is_none());
        let more = far.map(|far| Box::new(More { far: Some(far), call: None }));
        Computation { memo, lead: Some(lead), started, more }
    }

    /// Counts a miss that begins to be computed. When that was, if it is to be timed.
    #[inline(always)]
    fn count(memo: &'static Memo<K, V, F>, by_sample: bool) -> Option<Instant> {
        let counted = memo.counters.line();
        counted.count(Counter::Misses);
        match by_sample {
            true if graph::is_idle() => counted.start_outermost(),
            true => counted.start(),
            // its entry says what it took
            false => Some(Instant::now()),
        }
    }

    /// Has this asked of it, and tells those who listen that it begins.
    fn asked(mut self, call: Box<Call>) -> Self {
        if call.is_heard() {
            if let Some(lead) = &self.lead
                && call.directive != Some(Directive::Refresh)
            {
                // who listens may call for this very key
                let _held = lead.hold();
                call.missed();
            }
            // timed in any case, and what was told is no part of it
            self.started = Some(Instant::now());
        }
        match &mut self.more {
            Some(more) => more.call = Some(call),
            None => self.more = Some(Box::new(More { far: None, call: Some(call) })),
        }
        self
    }

    /// What the body runs in.
    fn span(&self) -> Span {
        let key = || self.memo.shown_of(self.lead.as_ref()?.key());
        Span::of(self.memo.name(), key)
    }

    /// Runs the body of an asynchronous function.
    pub fn compute<B: Future>(&self, body: B) -> impl Future<Output = B::Output> + use<'_, K, V, F, B> {
        holding(self.lead.as_ref(), self.span().around(body))
    }

    /// Stores what came of it, and tells those who wait. To be called once; by reference, so that it is not moved.
    #[inline(never)]
    pub fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(&mut self, outcome: O, result: &R) {
        let memo = self.memo;
        let cost = memo.counters.computed(self.started);
        let mut more = self.more.take();
        if let Some(call) = more.as_mut().and_then(|more| more.call.as_mut()) {
            call.answered(Answered::Computed, cost);
        }
        let Some(lead) = &mut self.lead else { return };
        // callbacks and drops of the user's run in here, and may wait for others
        let held = memo.runs_user_code.then(|| lead.hold());
        // one of those who wait takes the flight over, as from a leader that is gone
        let passes_on =
            !outcome.is_shared(result) && memo.settings.on_error.unwrap_or_default() == OnError::One;
        let stored = match &mut more {
            None => match memo.only_store() {
                Some(store) => memo.store_near(store, lead, outcome, result),
                None => memo.store(lead, None, None, cost, outcome, result),
            },
            Some(more) => {
                let call = more.call.as_ref();
                let (writes, ttl) = call.map_or((true, None), |call| (call.writes(), call.ttl));
                // where it passes on, the lease goes back as well, for whoever takes over
                let far = more.far.take().filter(|_| !passes_on);
                writes && memo.store(lead, far, ttl, cost, outcome, result)
            }
        };
        let call = more.and_then(|more| more.call);
        let shown = match stored && call.is_none() && event::may_be_heard() {
            true => Some(memo.shown_of(lead.key())),
            false => None,
        };
        if !passes_on {
            lead.land(|| match outcome.stored(result) {
                Some(value) => Landed::Value(value),
                None => outcome.failure(result).map_or(Landed::Unshared, Landed::Failed),
            });
        }
        self.lead = None;
        drop(held);
        memo.mind_thrashing();
        match call {
            // it is told as the call ends, here
            Some(mut call) if stored => call.stored(),
            _ => {}
        }
        if let Some(shown) = shown {
            event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref());
        }
        event::tell_rest();
    }
}

/// Storing what came of a flight.
impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Puts it into the store in memory, where that is all there is. Whether it was stored.
    #[inline(always)]
    fn store_near<R, O: Outcome<R, Stored = V, Failure = F>>(
        &'static self,
        store: &Memory<K, V>,
        lead: &Lead<'static, K, V, F>,
        outcome: O,
        result: &R,
    ) -> bool {
        let mut value = outcome.stored(result);
        let Some(found) = &value else { return false };
        let is_error = outcome.is_error(found);
        let Some(Storage { weight, lifetime }) = self.storage(lead.key(), found, is_error, None) else {
            return false;
        };
        let key = lead.key().clone();
        let stored = lead.store_unless(self.runs_user_code, |is_off| {
            store.insert_unless(&|| is_off.get(), lead.hash(), key, &mut value, weight, lifetime)
        });
        if stored {
            self.counters.count(Counter::Stored);
        }
        stored
    }

    /// Puts it into memory and into the engines at `far`, as far as it is to go there. `ttl` stands in place of the
    /// setting; `cost` is how long it took, if that is known. Whether it was stored.
    #[inline(never)]
    fn store<R, O: Outcome<R, Stored = V, Failure = F>>(
        &'static self,
        lead: &Lead<'static, K, V, F>,
        far: Option<Place<K, V>>,
        ttl: Option<Duration>,
        cost: Option<Duration>,
        outcome: O,
        result: &R,
    ) -> bool {
        let mut value = outcome.stored(result);
        let Some(found) = &value else { return false };
        let Some(storage) = self.storage(lead.key(), found, outcome.is_error(found), ttl) else {
            return false;
        };
        // the user's `Serialize` runs before anything waits for the store
        let asked = far.as_ref().map(|(far, key)| (*far, key.hold()));
        let far = far.and_then(|(far, key)| {
            let encoded = far.encode(found, key.over())?;
            Some((far, key, encoded))
        });
        let failed = far.as_ref().is_none_or(|(_, key, _)| key.failed);
        let size = far.as_ref().map(|(_, _, encoded)| encoded.len());
        let near = self.goes_near(failed, size);
        let mut stored = false;
        let store = || {
            if near {
                let Storage { weight, lifetime } = storage;
                self.near.insert_from(lead.hash(), lead.key().clone(), &mut value, weight, lifetime);
                if let (true, true, Some(far)) = (failed, self.stands_in(), &self.far) {
                    far.lodged(|| self.near.clear());
                }
                if let Some((far, hold)) = asked {
                    self.drop_unless(far, hold, lead);
                }
            } else {
                // what this replaces may have been small enough
                self.near.remove(lead.hash(), &Same(lead.key()));
            }
            stored = near || far.as_ref().is_some_and(|(_, key, _)| !key.failed);
            if let Some((far, key, encoded)) = far {
                far.store(*key, encoded, storage.lifetime, cost.unwrap_or_default());
            }
            if stored {
                self.counters.count(Counter::Stored);
            }
        };
        let undo = || {
            self.near.remove(lead.hash(), &Same(lead.key()));
            if let Some((far, _)) = asked {
                far.forget(lead.key());
            }
        };
        lead.store(store, undo);
        stored
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

/// Does `op` with `key`, in the namespace in force.
pub fn control<P: SharedPart, R: 'static, O: SharedOutcome<R> + Send>(
    site: Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
    op: Op<R>,
) -> Reply<R> {
    let origin = site.memo::<P::Owned, O::Stored, O::Failure>(&|| hooks(Hooks::new()));
    let Asked { place, ttl, .. } = Asked::of(origin.name()).unwrap_or_default();
    let (memo, lease) = place.of(origin);
    let hash = memo.hash(key);
    let version = &**memo;
    let far = version.far.as_ref();
    match op {
        Op::Peek if !memo.settings.enabled() => Reply::Peeked(None),
        Op::Peek => match (memo.near.peek(hash, &Query(*key)), far) {
            (Some(stored), _) => Reply::Peeked(Some(outcome.hit(stored))),
            (None, None) => Reply::Peeked(None),
            (None, Some(far)) => {
                let Some(key) = far.key_of(&key.to_owned_part(), hash) else { return Reply::Peeked(None) };
                Reply::Later(Box::pin(async move {
                    let _lease = lease;
                    Reply::Peeked(far.peek(key).await.map(|stored| outcome.hit(stored)))
                }))
            }
        },
        Op::Insert(result) => {
            let owned = key.to_owned_part();
            let storable = outcome.stored(&result).and_then(|value| {
                let storage = memo.storage(&owned, &value, outcome.is_error(&value), ttl)?;
                Some((value, storage))
            });
            let Some((value, storage)) = storable else {
                return Reply::Done(Err(Error::new(ErrorKind::NotStorable, memo.name())));
            };
            let encoded = far.and_then(|far| {
                let key = far.key_of(&owned, hash)?;
                let encoded = far.encode(&value, Some(&key))?;
                Some((far, key, encoded))
            });
            for (other, _lease) in place.others(origin) {
                other.forget_nearby(key);
            }
            memo.flights.supersede(hash, &Query(*key));
            let size = encoded.as_ref().map(|(_, _, encoded)| encoded.len());
            let near = memo.goes_near(encoded.is_none(), size);
            if !near && encoded.is_none() {
                return Reply::Done(Err(Error::new(ErrorKind::NotStorable, memo.name())));
            }
            if near {
                if let Some((far, key, _)) = &encoded {
                    // so that a change elsewhere finds it; what is inserted is right until then
                    far.hold(key, hash);
                }
                memo.near.insert(hash, owned, value, storage.weight, storage.lifetime);
                if memo.has_changed(version) {
                    // emptied meanwhile, perhaps for good
                    memo.near.remove(hash, &Query(*key));
                }
            } else {
                memo.near.remove(hash, &Query(*key));
            }
            memo.counters.count(Counter::Stored);
            event::tell_of(&Event::Stored { function: memo.name() }, memo.shown(key).as_deref());
            match encoded {
                Some((far, key, encoded)) => Reply::Later(Box::pin(async move {
                    let _lease = lease;
                    Reply::Done(far.insert(key, encoded, storage.lifetime).await)
                })),
                None => Reply::Done(Ok(())),
            }
        }
        Op::Invalidate => {
            let mut held = place.others(origin);
            held.push((memo, lease));
            let mut engines = Vec::new();
            for (memo, lease) in held {
                memo.forget_nearby(key);
                let far = memo.far.as_ref();
                engines.extend(far.and_then(|far| Some((far, far.key(&key.to_owned_part())?, lease))));
            }
            if engines.is_empty() {
                return Reply::Done(Ok(()));
            }
            Reply::Later(Box::pin(async move {
                let mut done = Ok(());
                for (far, key, _lease) in engines {
                    done = done.and(far.remove(key).await);
                }
                Reply::Done(done)
            }))
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Drops what is in memory for `key`. What is being computed for it now is not stored.
    fn forget_nearby<P: Part<Owned = K>>(&self, key: &P) {
        let hash = self.hash(key);
        self.flights.supersede(hash, &Query(*key));
        self.near.remove(hash, &Query(*key));
    }
}
