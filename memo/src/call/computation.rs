//! The right to compute a key.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use crate::call::claim::{Aged, Claim, Claimed, Patient, Renewal};
use crate::call::store::Destination;
use crate::call::within::Within;
use crate::counters::Counter;
use crate::directive::Directive;
use crate::event::{self, Event};
use crate::flight::graph::{self, OnStack};
use crate::flight::{Landed, Lead, Own, holding};
use crate::gate::Permit;
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::memoized::Memoized;
use crate::outcome::{Outcome, Value};
use crate::scope::{Answered, Call, Failed};
use crate::settings::OnError;
use crate::trace::Span;
use crate::unanswered::Unanswered;

/// The right to compute a key, and the duty to say what came of it. If it is dropped before it has
/// [finished](Computation::finish), because the body panicked or its future was dropped, another caller takes over.
pub(super) struct Computation<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    /// None for a call that stores nothing.
    lead: Option<Lead<'static, K, V, F>>,
    started: Option<Instant>,
    /// What few have. Last: it holds on to the record.
    more: Option<Box<More<K, V, F>>>,
}

/// What is to be known of some computations.
struct More<K: OwnedPart, V: Value, F: Value> {
    /// Where to store the result in engines that outlive the process: those that were asked for it, whatever the
    /// function's engines are by then.
    far: Option<Destination<K, V>>,
    /// What is asked of the call.
    call: Option<Box<Call>>,
    /// A result that the call has found.
    aged: Option<Box<Aged<K, V, F>>>,
    /// The right to renew a result behind the calls.
    claim: Option<Claim<K, V, F>>,
    /// Its place, where there are only some.
    permit: Option<Permit>,
    /// A renewal that is to be handed over.
    claimed: Option<Box<Claimed<K, V, F>>>,
}

impl<K: OwnedPart, V: Value, F: Value> More<K, V, F> {
    fn new() -> Box<Self> {
        Box::new(More { far: None, call: None, aged: None, claim: None, permit: None, claimed: None })
    }
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Computation<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Computation").field("memo", &self.memo).finish_non_exhaustive()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Computation<K, V, F> {
    /// One that is not for a miss.
    pub(super) fn new(
        memo: &'static Memo<K, V, F>,
        lead: Option<Lead<'static, K, V, F>>,
        far: Option<Destination<K, V>>,
    ) -> Self {
        let more = Self::more(far);
        Computation { memo, lead, started: memo.counters.start(), more }
    }

    /// That of a miss which leads at once, and has been counted.
    #[inline(always)]
    pub(super) fn leading(
        memo: &'static Memo<K, V, F>,
        flight: Own<K, V, F>,
        started: Option<Instant>,
    ) -> Self {
        Computation { memo, lead: Some(memo.flights.lead(flight)), started, more: None }
    }

    /// That of any other miss, which it counts.
    pub(super) fn missed(
        memo: &'static Memo<K, V, F>,
        lead: Lead<'static, K, V, F>,
        far: Option<Destination<K, V>>,
    ) -> Self {
        let started = Self::count(memo, far.is_none() && !memo.is_aged());
        Computation { memo, lead: Some(lead), started, more: Self::more(far) }
    }

    /// That of a renewal behind the calls, which is no call's miss.
    pub(super) fn unasked(
        memo: &'static Memo<K, V, F>,
        lead: Lead<'static, K, V, F>,
        far: Option<Destination<K, V>>,
    ) -> Self {
        Computation { memo, lead: Some(lead), started: Some(Instant::now()), more: Self::more(far) }
    }

