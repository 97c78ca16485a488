//! How long a result is fresh and how long it serves after that, and when it is renewed.

use std::cell::Cell;
use std::time::Duration;

use super::Memo;
use crate::clock::{NEVER, exact, nanos};
use crate::far::FarFound;
use crate::key::OwnedPart;
use crate::near::{Age, Beyond};
use crate::outcome::Value;
use crate::renewals;
use crate::scope::OfCall;
use crate::settings::freshness::{Freshness, Jitter, RefreshAhead};

/// An entry is looked at closely once its end is nearer than so many times what its computation took. That a result would be
/// renewed earlier has a chance of one in 26 billions.
const FAR: u64 = 24;

/// What an entry that is not gone is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// It answers calls.
    Always,
    /// It answers calls, though it is not fresh any more.
    Stale,
    /// It answers calls whose computation fails.
    IfError,
    /// It answers no call, though it is kept: for others, who ask for less.
    Nothing,
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Whether entries need to know more than when they end.
    #[inline]
    pub(crate) fn is_aged(&self) -> bool {
        self.versions.current().aged
    }

    /// What holds for a call. `asked` is what is asked of it.
    pub(crate) fn freshness(&self, asked: Option<&OfCall>) -> Freshness {
        let own = &self.versions.current().settings.freshness;
        asked.map_or(*own, |asked| asked.freshness(own))
    }

    /// What its attribute says.
    pub(super) fn said_by_author(&self) -> &Freshness {
        #[cfg(feature = "config")]
        return &self.author.freshness;
        #[cfg(not(feature = "config"))]
        return &self.versions.current().settings.freshness;
    }

    /// Whether renewals run behind the calls that find a result in need of it.
    pub(crate) fn renews_behind(&self) -> bool {
        self.settings.freshness.behind && (!self.settings.is_async || renewals::can_spawn())
    }

    /// What is to be stored with an entry beside its lifetime. `is_error`: it is an error that is stored, which is never
    /// served stale. `cost`: how long its computation took, if that is known. `asked` is what is asked of the call.
    pub(crate) fn beyond(
        &self,
        lifetime: Option<Duration>,
        is_error: bool,
        cost: Option<Duration>,
        asked: Option<&OfCall>,
    ) -> Option<Beyond> {
        let is_aged = self.is_aged() || asked.is_some_and(OfCall::asks_of_age);
        is_aged.then(|| {
            let (own, freshness) = (self.freshness(None), self.freshness(asked));
            // a call that takes less than others leaves them what they take
            let kept = own.kept().max(freshness.kept());
            let beyond = beyond(&freshness, kept, lifetime, is_error, cost);
            // each hit has to ask
            if self.hooks.valid_if.is_some() { Beyond { close: 0, ..beyond } } else { beyond }
        })
    }

    /// Whether a stored result may answer a call, by what the author says.
    pub(crate) fn is_valid(&self, value: &V) -> bool {
        self.hooks.valid_if.is_none_or(|valid_if| valid_if(value))
    }

    /// What a result is good for that an engine which outlives the process has, and that is not fresh any more. `asked` is what is
    /// asked of the call.
    pub(crate) fn serves_from_far(&self, found: &FarFound<V>, asked: Option<&OfCall>) -> Serves {
        let Freshness { stale, stale_if_error, .. } = self.freshness(asked);
        match [stale, stale_if_error].map(|length| found.is_served(length.unwrap_or_default())) {
            [true, _] => Serves::Stale,
            [false, true] => Serves::IfError,
            [false, false] => Serves::Nothing,
        }
    }
}

impl Freshness {
    /// Whether an entry of this age is to be renewed.
    pub(crate) fn is_due(&self, age: &Age) -> bool {
        age.is_stale()
            || match self.refresh_ahead {
                None => false,
                Some(RefreshAhead::From(part)) => {
                    // the coarse clock may be behind the exact one by which it was stored
                    let lived = age.now.saturating_sub(age.made);
                    age.made != 0 && lived >= age.fresh.saturating_sub(age.made) / 1000 * u64::from(part)
                }
                Some(RefreshAhead::Auto) => is_due_by_chance(age, random()),
            }
    }

    /// What an entry of this age, which is not gone, is good for.
    pub(crate) fn serves(&self, age: &Age) -> Serves {
        let until = |length: Option<Duration>| age.fresh.saturating_add(length.map_or(0, nanos));
        match age.now {
            now if now < age.fresh => Serves::Always,
            now if now < until(self.stale) => Serves::Stale,
            now if now < until(self.stale_if_error) => Serves::IfError,
            _ => Serves::Nothing,
        }
    }
}

fn beyond(
    freshness: &Freshness,
    kept: Duration,
    lifetime: Option<Duration>,
    is_error: bool,
    cost: Option<Duration>,
) -> Beyond {
    let cost = cost.map_or(0, nanos);
    let Some(lifetime) = lifetime.map(nanos).filter(|lifetime| *lifetime != NEVER && !is_error) else {
        return Beyond { stale: 0, close: NEVER, cost };
    };
    let stale = nanos(kept);
    let close = match freshness.refresh_ahead {
        None => lifetime,
        Some(RefreshAhead::From(part)) => lifetime / 1000 * u64::from(part),
        Some(RefreshAhead::Auto) => lifetime.saturating_sub(cost.saturating_mul(FAR)),
    };
    Beyond { stale, close, cost }
}

