//! What a store has for a call, and how old that is.

use std::time::Duration;

use crate::clock::NEVER;
use crate::near::Age;

/// What a store has for a call, and how old that is: what `peek_entry` of a companion gives.
///
/// ```
/// #[memo::memoize(ttl = "5m", stale = "1h")]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// square(4);
/// let stored = square::peek_entry(4).unwrap();
/// assert_eq!((stored.value, stored.engine.as_str(), stored.is_stale), (16, "memory", false));
/// square::expire(4)?;
/// assert!(square::peek_entry(4).unwrap().is_stale);
/// # Ok::<(), memo::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored<R> {
    /// The result.
    pub value: R,
    /// The engine that has it.
    pub engine: String,
    /// How long ago it was stored. It is known in memory for functions that say `stale`, `stale_if_error` or `refresh_ahead`,
    /// and in engines that outlive the process.
    pub age: Option<Duration>,
    /// Whether its lifetime is over. Then it answers calls only as `stale` and `stale_if_error` say.
    pub is_stale: bool,
    /// How long it is fresh, or if it is stale: how long it is still kept. `None` is for ever, or not known.
    pub left: Option<Duration>,
    /// How long its computation took, where that is known.
    pub cost: Option<Duration>,
    /// How often in a row its renewal has failed.
    pub failures: u64,
}

impl<R> Stored<R> {
    /// Found near, at this age.
    pub(crate) fn near(value: R, engine: &str, age: Option<&Age>) -> Self {
        let since = |from: u64, to: u64| Duration::from_nanos(to.saturating_sub(from));
        let ends = |age: &Age| if age.is_stale() { age.gone } else { age.fresh };
        Stored {
            value,
            engine: engine.to_owned(),
            age: age.filter(|age| age.made != 0).map(|age| since(age.made, age.now)),
            is_stale: age.is_some_and(Age::is_stale),
            left: age.filter(|age| ends(age) != NEVER).map(|age| since(age.now, ends(age))),
            cost: age.filter(|age| age.cost != 0).map(|age| Duration::from_nanos(age.cost)),
            failures: age.map_or(0, |age| age.failures),
        }
    }

    /// With another value.
    pub(crate) fn map<T>(self, to: impl FnOnce(R) -> T) -> Stored<T> {
        let Stored { value, engine, age, is_stale, left, cost, failures } = self;
        Stored { value: to(value), engine, age, is_stale, left, cost, failures }
    }
}