    /// One that computes nothing, since another thread or task is to renew the result that was found. `call` is answered by that.
    #[allow(clippy::boxed_local, reason = "a large result stays out of the frames between")]
    pub(super) fn claimed(
        memo: &'static Memo<K, V, F>,
        hash: u64,
        key: K,
        call: Option<Box<Call>>,
        aged: Box<Aged<K, V, F>>,
    ) -> Self {
        let Aged { value, serves, claim, .. } = *aged;
        let asked = call.as_ref().and_then(|call| call.for_renewal());
        let claimed = claim.map(|claim| {
            let patient = Box::new(Patient { memo, hash, key: key.clone(), value, serves, call });
            Box::new(Claimed { renewal: Renewal { memo, hash, key, claim, call: asked }, patient })
        });
        let more = Some(Box::new(More { claimed, ..*More::new() }));
        Computation { memo, lead: None, started: None, more }
    }

    /// The id of the flight that it leads.
    pub(super) fn flight(&self) -> Option<usize> {
        self.lead.as_ref().map(Lead::id)
    }

    /// Gives it a place, if it needs one. It may have waited, which is no part of its time.
    pub(super) fn admitted(mut self, permit: Option<Permit>) -> Self {
        self.started = self.started.map(|_| Instant::now());
        if permit.is_some() {
            self.more.get_or_insert_with(More::new).permit = permit;
        }
        self
    }

    /// The result that was found before, if there is one: for this call, and for those who wait for it. Nothing is computed.
    pub(super) fn found_before(&mut self) -> Option<V> {
        let Aged { value, claim, .. } = *self.more.as_mut()?.aged.take()?;
        if let Some(claim) = claim {
            claim.release();
        }
        self.memo.counters.stale();
        self.land_found(&value);
        Some(value)
    }

    /// Hands what was found before to those who wait.
    fn land_found(&mut self, value: &V) {
        if let Some(lead) = &mut self.lead {
            let on_stack = self.memo.runs_user_code.then(|| lead.on_stack());
            lead.land(|| Landed::Value(value.clone()));
            self.lead = None;
            drop(on_stack);
        }
    }

    /// The error of a call that is over a limit, which those who wait for it get too if they can.
    pub(super) fn turned_away<R, O: Outcome<R, Stored = V, Failure = F>>(mut self, outcome: O) -> R {
        let result = outcome.unanswered(Unanswered::Limited);
        let result = result.expect("only a function that has an error for it turns calls away");
        let failure = outcome.failure(&result);
        if let (Some(lead), Some(failure)) = (&mut self.lead, failure) {
            lead.land(|| Landed::Failed(failure));
            self.lead = None;
        }
        result
    }

