//! What generated code says of a function, option by option.

use std::borrow::Cow;
use std::time::Duration;

use memo_text::Rate;

use super::count::Count;
use super::freshness::{Jitter, RefreshAhead};
use super::{Hints, OnError, Settings, SingleFlight, WITHOUT_END};

impl Settings {
    /// The type whose method it is, by `type_name::<Self>()`.
    pub fn owner(mut self, owner: &'static str) -> Self {
        self.owner = Some(owner);
        self
    }

    /// `name`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// `version`.
    pub fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// It is an `async fn`.
    pub fn asynchronous(mut self) -> Self {
        self.is_async = true;
        self
    }

    /// `engine`, nearest first.
    pub fn engines(mut self, names: &[&'static str]) -> Self {
        self.engine = Some(names.iter().copied().map(Cow::Borrowed).collect());
        self
    }

    /// `engine = "thread"`.
    pub fn on_thread(mut self) -> Self {
        self.on_thread = true;
        self
    }

    /// `fallback`; none at all for `"none"`.
    pub fn fallback(mut self, names: &[&'static str]) -> Self {
        self.fallback = Some(names.iter().copied().map(Cow::Borrowed).collect());
        self
    }

    /// `persist`, `shared`, `large`.
    pub fn hints(mut self, persist: bool, shared: bool, large: bool) -> Self {
        self.hints = Hints { persist, shared, large };
        self
    }

    /// `ttl`.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// `tti`.
    pub fn tti(mut self, tti: Duration) -> Self {
        self.tti = Some(tti);
        self
    }

    /// `cache_err = "10s"`.
    pub fn error_ttl(mut self, ttl: Duration) -> Self {
        self.error_ttl = Some(ttl);
        self
    }

    /// `cache_none = "10s"`.
    pub fn none_ttl(mut self, ttl: Duration) -> Self {
        self.none_ttl = Some(ttl);
        self
    }

    /// `capacity`.
    pub fn capacity(mut self, capacity: impl Count) -> Self {
        self.capacity = Some(capacity.count());
        self.bounded()
    }

    /// `capacity = "unbounded"`.
    pub fn unbounded(mut self) -> Self {
        self.capacity = None;
        self.bounded()
    }

    /// `max_weight`, which replaces the capacity.
    pub fn max_weight(mut self, weight: impl Count) -> Self {
        (self.max_weight, self.capacity) = (Some(weight.count()), None);
        self.bounded()
    }

    fn bounded(mut self) -> Self {
        self.bounded = true;
        self
    }

    /// `ttl_of` is given.
    pub fn ttl_of(mut self) -> Self {
        self.ttl_of = true;
        self
    }

    /// `single_flight = false`.
    pub fn no_single_flight(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Off);
        self
    }

    /// `single_flight = "process"`.
    pub fn one_per_process(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Process);
        self
    }

    /// `single_flight = "machine"`.
    pub fn one_per_machine(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Machine);
        self
    }

    /// `single_flight = "fleet"`.
    pub fn one_per_fleet(mut self) -> Self {
        self.single_flight = Some(SingleFlight::Fleet);
        self
    }

    /// `on_error`: `"all"`, or `"one"`.
    pub fn all_on_error(mut self, all: bool) -> Self {
        self.on_error = Some(if all { OnError::All } else { OnError::One });
        self
    }

    /// `patience`.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// `patience = "never"`.
    pub fn endless_patience(self) -> Self {
        self.patience(WITHOUT_END)
    }

    /// `stale`.
    pub fn stale(mut self, stale: Duration) -> Self {
        self.freshness.stale = Some(stale);
        self
    }

    /// `wait`.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.freshness.wait = Some(wait);
        self
    }

    /// `stale_if_error`.
    pub fn stale_if_error(mut self, stale: Duration) -> Self {
        self.freshness.stale_if_error = Some(stale);
        self
    }

    /// `refresh_ahead = 0.8`, in thousandths.
    pub fn refresh_ahead(mut self, from: u16) -> Self {
        self.freshness.refresh_ahead = Some(RefreshAhead::From(from));
        self
    }

    /// `refresh_ahead = "auto"`.
    pub fn refresh_by_chance(mut self) -> Self {
        self.freshness.refresh_ahead = Some(RefreshAhead::Auto);
        self
    }

    /// `jitter = "10%"`, in thousandths.
    pub fn jitter(mut self, thousandths: u16) -> Self {
        self.freshness.jitter = Some(Jitter(thousandths));
        self
    }

    /// `timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.sparing.timeout = Some(timeout);
        self
    }

    /// `limit`.
    pub fn limit(mut self, count: u32, per: Duration, burst: u32) -> Self {
        self.sparing.limit = Some(Rate { count, per, burst });
        self
    }

    /// `at_once`.
    pub fn at_once(mut self, at_once: impl Count) -> Self {
        self.sparing.at_once = Some(at_once.count().max(1));
        self
    }

    /// `limit_wait = "none"`, or `"turn"`.
    pub fn turns_away(mut self, turns_away: bool) -> Self {
        self.sparing.turns_away = turns_away;
        self
    }

    /// Whether the arguments can be owned, so that renewals run behind the calls.
    pub fn renewed_behind(mut self, behind: bool) -> Self {
        self.freshness.behind = behind;
        self
    }
}
