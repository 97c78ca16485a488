//! A call that found nothing nearby: it goes on as a synchronous or as an asynchronous one.

use crate::call::acquire::Acquire;
use crate::call::admitted::admitted;
use crate::call::aged;
use crate::call::begun::{Begun, Ended, Shared};
use crate::call::claim::{Aged, Patient};
use crate::call::computation::Computation;
use crate::call::computing::Computing;
use crate::call::lookup::is_large;
use crate::call::running::{Running, Started};
use crate::directive::Directive;
use crate::flight::graph::BlocksThread;
use crate::flight::{Joined, Own};
use crate::key::{OwnedPart, Part};
use crate::memo::{Leads, Memo};
use crate::near::{Fast, Same};
use crate::outcome::{Outcome, Value};
use crate::park::block_on;
use crate::scope::Call;
use crate::settings::SingleFlight;

/// A call that found nothing nearby.
#[derive(Debug)]
pub(crate) struct Missed<K: OwnedPart, V: Value, F: Value> {
    miss: Miss<K, V, F>,
    /// What it has found all the same.
    aged: Option<Box<Aged<K, V, F>>>,
}

/// What there is to say of a call that found nothing at all.
#[derive(Debug)]
struct Miss<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    key: Option<K>,
    /// What is asked of it, if anything is.
    call: Option<Box<Call>>,
}

/// [`Missed`], by the borrowed key and the outcome.
pub(crate) type MissedBy<P, R, O> =
    Missed<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure>;

impl<K: OwnedPart, V: Value, F: Value> Missed<K, V, F> {
    /// A call for the models, which looks nearby as `begin` does.
    #[cfg(all(test, memo_shuttle))]
    pub(crate) fn model(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Result<V, Self> {
        let found = memo.near.get(hash, Same(&key));
        found.ok_or(Self::nothing(memo, hash, Some(key), None))
    }

    /// One of which nothing is asked. What has expired of its key leaves.
    pub(crate) fn new<P: Part<Owned = K>>(memo: &'static Memo<K, V, F>, hash: u64, key: P) -> Self {
        memo.near.missed(hash);
        Self::found_nothing(memo, hash, key)
    }

    /// One of which nothing is asked, after a look that sees to what has expired.
    pub(crate) fn found_nothing<P: Part<Owned = K>>(memo: &'static Memo<K, V, F>, hash: u64, key: P) -> Self {
        Self::nothing(memo, hash, Some(key.to_owned_part()), None)
    }

    /// One of which something is asked. Without a key it stores nothing.
    pub(crate) fn asked(memo: &'static Memo<K, V, F>, hash: u64, key: Option<K>, call: Call) -> Self {
        Self::nothing(memo, hash, key, Some(Box::new(call)))
    }

    /// One that has looked for a result of any age. `aged` is what it found, if that does not simply answer the call.
    pub(super) fn aged<P: Part<Owned = K>>(
        memo: &'static Memo<K, V, F>,
        hash: u64,
        key: P,
        call: Option<Call>,
        aged: Option<Aged<K, V, F>>,
    ) -> Self {
        let key = Some(key.to_owned_part());
        let miss = Miss { memo, hash, key, call: call.map(Box::new) };
        Missed { miss, aged: aged.map(Box::new) }
    }

    fn nothing(memo: &'static Memo<K, V, F>, hash: u64, key: Option<K>, call: Option<Box<Call>>) -> Self {
        Missed { miss: Miss { memo, hash, key, call }, aged: None }
    }

    /// The part of a synchronous call that comes before the body: waits for another call's result, or gets the right to
    /// compute.
    ///
    /// # Errors
    ///
    /// The body is to run.
    //
    // Not a frame of ours is on the stack while the body runs: it may call this function again, to any depth.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn begin<R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        outcome: O,
    ) -> Result<R, Running<K, V, F>> {
        // in parts, which need no place in the caller's frame
        let Missed { miss: Miss { memo, hash, key, call }, aged } = self;
        let started = match (aged, key) {
            (Some(aged), Some(key)) => aged::start(memo, hash, key, call, aged),
            (_, key) => Miss::start(memo, hash, key, call),
        };
        match started {
            Started::Running(running) => Err(running),
            Started::Shared(shared) => shared.result(outcome),
            Started::TurnedAway(computation) => Ok(computation.turned_away(outcome)),
        }
    }

    /// The part of an asynchronous call that comes before the body: waits for another call's result, else gives the right
    /// to compute.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn acquire<R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        outcome: O,
    ) -> Acquire<K, V, F, R, O> {
        let Missed { mut miss, aged } = self;
        if let Some(aged) = aged {
            return miss.acquire_aged(aged, outcome);
        }
        let begun = match miss.lead_at_once(false) {
            Ok(flight) => {
                let started = Computation::count(miss.memo, true);
                let computing = Computing::new(|| Computation::leading(miss.memo, flight, started));
                return Acquire::compute(computing, outcome);
            }
            Err(begun) => begun,
        };
        let call = miss.call.take();
        let begun = begun.map_or_else(|| miss.first_step(false, call.as_deref()), |begun| *begun);
        acquire_begun(miss.memo, begun, call, outcome, Begun::ended)
    }
}