/// Whether a result is renewed before its end: by the XFetch rule of Vattani, Chierichetti and Lowenstein, "Optimal
/// Probabilistic Cache Stampede Prevention" (VLDB 2015), with their β of 1. `random` is more than 0, and at most 1.
fn is_due_by_chance(age: &Age, random: f64) -> bool {
    let early = age.cost as f64 * -random.ln();
    age.now as f64 + early >= age.fresh as f64
}

/// The lifetime, shorter by chance.
pub(super) fn jittered(lifetime: Duration, Jitter(most): Jitter) -> Duration {
    lifetime - lifetime.mul_f64(f64::from(most) / 1000.0 * random()).min(lifetime)
}

/// A number by chance, more than 0 and at most 1.
//
// By SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014). Each thread begins
// where the clock and its own address space have it.
fn random() -> f64 {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
    let state = match STATE.get() {
        0 => exact() ^ STATE.with(|state| std::ptr::from_ref(state).addr() as u64).rotate_left(32),
        state => state,
    };
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn asked(refresh_ahead: Option<RefreshAhead>) -> Freshness {
        let (stale, stale_if_error) = (Some(Duration::from_secs(10)), Some(Duration::from_secs(60)));
        Freshness { stale, stale_if_error, refresh_ahead, ..Freshness::default() }
    }

    #[test]
    fn an_entry_is_kept_for_the_longer_of_the_two_times() {
        let (minute, cost) = (Some(Duration::from_secs(60)), Some(Duration::from_secs(1)));
        let kept = |ahead| beyond(&asked(ahead), asked(ahead).kept(), minute, false, cost);
        assert_eq!(kept(None), Beyond { stale: 60 * SECOND, close: 60 * SECOND, cost: SECOND });
        assert_eq!(kept(Some(RefreshAhead::From(800))).close, 48 * SECOND);
        assert_eq!(kept(Some(RefreshAhead::Auto)).close, 36 * SECOND);
        let error = beyond(&asked(None), Duration::MAX, minute, true, cost);
        assert_eq!(error, Beyond { stale: 0, close: NEVER, cost: SECOND });
        assert_eq!(
            beyond(&asked(None), Duration::MAX, None, false, None),
            Beyond { stale: 0, close: NEVER, cost: 0 }
        );
    }

    #[test]
    fn renewal_by_chance_is_the_likelier_the_nearer_the_end() {
        let age = |now| Age { now, made: 0, cost: SECOND, fresh: 100 * SECOND, gone: 0, failures: 0 };
        let due =
            |now| (0..20_000).filter(|_| is_due_by_chance(&age(now), random())).count() as f64 / 20_000.0;
        // exp(-left / cost)
        for (left, expected) in [(0, 1.0), (1, 0.368), (2, 0.135), (5, 0.0067)] {
            assert!((due((100 - left) * SECOND) - expected).abs() < 0.02, "{left}");
        }
        assert_eq!(due(50 * SECOND), 0.0);
    }

    /// When calls come one after the other, `mean` apart, and those of them that come before `end`.
    fn calls(from: f64, end: f64, mean: f64) -> impl Iterator<Item = f64> {
        let next = move |at: &f64| Some(at - mean * random().ln());
        std::iter::successors(next(&from), next).take_while(move |at| *at < end)
    }

    /// 200 keys for 20 lifetimes of a minute each, with bodies of 1 to 100 ms, asked for some twenty times as a body runs: how
    /// many callers wait, and how many seconds each result serves.
    fn simulated(by_chance: bool) -> (usize, f64) {
        const LIFETIME: f64 = 60e9;
        let (mut waiting, mut served) = (0, 0.0);
        for _ in 0..200 * 20 {
            let cost = 1e6 * 100_f64.powf(random());
            let mean = cost / 20.0;
            let is_due = |now: &f64| {
                let (now, cost, fresh) = (*now as u64, cost as u64, LIFETIME as u64);
                is_due_by_chance(&Age { now, made: 0, cost, fresh, gone: 0, failures: 0 }, random())
            };
            // the calls before are hits that look at nothing
            let close = LIFETIME - cost * FAR as f64;
            let begun = calls(close, LIFETIME, mean).find(|now| by_chance && is_due(now));
            let begun = begun.unwrap_or_else(|| {
                // that call computes, and waits
                waiting += 1;
                LIFETIME - mean * random().ln()
            });
            waiting += calls(begun.max(LIFETIME), begun + cost, mean).count();
            served += begun;
        }
        (waiting, served / (200.0 * 20.0) / 1e9)
    }

    #[test]
    fn renewal_by_chance_spares_callers_the_wait_and_computes_little_more() {
        let ((waiting, served), (without, served_without)) = (simulated(true), simulated(false));
        assert!(without > 80_000, "{without}");
        assert!(waiting * 100 <= without, "{waiting} of {without}");
        assert!(served >= served_without / 1.1, "{served} s, without {served_without} s");
    }

    #[test]
    fn lifetimes_differ_by_no_more_than_was_said() {
        let (most, tenth) = (Duration::from_secs(100), Jitter(100));
        let all: Vec<_> = (0..1000).map(|_| jittered(most, tenth)).collect();
        assert!(all.iter().all(|one| *one < most && *one >= Duration::from_secs(90)));
        let spread = all.iter().max().unwrap().abs_diff(*all.iter().min().unwrap());
        assert!(spread > Duration::from_secs(9), "{spread:?}");
        assert_eq!(jittered(Duration::ZERO, tenth), Duration::ZERO);
    }
}
