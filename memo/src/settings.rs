//! What a function's author has set, where it does not depend on the types of its key and its results.

mod builder;
pub(crate) mod count;
pub(crate) mod freshness;
#[cfg(feature = "engines")]
mod lasting;
pub(crate) mod sparing;

use std::borrow::Cow;
use std::time::Duration;

use crate::lasting::Lasting;
use freshness::Freshness;
use sparing::Sparing;

/// How many entries a function keeps in memory if it does not say.
const DEFAULT_CAPACITY: u64 = 10_000;

/// From how many bytes on a result is kept out of memory, if nothing else is said.
const LARGE: u64 = 1 << 20;

/// How long a call waits for a future that nobody polls, if nothing else is said.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What stands for `patience = "never"`.
pub(crate) const WITHOUT_END: Duration = Duration::MAX;

/// What a function's author has set, where it does not depend on the types of its key and its results.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub(crate) owner: Option<&'static str>,
    pub(crate) name: Option<&'static str>,
    pub(crate) version: u64,
    pub(crate) is_async: bool,
    /// The engines asked for, nearest first; `None` leaves them to the strategy.
    pub(crate) engine: Option<Vec<Cow<'static, str>>>,
    /// Whether results stay on the thread that computed them. If so, `engine` and `fallback` do not count.
    pub(crate) on_thread: bool,
    /// What stands in while those that outlive the process are unavailable; `None` is the default.
    pub(crate) fallback: Option<Vec<Cow<'static, str>>>,
    pub(crate) hints: Hints,
    /// A result of more bytes than this is kept only in engines that outlive the process, so that one does not push
    /// many small ones out of memory.
    pub(crate) large_over: u64,
    pub(crate) ttl: Option<Duration>,
    pub(crate) tti: Option<Duration>,
    pub(crate) error_ttl: Option<Duration>,
    /// How long a `None` is stored where it is stored differently; not at all without it.
    pub(crate) none_ttl: Option<Duration>,
    pub(crate) freshness: Freshness,
    pub(crate) sparing: Sparing,
    pub(crate) capacity: Option<u64>,
    /// The author has said how many or how heavy.
    pub(crate) bounded: bool,
    pub(crate) max_weight: Option<u64>,
    pub(crate) ttl_of: bool,
    /// `None` where nothing is said, which is [`SingleFlight::Process`].
    pub(crate) single_flight: Option<SingleFlight>,
    /// `None` where nothing is said, which is [`OnError::One`].
    pub(crate) on_error: Option<OnError>,
    /// How long to wait for a future that nobody polls; `None` is the default.
    pub(crate) patience: Option<Duration>,
    /// Whether anything is looked for and stored at all.
    pub(crate) enabled: bool,
    /// Whether its keys are shown in events and spans; `None` is the default of the process.
    pub(crate) log_keys: Option<bool>,
    /// What engines that outlive the process need to know.
    pub(crate) lasting: Lasting,
}

/// How far concurrent misses of one key share one computation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SingleFlight {
    /// Misses share nothing: each computes.
    Off,
    #[default]
    Process,
    /// Misses in all processes of this machine share.
    Machine,
    /// Misses on all machines that use the same engine share.
    Fleet,
}

/// What those who waited do after an error that cannot be cloned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnError {
    /// One of them computes, the others wait for that one.
    #[default]
    One,
    /// All compute.
    All,
}

/// What the author hints at, for the strategy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    pub(crate) persist: bool,
    pub(crate) shared: bool,
    pub(crate) large: bool,
}

impl Settings {
    /// All at their defaults.
    #[inline(never)]
    pub fn new() -> Self {
        Settings {
            owner: None,
            name: None,
            version: 0,
            is_async: false,
            engine: None,
            on_thread: false,
            fallback: None,
            hints: Hints::default(),
            large_over: LARGE,
            ttl: None,
            tti: None,
            error_ttl: None,
            none_ttl: None,
            freshness: Freshness::default(),
            sparing: Sparing::default(),
            capacity: Some(DEFAULT_CAPACITY),
            bounded: false,
            max_weight: None,
            ttl_of: false,
            single_flight: None,
            on_error: None,
            patience: None,
            enabled: true,
            log_keys: None,
            lasting: Lasting::default(),
        }
    }

    /// How long to wait for a future that nobody polls.
    pub(crate) fn patient_for(&self) -> Duration {
        self.patience.unwrap_or(PATIENCE)
    }

    /// What the function is called: the name that its author gave, or its path.
    pub(crate) fn name_of(&self, module: &str, function: &str) -> String {
        match (self.name, self.owner) {
            (Some(name), _) => name.to_owned(),
            (None, Some(owner)) => format!("{}::{function}", without_parameters(owner)),
            (None, None) => format!("{module}::{function}"),
        }
    }

    /// Whether anything is looked for and stored at all.
    pub(crate) fn enabled(&self) -> bool {
        self.enabled
    }

    /// Whether entries come with lifetimes.
    pub(crate) fn expires(&self) -> bool {
        self.ttl.is_some()
            || self.tti.is_some()
            || self.error_ttl.is_some()
            || self.none_ttl.is_some()
            || self.ttl_of
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// The path of a type without its type parameters: all instantiations have one name.
fn without_parameters(path: &str) -> String {
    let mut depth = 0_usize;
    path.chars()
        .filter(|&c| {
            depth += usize::from(c == '<');
            let outside = depth == 0;
            depth = depth.saturating_sub(usize::from(c == '>'));
            outside
        })
        .collect()
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::without_parameters;

    #[test]
    fn type_parameters_are_no_part_of_a_name() {
        assert_eq!(without_parameters("app::Shop<alloc::vec::Vec<u8>, 3>"), "app::Shop");
        assert_eq!(without_parameters("app::Shop"), "app::Shop");
    }
}
