//! The strategy that is asked where the program has set none: it goes by hints.

use memo_engines::Reach;

use super::contract::Strategy;
use super::profile::FunctionProfile;
use crate::plan::Plan;

/// The strategy where no other is set, which goes by the hints:
///
/// * `persist = true`: memory over the engine of nearest reach that keeps what it has when the process ends, such as
///   `disk`;
/// * `shared = true`: memory over an engine that other machines see;
/// * `large = true`: not in memory; in the engine of those hints, or in whichever the machine has;
/// * none: memory.
///
/// A hint that cannot be followed leaves memory, and the plan says why.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultStrategy;

impl Strategy for DefaultStrategy {
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan {
        let (persist, shared, large) = (function.persist(), function.shared(), function.large());
        if !(persist || shared || large) {
            return Plan::nearest();
        }
        let hints = [("persist", persist), ("shared", shared), ("large", large)];
        let hints: Vec<_> =
            hints.iter().filter(|(_, given)| *given).map(|(hint, _)| format!("`{hint} = true`")).collect();
        let (ask, hints) = (if hints.len() == 1 { "asks" } else { "ask" }, hints.join(" and "));
        let for_what = match (shared, persist) {
            (true, _) => "results that other machines see",
            (false, true) => "results that outlive the process",
            (false, false) => "results to be kept out of memory",
        };
        let why = format!("{hints} {ask} for {for_what}");
        if let Some(lacks) = function.types.lacks() {
            return Plan::on("memory").because(format!("{why}, but {lacks}, so memory is all that is left"));
        }
        let found = if shared {
            function.engine(|engine| engine.reach == Reach::Fleet, |engine| persist && !engine.persistent)
        } else if persist {
            function.engine(|engine| engine.persistent, |engine| engine.reach)
        } else {
            function.engine(|engine| engine.reach >= Reach::Machine, |engine| engine.reach)
        };
        match found {
            None => Plan::on("memory")
                .because(format!("{why}, but no such engine is registered, so memory is all that is left")),
            Some(engine) if large => Plan::on(engine).because(why),
            Some(engine) => Plan::on(["memory", engine]).because(why),
        }
    }
}