    /// Whether a result that was found answers the call if this fails.
    pub(super) fn is_renewal(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.aged.is_some())
    }

    /// Whether it computes anything: it does not where it only hands a renewal over.
    pub(super) fn computes(&self) -> bool {
        self.more.as_ref().is_none_or(|more| more.claimed.is_none())
    }

    /// The renewal that is to be handed over, if it is only that.
    pub(super) fn take_claimed(&mut self) -> Option<Box<Claimed<K, V, F>>> {
        self.more.as_mut()?.claimed.take()
    }

    /// Has it renew a result, which answers the call if this fails.
    pub(super) fn renewing(mut self, aged: Box<Aged<K, V, F>>) -> Self {
        self.more.get_or_insert_with(More::new).aged = Some(aged);
        self
    }

    /// Has it renew a result behind the calls.
    pub(super) fn renewing_behind(mut self, claim: Claim<K, V, F>) -> Self {
        self.more.get_or_insert_with(More::new).claim = Some(claim);
        self
    }

    fn more(far: Option<Destination<K, V>>) -> Option<Box<More<K, V, F>>> {
        far.map(|far| Box::new(More { far: Some(far), ..*More::new() }))
    }

    /// Counts a miss that begins to be computed. When that was, if it is to be timed.
    #[inline(always)]
    pub(super) fn count(memo: &'static Memo<K, V, F>, by_sample: bool) -> Option<Instant> {
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
    pub(super) fn asked(mut self, call: Box<Call>) -> Self {
        if let Some(lead) = self.lead.as_ref().filter(|_| call.is_heard())
            && call.directive != Some(Directive::Refresh)
        {
            // who listens may call for this very key
            let _on_stack = lead.on_stack();
            call.missed();
        }
        if call.is_heard() || call.asks_of_age() {
            // timed in any case, and what was told is no part of it
            self.started = Some(Instant::now());
        }
        self.more.get_or_insert_with(More::new).call = Some(call);
        self
    }

    /// Has this thread compute the key from now on, until what it gives is dropped.
    #[inline(always)]
    pub(super) fn on_stack(&self) -> Option<OnStack> {
        self.lead.as_ref().map(Lead::on_stack)
    }

    /// What the body runs in.
    pub(super) fn span(&self) -> Span {
        let key = || self.memo.shown_of(self.lead.as_ref()?.key());
        Span::of(self.memo.name(), key)
    }

    /// Runs the body of an asynchronous function.
    pub(super) fn compute<B: Future>(
        &self,
        body: B,
    ) -> impl Future<Output = B::Output> + use<'_, K, V, F, B> {
        holding(self.lead.as_ref(), self.span().around(body))
    }

    /// The body, which is given up if it takes longer than the function's `timeout`.
    pub(super) fn within<R, O: Outcome<R, Stored = V, Failure = F>, B: Future<Output = R>>(
        &self,
        outcome: O,
        body: B,
    ) -> Within<B, R, O> {
        let memo = self.memo;
        Within::new(body, outcome, memo.settings.sparing.timeout, &memo.counters)
    }

    /// Stores what came of it, and tells those who wait. To be called once; by reference, so that it is not moved.
    #[inline(never)]
    pub(super) fn finish<R, O: Outcome<R, Stored = V, Failure = F>>(&mut self, outcome: O, result: &mut R) {
        let memo = self.memo;
        let cost = memo.counters.computed(self.started);
        if let Some(more) = self.more.take() {
            return self.finish_with(*more, cost, outcome, result);
        }
        let Some(lead) = &mut self.lead else { return };
        // callbacks and drops of the user's run in here, and may wait for others
        let on_stack = memo.runs_user_code.then(|| lead.on_stack());
        let passes_on = passes_on(memo, outcome, result);
        let stored = match memo.only_store() {
            Some(store) => memo.store_near(store, lead, outcome, result),
            None => memo.store(lead, None, None, cost, outcome, result),
        };
        let shown = (stored && event::may_be_heard()).then(|| memo.shown_of(lead.key()));
        land(lead, passes_on, outcome, result);
        self.lead = None;
        drop(on_stack);
        memo.mind_thrashing();
        if let Some(shown) = shown {
            event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref());
        }
        event::tell_rest();
    }

    /// As [`finish`](Self::finish), where there is more to be known.
    #[cold]
    #[inline(never)]
    fn finish_with<R, O: Outcome<R, Stored = V, Failure = F>>(
        &mut self,
        more: More<K, V, F>,
        cost: Option<Duration>,
        outcome: O,
        result: &mut R,
    ) {
        let More { far, mut call, aged, claim, permit, .. } = more;
        let memo = self.memo;
        let failed = outcome.is_failure(result);
        let claim = match aged {
            Some(aged) if failed => return self.put_instead(aged, outcome, result, call, cost),
            Some(aged) => aged.claim,
            None => claim,
        };
        if let Some(call) = &mut call {
            call.answered(Answered::Computed, cost);
        }
        let Some(lead) = &mut self.lead else { return };
        // callbacks and drops of the user's run in here, and may wait for others
        let on_stack = memo.runs_user_code.then(|| lead.on_stack());
        let passes_on = passes_on(memo, outcome, result);
        let (writes, asked) = call.as_ref().map_or((true, None), |call| (call.writes(), Some(&call.options)));
        // where it passes on, the lease goes back as well, for whoever takes over
        let far = far.filter(|_| !passes_on);
        // an error of a renewal is not stored, since the result that there is is good
        let is_kept = !failed || claim.is_none();
        let stored = is_kept && writes && memo.store(lead, far, asked, cost, outcome, result);
        let shown = (stored && call.is_none() && event::may_be_heard()).then(|| memo.shown_of(lead.key()));
        land(lead, passes_on, outcome, result);
        self.lead = None;
        drop(on_stack);
        // who is told of it may call this function, and need the place
        drop(permit);
        memo.mind_thrashing();
        // it is told as the call ends, here
        if let Some(mut call) = call
            && stored
        {
            call.stored();
        }
        if let Some(shown) = shown {
            event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref());
        }
        match claim {
            Some(claim) if !failed => claim.renewed(cost.unwrap_or_default()),
            claim => drop(claim),
        }
        event::tell_rest();
    }

    /// The result that answers in place of a panic of the body.
    ///
    /// # Panics
    ///
    /// With that panic, if there is none.
    #[cold]
    #[inline(never)]
    pub(super) fn answer_panic<R, O: Outcome<R, Stored = V, Failure = F>>(
        &mut self,
        outcome: O,
        panic: Box<dyn Any + Send>,
    ) -> R {
        let (aged, call) = self.more.take().map_or((None, None), |more| (more.aged, more.call));
        let Some(aged) = aged else { resume_unwind(panic) };
        event::caught(|| drop(panic));
        self.answer_instead(aged, outcome, call, (Failed::Panicked, None))
    }

    /// Puts the result that was found before in place of the failure in `result`. A function of its own, so that large
    /// results stand in no frame below one that stores a result.
    #[cold]
    #[inline(never)]
    fn put_instead<R, O: Outcome<R, Stored = V, Failure = F>>(
        &mut self,
        aged: Box<Aged<K, V, F>>,
        outcome: O,
        result: &mut R,
        call: Option<Box<Call>>,
        cost: Option<Duration>,
    ) {
        *result = self.answer_instead(aged, outcome, call, (Failed::Own, cost));
    }

    /// The result that was found before, for this call in place of a failure, and for those who wait for it.
    #[cold]
    #[inline(never)]
    #[allow(clippy::boxed_local, reason = "a large result stays out of the frames between")]
    fn answer_instead<R, O: Outcome<R, Stored = V, Failure = F>>(
        &mut self,
        aged: Box<Aged<K, V, F>>,
        outcome: O,
        call: Option<Box<Call>>,
        (failed, took): (Failed, Option<Duration>),
    ) -> R {
        let Aged { value, claim, .. } = *aged;
        let hash = self.lead.as_ref().map(Lead::hash);
        let mut claim = claim.or_else(|| Claim::without_right(self.memo, hash?));
        if let Some(claim) = &mut claim {
            // from here on nobody tries again for a while
            claim.fail();
        }
        self.land_found(&value);
        self.memo.counters.stale();
        if let Some(mut call) = call {
            call.answered(Answered::Instead(failed, self.memo.near_name()), took);
        }
        drop(claim);
        event::tell_rest();
        outcome.hit(value)
    }
}

/// Whether one of those who wait takes the flight over, as from a leader that is gone.
#[inline(always)]
fn passes_on<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>>(
    memo: &Memo<K, V, F>,
    outcome: O,
    result: &R,
) -> bool {
    !outcome.is_shared(result) && memo.settings.on_error.unwrap_or_default() == OnError::One
}

/// Tells those who wait what came of it, unless one of them takes over.
#[inline(always)]
fn land<K: OwnedPart, V: Value, F: Value, R, O: Outcome<R, Stored = V, Failure = F>>(
    lead: &mut Lead<'static, K, V, F>,
    passes_on: bool,
    outcome: O,
    result: &R,
) {
    if !passes_on {
        lead.land(|| match outcome.stored(result) {
            Some(value) => Landed::Value(value),
            None => outcome.failure(result).map_or(Landed::Unshared, Landed::Failed),
        });
    }
}
