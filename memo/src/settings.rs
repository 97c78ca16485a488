//! What a function's author has set, where it does not depend on the types of its key and its results.

#[cfg(feature = "engines")]
mod lasting;

use std::borrow::Cow;
use std::time::Duration;

use crate::lasting::Lasting;

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
    /// Whether they stay on the thread that computed them, whatever else is asked for.
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
    /// Whether its keys are shown in events and spans, where that is said.
    pub(crate) log_keys: Option<bool>,
    /// What engines that outlive the process need to know.
    pub(crate) lasting: Lasting,
}

/// How far concurrent misses of one key share one computation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SingleFlight {
    /// They do not.
    Off,
    #[default]
    Process,
    /// The processes of this machine.
    Machine,
    /// Those of all machines that use the same engine.
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
        self.ttl.is_some() || self.tti.is_some() || self.error_ttl.is_some() || self.ttl_of
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// Integers that can say how many.
#[diagnostic::on_unimplemented(
    message = "a capacity or weight must be an unsigned integer, not `{Self}`",
    label = "expected `u64`, `usize` or another unsigned integer"
)]
pub trait Count {
    /// How many, at most `u64::MAX`.
    fn count(self) -> u64;
}

macro_rules! counts {
    ($($int:ty)*) => {$(
        impl Count for $int {
            fn count(self) -> u64 {
                u64::try_from(self).unwrap_or(u64::MAX)
            }
        }
    )*};
}
counts!(u8 u16 u32 u64 usize u128);

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