impl<K: OwnedPart, V: Value, F: Value> Miss<K, V, F> {
    /// What another call shares, or the right to compute, which begins.
    #[inline(never)]
    fn start(
        memo: &'static Memo<K, V, F>,
        hash: u64,
        key: Option<K>,
        call: Option<Box<Call>>,
    ) -> Started<K, V, F> {
        let mut miss = Miss { memo, hash, key, call };
        match miss.lead_at_once(true) {
            Ok(flight) => {
                let started = Computation::count(memo, true);
                Started::Running(Running::new(|| Computation::leading(memo, flight, started)))
            }
            Err(begun) => miss.start_slowly(begun),
        }
    }

    /// Gives what [`start`](Self::start) gives, for a call that does not lead at once: it waits, it looks into engines, or
    /// something is asked of it. `begun` is what it does already, if it does.
    #[cold]
    #[inline(never)]
    fn start_slowly(&mut self, begun: Other<K, V, F>) -> Started<K, V, F> {
        let call = self.call.take();
        let begun = begun.map_or_else(|| self.first_step(true, call.as_deref()), |begun| *begun);
        let begun = if begun.is_end() { begun } else { block_on(Box::pin(begun.end(call.as_deref()))) };
        Started::of(self.memo, begun.ended(call))
    }

    /// The flight to lead, as nearly every miss of a function without engines comes to it: nothing is asked of the call, and
    /// nobody else computes the key. The error is what has begun instead, if anything has.
    //
    // What this gives is in registers. Structures that are written in parts and soon after moved as wholes would have the
    // processor wait for each of the writes.
    #[inline(always)]
    fn lead_at_once(&mut self, blocks: BlocksThread) -> Result<Own<K, V, F>, Other<K, V, F>> {
        let Miss { memo, hash, .. } = *self;
        let Some(leads) = memo.leads else { return Err(None) };
        if self.call.is_some() || const { is_large::<V>() } {
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
                return Err(Some(Box::new(Begun::waiting(memo, hash, blocks, wait))));
            }
        };
        let lead = memo.flights.lead(flight);
        // as in `Begun::lead`, where the look is made again if it has found anything
        let on_stack = memo.runs_user_code.then(|| lead.on_stack());
        let is_there = match memo.near.get_fast(hash, Same(lead.key())) {
            Fast::Miss => false,
            Fast::Hit(_) => true,
            Fast::Slow => memo.landed(&lead).is_some(),
        };
        drop(on_stack);
        match is_there {
            false => Ok(lead.into_flight()),
            true => Err(Some(Box::new(Begun::lead(memo, lead, blocks)))),
        }
    }

    /// As [`Missed::acquire`], for a call that has found something.
    #[cold]
    #[inline(never)]
    fn acquire_aged<R, O: Outcome<R, Stored = V, Failure = F>>(
        self,
        aged: Box<Aged<K, V, F>>,
        outcome: O,
    ) -> Acquire<K, V, F, R, O> {
        let Miss { memo, hash, key, mut call } = self;
        let Some(key) = key else { unreachable!("a call that looks has a key") };
        if aged::is_for_another(memo, &aged) {
            let claimed = || Computation::claimed(memo, hash, key, call, aged);
            return Acquire::compute(Computing::new(claimed), outcome);
        }
        if aged::is_patient(memo, &aged) {
            let Aged { value, serves, .. } = *aged;
            let answer = Box::new(Patient { memo, hash, key, value, serves, call }).answer();
            return Acquire::later(async { Ended::Shared(Shared::Value(Box::new(answer.await))) }, outcome);
        }
        let Some(begun) = aged::join(memo, hash, key, false, &aged) else {
            Aged::given(memo, aged.serves, call.as_deref_mut());
            return Acquire::ended(Ended::Shared(Shared::Value(Box::new(aged.left_to_others()))), outcome);
        };
        let ended = move |begun, call| aged::ended(memo, begun, call, aged);
        acquire_begun(memo, begun, call, outcome, ended)
    }

    #[inline(never)]
    fn first_step(&mut self, blocks: BlocksThread, call: Option<&Call>) -> Begun<K, V, F> {
        let Miss { memo, hash, .. } = *self;
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

/// The rest of an asynchronous call that does not lead at once: it waits where it has to, and until it is admitted. `ended` says how
/// it goes on after that.
fn acquire_begun<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>>(
    memo: &'static Memo<K, V, F>,
    begun: Begun<K, V, F>,
    call: Option<Box<Call>>,
    outcome: O,
    ended: impl FnOnce(Begun<K, V, F>, Option<Box<Call>>) -> Ended<K, V, F> + Send + 'static,
) -> Acquire<K, V, F, R, O> {
    if begun.is_end() && !memo.is_limited() {
        return Acquire::ended(ended(begun, call), outcome);
    }
    let later = async move {
        let begun = begun.end(call.as_deref()).await;
        let ended = ended(begun, call);
        if memo.is_limited() { admitted(memo, ended).await } else { ended }
    };
    Acquire::later(later, outcome)
}

/// What has begun in place of leading a flight at once, if anything has.
type Other<K, V, F> = Option<Box<Begun<K, V, F>>>;
