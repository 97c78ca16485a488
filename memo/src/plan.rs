//! Where the results of a function live, and why.
//!
//! A plan begins as a wish: of the author in the attribute, of the configuration, or of the strategy. A
//! [`Route`](crate::route::Route) makes of that what can be had.

use std::borrow::Cow;
use std::fmt;

use crate::names::{EngineNames, whereabouts};

/// Where the results of a function live, nearest first, and why. It prints as one line.
///
/// The companion's `plan()` gives it, also before the function is first called.
///
/// ```
/// #[memo::memoize(ttl = "5m")]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let plan = square::plan();
/// assert_eq!(plan.engines(), ["memory"]);
/// assert!(plan.to_string().ends_with("at most 10000 entries; each lives 5m"));
/// ```
///
/// A strategy makes one with [`Plan::on`]: what it asks for. What becomes of it, once what cannot be had is left out,
/// is what `plan()` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(crate) engines: Vec<String>,
    /// None until it is decided.
    pub(crate) fallback: Option<Vec<String>>,
    pub(crate) reasons: Vec<String>,
}

impl Plan {
    /// Results in these engines, nearest first: `Plan::on("disk")`, `Plan::on(["memory", "disk"])`.
    pub fn on(engines: impl EngineNames) -> Self {
        Plan { engines: engines.into_names(), fallback: None, reasons: Vec::new() }
    }

    /// With engines that stand in, in this order, while those that outlive the process are unavailable. It is
    /// `"memory"` unless this is said; with none at all, calls compute meanwhile and nothing is kept.
    #[must_use]
    pub fn fallback(mut self, engines: impl EngineNames) -> Self {
        self.fallback = Some(engines.into_names());
        self
    }

    /// With one more reason for it, to be read by people: what comes after "because".
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reasons.push(reason.into());
        self
    }

    /// The names of the engines, nearest first. None where nothing is kept.
    pub fn engines(&self) -> &[String] {
        &self.engines
    }

    /// The names of those that stand in, in order, while engines that outlive the process are unavailable.
    pub fn fallbacks(&self) -> &[String] {
        self.fallback.as_deref().unwrap_or_default()
    }

    /// Why these, and within which bounds: sentences for people.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(String::as_str)
    }

    /// The plan if nobody asks for an engine.
    pub(crate) fn nearest() -> Self {
        Plan::on("memory").because("no engine is asked for, and memory is the nearest")
    }

    /// The plan that the author, or the configuration, asks for.
    pub(crate) fn asked(engines: &[Cow<'static, str>]) -> Self {
        let quoted: Vec<_> = engines.iter().map(|engine| format!("\"{engine}\"")).collect();
        let asked = match &quoted[..] {
            [one] => format!("`engine = {one}` is asked for"),
            several => format!("`engine = [{}]` is asked for", several.join(", ")),
        };
        Plan::on(engines.to_vec()).because(asked)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.engines[..] {
            [] => f.write_str("Results are not kept")?,
            engines => {
                let places: Vec<_> = engines.iter().map(|engine| whereabouts(engine)).collect();
                write!(f, "Results live {}", places.join(", then "))?;
            }
        }
        let mut separator = ": ";
        for reason in &self.reasons {
            write!(f, "{separator}{reason}")?;
            separator = "; ";
        }
        Ok(())
    }
}
