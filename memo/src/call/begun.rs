//! What a call does that found nothing nearby, until its body runs or it has a result: it leads a flight, looks into the
//! engines that outlive the process, or waits for another call.

use std::time::Duration;

use crate::call::claim::{Aged, Claim};
use crate::call::computation::Computation;
use crate::call::lookup::is_large;
use crate::call::store::Destination;
use crate::counters::Counter;
use crate::far::{Far, FarFound, FarKey, FarLooked};
use crate::flight::graph::BlocksThread;
use crate::flight::{Joined, Landed, Lead, Wait, Waited, holding};
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::memo::freshness::Serves;
use crate::near::Same;
use crate::outcome::{Outcome, Value};
use crate::scope::{Answered, Call};

/// What a call that found nothing nearby does next.
pub(super) enum Begun<K: OwnedPart, V: Value, F: Value> {
    /// A value that was found, or that another call shares.
    Found(Box<V>, Answered),
    /// A value that is not fresh any more. It answers the call, which is to hand its renewal over if it has a claim.
    Stale(Renewed<K, V, F>),
    /// Another call has just failed.
    Failed(Box<F>),
    /// It computes.
    Compute(Computation<K, V, F>),
    /// It waits for another call's computation.
    Wait(Waiting<K, V, F>),
    /// It looks into the engines that outlive the process, for all who wait for it.
    Look(Looking<K, V, F>),
}

/// A value that is not fresh any more and answers a call, and what is to be renewed.
pub(super) struct Renewed<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    key: K,
    /// In a box, so that large results stay out of the frames between.
    aged: Box<Aged<K, V, F>>,
}

pub(super) struct Looking<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    far: &'static Far<K, V>,
    lead: Lead<'static, K, V, F>,
    /// Whether it is for a call, which is counted.
    counts: bool,
    /// Whether it may wait for a computation in another process, and how.
    may_wait: Option<BlocksThread>,
    /// How long the result near is fresh that is to be renewed.
    left: Duration,
}

pub(super) struct Waiting<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    blocks: bool,
    wait: Box<Wait<'static, K, V, F>>,
}

impl<K: OwnedPart, V: Value, F: Value> Begun<K, V, F> {
    pub(super) fn waiting(
        memo: &'static Memo<K, V, F>,
        hash: u64,
        blocks: BlocksThread,
        wait: Box<Wait<'static, K, V, F>>,
    ) -> Self {
        Begun::Wait(Waiting { memo, hash, blocks, wait })
    }

    pub(super) fn join(memo: &'static Memo<K, V, F>, hash: u64, key: K, blocks: bool) -> Self {
        match memo.flights.join(hash, key, blocks) {
            Joined::Lead(flight) => Self::lead(memo, memo.flights.lead(flight), blocks),
            Joined::Wait(wait) => Begun::Wait(Waiting { memo, hash, blocks, wait }),
        }
    }

    pub(super) fn alone(memo: &'static Memo<K, V, F>, hash: u64, key: K) -> Self {
        Self::look(memo, memo.flights.lead(memo.flights.alone(hash, key)), None, true, Duration::ZERO)
    }

    /// What leads to a new result in place of one that is fresh for as long as is `left`. `counts`: it is for a call, which is counted.
    //
    // It does not look nearby, since the result that is to be renewed is there, and may be fresh.
    pub(super) fn renew(
        memo: &'static Memo<K, V, F>,
        lead: Lead<'static, K, V, F>,
        blocks: BlocksThread,
        counts: bool,
        left: Duration,
    ) -> Self {
        Self::look(memo, lead, Some(blocks), counts, left)
    }

