//! The right to renew a result, and what a call carries of a result that it has found and does not simply give.

use std::time::Duration;

use crate::call::awaited::{self, RenewalOver, Renewed};
use crate::clock::exact;
use crate::counters::Counter;
use crate::event::{self, Event};
use crate::key::OwnedPart;
use crate::memo::freshness::Serves;
use crate::memo::{Anything, Memo};
use crate::memoized::Memoized;
use crate::near::{Age, Ages, Same};
use crate::outcome::Value;
use crate::scope::{Answered, Call};

/// The right to renew a result, and the duty to say what came of it. Dropped before that, because the body panicked or the call
/// was given up, it has failed: the next renewal has to wait for a while. Listeners are told as it is dropped, so that is to be
/// when no lock is held and the flight is over.
pub(super) struct Claim<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    hash: u64,
    /// That of the result when the right was taken.
    age: Age,
    /// The key in words, if the function shows its keys and somebody listens.
    shown: Option<String>,
    fate: Fate,
    /// Whether calls may wait for it.
    is_awaited: bool,
}

/// What has become of a renewal.
#[derive(Clone, Copy)]
enum Fate {
    /// Nothing yet.
    Open,
    Renewed(Duration),
    /// How often in a row it has failed, and for how long nobody tries again.
    Failed(u64, Duration),
    Refused,
    /// Nobody has tried.
    Released,
}

impl<K: OwnedPart, V: Value, F: Value> Claim<K, V, F> {
    pub(super) fn new(memo: &'static Memo<K, V, F>, hash: u64, age: Age) -> Self {
        let is_awaited = memo.settings.freshness.wait.is_some();
        if is_awaited {
            awaited::begins(Renewed::of(memo, hash));
        }
        Claim { memo, hash, age, shown: None, fate: Fate::Open, is_awaited }
    }

    /// With the key in words, for those who listen.
    pub(super) fn of_key(mut self, shown: impl FnOnce() -> Option<String>) -> Self {
        if event::may_be_heard() {
            self.shown = shown();
        }
        self
    }

    /// What it was shown as.
    pub(super) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// That of the entry with this hash, if it is there and nobody else has it.
    pub(super) fn of(memo: &'static Memo<K, V, F>, hash: u64) -> Option<Self> {
        let (now, mut age) = (exact(), None);
        memo.near.with_ages(hash, &Anything, &mut |ages| age = ages.claim(now).then(|| ages.at(now)));
        age.map(|age| Claim::new(memo, hash, age))
    }

    /// The result has been renewed; the body took so long.
    pub(super) fn renewed(mut self, took: Duration) {
        self.memo.counters.renewed();
        self.fate = Fate::Renewed(took);
        self.with_ages(&mut |ages| ages.release());
    }

    /// The renewal has failed: nobody tries again for a while.
    pub(super) fn fail(&mut self) {
        self.memo.counters.renewal_failed();
        let (now, mut failed) = (exact(), (0, Duration::ZERO));
        self.with_ages(&mut |ages| failed = ages.put_off(now));
        self.fate = Fate::Failed(failed.0, failed.1);
    }

    /// For the entry with this hash, if it is there, a call that computes without the right, whoever has that.
    pub(super) fn without_right(memo: &'static Memo<K, V, F>, hash: u64) -> Option<Self> {
        let (now, mut age) = (exact(), None);
        memo.near.with_ages(hash, &Anything, &mut |ages| age = Some(ages.at(now)));
        age.map(|age| Claim::new(memo, hash, age))
    }

    /// Nobody has tried: another call may.
    pub(super) fn release(mut self) {
        self.fate = Fate::Released;
        self.with_ages(&mut |ages| ages.release());
    }

    /// How long the result was still fresh when the right was taken.
    pub(super) fn left(&self) -> Duration {
        Duration::from_nanos(self.age.fresh.saturating_sub(self.age.now))
    }

    /// Somebody else renews it, perhaps in another process.
    pub(super) fn left_to_others(mut self) {
        self.fate = Fate::Released;
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
    pub(super) fn refused(mut self) {
        self.memo.counters.renewal_refused();
        self.fate = Fate::Refused;
        self.with_ages(&mut |ages| ages.release());
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
        if let Fate::Open = self.fate {
            self.fail();
        }
        let function = self.memo.name();
        let event = match self.fate {
            Fate::Renewed(time) => Some(Event::Renewed { function, time }),
            Fate::Failed(failures, next) => Some(Event::RenewalFailed { function, failures, next }),
            Fate::Refused => Some(Event::RenewalRefused { function }),
            Fate::Open | Fate::Released => None,
        };
        if let Some(event) = event.filter(|_| event::may_be_heard()) {
            event::tell_of(&event, self.shown());
        }
        // as it began, whatever a reload has made of the settings since
        if self.is_awaited {
            awaited::ends(Renewed::of(self.memo, self.hash));
        }
    }
}

/// A result that a call has found and does not simply give.
pub(super) struct Aged<K: OwnedPart, V: Value, F: Value> {
    pub(super) value: V,
    /// How old it is, if it was found near.
    pub(super) age: Option<Age>,
    pub(super) serves: Serves,
    pub(super) claim: Option<Claim<K, V, F>>,
}

impl<K: OwnedPart, V: Value, F: Value> Aged<K, V, F> {
    /// The value. Another call renews it, or has tried.
    pub(super) fn left_to_others(self) -> V {
        if let Some(claim) = self.claim {
            claim.left_to_others();
        }
        self.value
    }

    /// Whether a renewal has failed since it was found.
    pub(super) fn has_failed_since(&self, memo: &Memo<K, V, F>, hash: u64) -> bool {
        let Some(found) = self.age else { return false };
        let mut has_failed = false;
        memo.near.with_ages(hash, &Anything, &mut |ages| {
            has_failed = ages.made() == found.made && ages.at(found.now).failures > found.failures;
        });
        has_failed
    }

    /// Counts that it answers a call in place of a fresh one.
    pub(super) fn given(memo: &Memo<K, V, F>, serves: Serves, call: Option<&mut Call>) {
        memo.counters.count(Counter::Hits);
        if serves != Serves::Always {
            memo.counters.stale();
        }
        if let Some(call) = call {
            let by = match serves {
                Serves::Always => Answered::By(memo.near_name()),
                _ => Answered::Stale(memo.near_name()),
            };
            call.answered(by, None);
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> std::fmt::Debug for Aged<K, V, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aged").field("serves", &self.serves).finish_non_exhaustive()
    }
}

/// What another thread or task is to renew.
pub(super) struct Renewal<K: OwnedPart, V: Value, F: Value> {
    pub(super) memo: &'static Memo<K, V, F>,
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) claim: Claim<K, V, F>,
    /// What was asked of the call and holds for the renewal as well.
    pub(super) call: Option<Box<Call>>,
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
