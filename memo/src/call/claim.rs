//! The right to renew a result, and what a call carries of a result that it has found and does not simply give.

use std::time::Duration;

use crate::call::awaited::{self, RenewalOver, Renewed};
use crate::call::lookup::Same;
use crate::clock::exact;
use crate::counters::Counter;
use crate::key::OwnedPart;
use crate::memo::freshness::Serves;
use crate::memo::{Anything, Memo};
use crate::near::{Age, Ages};
use crate::outcome::Value;
use crate::scope::{Answered, Call};

/// The right to renew a result, and the duty to say what came of it. Dropped before that, because the body panicked or the call
/// was given up, it has failed: the next renewal has to wait for a while.
pub(super) struct Claim<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    /// That of the result when the right was taken.
    age: Age,
    is_open: bool,
}

impl<K: OwnedPart, V: Value, F: Value> Claim<K, V, F> {
    pub(super) fn new(memo: &'static Memo<K, V, F>, hash: u64, age: Age) -> Self {
        if memo.settings.freshness.wait.is_some() {
            awaited::begins(Renewed::of(memo, hash));
        }
        Claim { memo, hash, age, is_open: true }
    }

    /// That of the entry with this hash, if it is there and nobody else has it.
    pub(super) fn of(memo: &'static Memo<K, V, F>, hash: u64) -> Option<Self> {
        let (now, mut age) = (exact(), None);
        memo.near.with_ages(hash, &Anything, &mut |ages| age = ages.claim(now).then(|| ages.at(now)));
        age.map(|age| Claim::new(memo, hash, age))
    }

    /// The result has been renewed.
    pub(super) fn renewed(self) {
        self.memo.counters.renewed();
        self.release();
    }

    /// Nobody has tried: another call may.
    pub(super) fn release(mut self) {
        self.is_open = false;
        self.with_ages(&mut |ages| ages.release());
    }

    /// How long the result was still fresh when the right was taken.
    pub(super) fn left(&self) -> Duration {
        Duration::from_nanos(self.age.fresh.saturating_sub(self.age.now))
    }

    /// Somebody else renews it, perhaps in another process.
    pub(super) fn left_to_others(mut self) {
        self.is_open = false;
        let now = exact();
        self.with_ages(&mut |ages| ages.defer(now));
    }

    /// Whether the result is still there, and has not been renewed.
    pub(super) fn is_of_use(&self) -> bool {
        let mut is_there = false;
        self.with_ages(&mut |_| is_there = true);
        is_there
    }

    /// Nobody could take the renewal over: another call may try.
    pub(super) fn refused(self) {
        self.memo.counters.renewal_refused();
        self.release();
    }

    /// Of the entry that was found: it has the hash, and is as old. That is told without code of the user's.
    fn with_ages(&self, with: &mut dyn FnMut(&Ages)) {
        self.memo.near.with_ages(self.hash, &Anything, &mut |ages| {
            if ages.made() == self.age.made {
                with(ages);
            }
        });
    }
}

impl<K: OwnedPart, V: Value, F: Value> Drop for Claim<K, V, F> {
    fn drop(&mut self) {
        if self.is_open {
            self.memo.counters.renewal_failed();
            let now = exact();
            self.with_ages(&mut |ages| ages.put_off(now));
        }
        awaited::ends(Renewed::of(self.memo, self.hash));
    }
}

/// A result that a call has found and does not simply give.
pub(super) struct Aged<K: OwnedPart, V: Value, F: Value> {
    pub(super) value: V,
    pub(super) serves: Serves,
    pub(super) claim: Option<Claim<K, V, F>>,
}

impl<K: OwnedPart, V: Value, F: Value> Aged<K, V, F> {
    /// The value. Another call may renew it.
    pub(super) fn released(self) -> V {
        if let Some(claim) = self.claim {
            claim.release();
        }
        self.value
    }
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Aged<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aged").field("serves", &self.serves).finish_non_exhaustive()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Aged<K, V, F> {
    /// Counts that it answers a call in place of a fresh one.
    pub(super) fn given(memo: &Memo<K, V, F>, serves: Serves, call: Option<&mut Call>) {
        memo.counters.count(Counter::Hits);
        if serves != Serves::Always {
            memo.counters.stale();
        }
        if let Some(call) = call {
            call.answered(Answered::By(memo.near_name()), None);
        }
    }
}

/// What another thread or task is to renew.
pub(super) struct Renewal<K: OwnedPart, V: Value, F: Value> {
    pub(super) memo: &'static Memo<K, V, F>,
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) claim: Claim<K, V, F>,
}

/// A renewal that is to be handed over, and the result that there is.
pub(super) struct Claimed<K: OwnedPart, V: Value, F: Value> {
    pub(super) renewal: Renewal<K, V, F>,
    pub(super) patient: Box<Patient<K, V, F>>,
}

/// A call that has found a stale result, and may wait a while for the renewal of that.
pub(super) struct Patient<K: OwnedPart, V: Value, F: Value> {
    pub(super) memo: &'static Memo<K, V, F>,
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) value: V,
    pub(super) serves: Serves,
    pub(super) call: Option<Box<Call>>,
}

impl<K: OwnedPart, V: Value, F: Value> Patient<K, V, F> {
    /// The result of the call: a fresh one if it comes in time, or else the one that was found.
    pub(super) async fn answer(self: Box<Self>) -> V {
        let Patient { memo, hash, key, value, serves, mut call } = *self;
        let Some(length) = memo.waits(serves) else {
            Aged::given(memo, serves, call.as_deref_mut());
            return value;
        };
        RenewalOver::or_after(length, Renewed::of(memo, hash)).await;
        match memo.near.get(hash, Same(&key)).filter(|fresh| memo.is_valid(fresh)) {
            Some(fresh) => {
                Aged::given(memo, Serves::Always, call.as_deref_mut());
                fresh
            }
            None => {
                Aged::given(memo, serves, call.as_deref_mut());
                value
            }
        }
    }
}