    pub(super) fn lead(
        memo: &'static Memo<K, V, F>,
        mut lead: Lead<'static, K, V, F>,
        blocks: BlocksThread,
    ) -> Self {
        // `Eq`, `Clone` and `Drop` of the user's run in here, and may wait for others
        let on_stack = memo.runs_user_code.then(|| lead.on_stack());
        // a flight may have landed between our look at the store and our joining
        let stored = if const { is_large::<V>() } {
            memo.landed(&lead)
        } else {
            memo.near.get(lead.hash(), Same(lead.key())).map(Box::new)
        };
        let stored = stored.filter(|stored| memo.is_valid(stored));
        if let Some(stored) = stored {
            memo.counters.count(Counter::Hits);
            lead.land(|| Landed::Value(V::clone(&stored)));
            return Begun::Found(stored, Answered::By(memo.near_name()));
        }
        drop(on_stack);
        Self::look(memo, lead, Some(blocks), true, Duration::ZERO)
    }

    fn look(
        memo: &'static Memo<K, V, F>,
        lead: Lead<'static, K, V, F>,
        may_wait: Option<BlocksThread>,
        counts: bool,
        left: Duration,
    ) -> Self {
        match &memo.far {
            Some(far) => Begun::Look(Looking { memo, far, lead, counts, may_wait, left }),
            None => Self::compute(memo, lead, None, counts),
        }
    }

