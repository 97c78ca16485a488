//! Which engine gives the leases by which one process computes for others, and what a plan says of that.

use memo_engines::{Capability, Reach};

use super::built_in;
use crate::settings::{Settings, SingleFlight};

/// Which of the engines gives the leases: of those whose leases reach as far as `reach`, the one that reaches farthest.
pub(super) fn lessor(reach: Reach, engines: impl Iterator<Item = Capability>) -> Option<usize> {
    let able = engines.enumerate().filter(|(_, engine)| engine.leases && engine.reach >= reach);
    able.max_by_key(|(_, engine)| engine.reach).map(|(at, _)| at)
}

/// How far leases are to reach, if any are asked for.
pub(super) fn reach(settings: &Settings) -> Option<Reach> {
    match settings.single_flight.unwrap_or_default() {
        SingleFlight::Off | SingleFlight::Process => None,
        SingleFlight::Machine => Some(Reach::Machine),
        SingleFlight::Fleet => Some(Reach::Fleet),
    }
}

/// What the plan of a function with results in the engines `far` says of leases; `None` if it asks for none.
pub(super) fn flight_reason(settings: &Settings, far: &[String]) -> Option<String> {
    let reach = reach(settings)?;
    let known: Vec<_> =
        far.iter().filter_map(|name| Some((name.as_str(), built_in::capability(name)?))).collect();
    Some(match lessor(reach, known.iter().map(|(_, capability)| *capability)) {
        Some(at) => {
            format!("one computation per key and {}, by leases of \"{}\"", word(reach), known[at].0)
        }
        None => no_lessor(reach),
    })
}

/// Says that no engine gives such leases, and what that means.
pub(super) fn no_lessor(reach: Reach) -> String {
    let word = word(reach);
    format!(
        "`single_flight = \"{word}\"` is asked for, but no engine of the function gives leases that reach so far: \
         one computation per key and process"
    )
}

fn word(reach: Reach) -> &'static str {
    if reach >= Reach::Fleet { "fleet" } else { "machine" }
}
