//! Where the results of a function live, and why.

use std::fmt;
use std::time::Duration;

use crate::function::Settings;
use crate::near::Kind;

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
/// assert!(plan.to_string().ends_with("at most 10000 entries; each lives 300s"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    engines: Vec<&'static str>,
    reasons: Vec<String>,
}

impl Plan {
    pub(crate) fn of(settings: &Settings) -> Self {
        let near = name(settings.kind);
        let (registered, missing): (Vec<_>, Vec<_>) =
            settings.far.iter().copied().partition(|engine| crate::far::is_registered(engine));
        let quoted: Vec<_> = settings.far.iter().map(|engine| format!("\"{engine}\"")).collect();
        let engine = match settings.engine {
            _ if settings.near && !quoted.is_empty() => {
                format!("`engine = [\"{near}\", {}]` is asked for", quoted.join(", "))
            }
            _ if quoted.len() > 1 => format!("`engine = [{}]` is asked for", quoted.join(", ")),
            _ if quoted.len() == 1 => format!("`engine = {}` is asked for", quoted[0]),
            Some(engine) => format!("`engine = \"{engine}\"` is asked for"),
            None => "no engine is asked for, and memory is the nearest".to_owned(),
        };
        let missing =
            missing.into_iter().map(|engine| format!("\"{engine}\" is not registered, so it is left out"));
        // memory alone is what is left where nothing else is there
        let kept_near = settings.near || registered.is_empty();
        let engines = kept_near.then_some(near).into_iter().chain(registered).collect();
        let bound = match (settings.capacity, settings.max_weight) {
            (_, Some(weight)) => format!("entries weigh at most {weight} together"),
            (Some(1), _) => "at most 1 entry".to_owned(),
            (Some(capacity), _) => format!("at most {capacity} entries"),
            (None, None) => "unbounded".to_owned(),
        };
        let lifetimes = [
            settings.ttl.map(|ttl| format!("each lives {}", show(ttl))),
            settings.ttl_of.then(|| "each lives as long as its value says".to_owned()),
            settings.error_ttl.map(|ttl| format!("an error lives {}", show(ttl))),
            settings.tti.map(|tti| format!("one that is not read for {} goes", show(tti))),
        ];
        let bound = kept_near.then_some(bound);
        let reasons = std::iter::once(engine).chain(missing).chain(bound);
        Plan { engines, reasons: reasons.chain(lifetimes.into_iter().flatten()).collect() }
    }

    /// The names of the engines, nearest first.
    pub fn engines(&self) -> &[&'static str] {
        &self.engines
    }

    /// Why these, and within which bounds: sentences for people.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(String::as_str)
    }
}

/// What the kind of near store is called.
pub(crate) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Memory => "memory",
        #[cfg(feature = "moka")]
        Kind::Moka => "moka",
    }
}

fn show(duration: Duration) -> String {
    format!("{duration:?}")
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.engines.join(", then "), self.reasons.join("; "))
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_as_a_sentence() {
        let settings = Settings::new().ttl(Duration::from_secs(300));
        assert_eq!(
            Plan::of(&settings).to_string(),
            "memory: no engine is asked for, and memory is the nearest; at most 10000 entries; each lives 300s"
        );
    }
}