    fn compute(
        memo: &'static Memo<K, V, F>,
        lead: Lead<'static, K, V, F>,
        far: Option<Destination<K, V>>,
        counts: bool,
    ) -> Self {
        Begun::Compute(match counts {
            true => Computation::missed(memo, lead, far),
            false => Computation::unasked(memo, lead, far),
        })
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_end(&self) -> bool {
        !matches!(self, Begun::Wait(_) | Begun::Look(_))
    }

    /// Waits for what there is to wait for.
    pub(super) async fn end(mut self, call: Option<&Call>) -> Self {
        loop {
            self = match self {
                Begun::Wait(wait) => wait.end().await,
                Begun::Look(looking) => looking.end(call).await,
                end => return end,
            }
        }
    }

    /// How the call ends, or goes on.
    pub(super) fn ended(self, mut call: Option<Box<Call>>) -> Ended<K, V, F> {
        let mut answered = |by| call.iter_mut().for_each(|call| call.answered(by, None));
        match self {
            Begun::Found(value, by) => {
                answered(by);
                Ended::Shared(Shared::Value(value))
            }
            Begun::Stale(Renewed { memo, hash, key, aged }) if aged.claim.is_some() => {
                Ended::Compute(Computation::claimed(memo, hash, key, call, aged))
            }
            Begun::Stale(Renewed { memo, aged, .. }) => {
                Aged::given(memo, aged.serves, call.as_deref_mut());
                Ended::Shared(Shared::Value(Box::new(aged.value)))
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

impl<K: OwnedPart, V: Value, F: Value> Looking<K, V, F> {
    pub(super) async fn end(self, call: Option<&Call>) -> Begun<K, V, F> {
        let Looking { memo, far, mut lead, counts, may_wait, left } = self;
        let writes = call.is_none_or(Call::writes);
        let asked = call.map(|call| &call.options);
        // `Serialize`, `Deserialize` and `Drop` of the user's run in here, and may wait for others, for this one even
        let looked = holding(Some(&lead), far.look(&lead, may_wait, writes)).await;
        let on_stack = memo.runs_user_code.then(|| lead.on_stack());
        if far.is_suspect() || memo.stands_in() && far.is_back(&looked) {
            // it may be another key's; or was there for the time being, and would hide what the engine has
            memo.near.clear();
        }
        let looked = match looked {
            FarLooked::Found(found) if !is_newer(&found, left) => {
                FarLooked::Nothing(far.unseen(lead.key(), lead.hash()))
            }
            // it is kept for others, who ask for less
            FarLooked::Stale(found, key) if memo.serves_from_far(&found, asked) == Serves::Nothing => {
                FarLooked::Nothing(key.or_else(|| far.unseen(lead.key(), lead.hash())))
            }
            FarLooked::Found(found) | FarLooked::Stale(found, _) if !memo.is_valid(&found.value) => {
                FarLooked::Nothing(far.unseen(lead.key(), lead.hash()))
            }
            looked => looked,
        };
        match looked {
            FarLooked::Found(found) => {
                if found.waited && counts {
                    memo.counters.count(Counter::Misses);
                    memo.counters.count(Counter::Waits);
                } else if counts {
                    memo.counters.hit_of_cost(found.cost);
                }
                if writes {
                    memo.keep(&lead, &found, asked, far);
                }
                let FarFound { value, waited, engine, .. } = found;
                lead.land(|| Landed::Value(V::clone(&value)));
                Begun::Found(value, if waited { Answered::Waited } else { Answered::By(engine) })
            }
            FarLooked::Stale(found, key) => {
                if writes && counts {
                    memo.keep_stale(&lead, &found, far);
                }
                drop(on_stack);
                let serves = memo.serves_from_far(&found, asked);
                Self::stale(memo, far, lead, (found, serves), key, counts)
            }
            FarLooked::Nothing(key) => {
                drop(on_stack);
                Begun::compute(memo, lead, key.map(|key| (far, key)), counts)
            }
        }
    }
}

/// Whether a result that was found is another one than the one near, which is fresh for so long. Engines may round times.
fn is_newer<V>(found: &FarFound<V>, left: Duration) -> bool {
    let about = left.min(Duration::from_secs(1));
    found.waited || found.lives.is_none_or(|lives| left.is_zero() || lives > left + about)
}

impl<K: OwnedPart, V: Value, F: Value> Looking<K, V, F> {
    /// What comes of a result that is not fresh any more. Without a key somebody else renews it.
    fn stale(
        memo: &'static Memo<K, V, F>,
        far: &'static Far<K, V>,
        mut lead: Lead<'static, K, V, F>,
        (found, serves): (FarFound<V>, Serves),
        key: Option<Box<FarKey>>,
        counts: bool,
    ) -> Begun<K, V, F> {
        let (hash, value) = (lead.hash(), *found.value);
        let others = key.is_none();
        // a renewal behind the call asks the engines again, and takes the lease again
        let claim = match counts && !others && serves == Serves::Stale && memo.renews_behind() {
            true => Claim::of(memo, hash).map(|claim| claim.of_key(|| memo.shown_of(lead.key()))),
            false => None,
        };
        if claim.is_some() || (others && (serves == Serves::Stale || !counts)) {
            lead.land(|| Landed::Value(value.clone()));
            let key = lead.key().clone();
            return Begun::Stale(Renewed {
                memo,
                hash,
                key,
                aged: Box::new(Aged { value, age: None, serves, claim }),
            });
        }
        let destination = key.map(|key| (far, key));
        match Begun::compute(memo, lead, destination, counts) {
            Begun::Compute(computation) if counts => {
                Begun::Compute(computation.renewing(Box::new(Aged { value, age: None, serves, claim: None })))
            }
            begun => begun,
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Waiting<K, V, F> {
    pub(super) async fn end(self) -> Begun<K, V, F> {
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

/// What a call has come to when there is nothing more to wait for.
pub(super) enum Ended<K: OwnedPart, V: Value, F: Value> {
    /// A result that it did not compute.
    Shared(Shared<V, F>),
    /// The right to compute.
    Compute(Computation<K, V, F>),
    /// That, for a call which is over a limit, and ends with an error that says so.
    TurnedAway(Computation<K, V, F>),
}

/// What a call gets that does not compute, each in a box: a large one stays out of the frames between.
pub(super) enum Shared<V, F> {
    Value(Box<V>),
    Failure(Box<F>),
}

impl<V: Value, F: Value> Shared<V, F> {
    /// The result, as what it is in for the caller: a large one stands in no other frame on its way.
    #[inline(never)]
    pub(super) fn result<R, O: Outcome<R, Stored = V, Failure = F>, E>(self, outcome: O) -> Result<R, E> {
        Ok(match self {
            Shared::Value(value) => outcome.hit(*value),
            Shared::Failure(failure) => outcome.failed(*failure),
        })
    }
}
