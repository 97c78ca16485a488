//! What becomes of a wish for engines: where the results of a function live.

mod bounds;
mod fresh;
mod made;
pub(crate) mod usable;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::near::Kind;
use crate::plan::Plan;
use crate::settings::Settings;

/// Where a function keeps its results, as the path of a call needs it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) plan: Plan,
    /// The store in memory.
    pub(crate) kind: Kind,
    /// Whether results are kept in memory.
    pub(crate) near: bool,
    /// Whether results are kept in memory while the engines that outlive the process fail.
    pub(crate) standby: bool,
    /// Engines that outlive the process, nearest first.
    pub(crate) far: Vec<String>,
    /// Engines that stand in for the last of these.
    pub(crate) stand_ins: Vec<String>,
    /// Names that were asked for and under which no engine is registered.
    pub(crate) missing: Vec<String>,
    /// Why results cannot leave the process, if they were to.
    pub(crate) lacks: Option<Lacks>,
}

/// Why the results of a function cannot leave the process.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "engines"), allow(dead_code, reason = "without engines nothing is to leave it"))]
pub(crate) struct Lacks {
    /// In words, as a reason of a plan.
    pub(crate) why: String,
    /// What the author is told to write instead, if that helps.
    pub(crate) instead: Option<&'static str>,
}

/// What is known of the engines that outlive the process.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// Whether there is one of this name.
    pub(crate) is_registered: fn(&str) -> bool,
    /// What a function with results in these engines does if its settings ask for leases.
    pub(crate) flight_reason: fn(&Settings, &[String]) -> Option<String>,
}

impl Known {
    /// There are none.
    #[cfg(any(not(feature = "engines"), all(test, not(memo_shuttle))))]
    pub(crate) const NOTHING: Self = Known { is_registered: |_| false, flight_reason: |_, _| None };
}

impl Route {
    /// Warns the author of the function called `function` of engines that it does without.
    pub(crate) fn say_missing(&self, function: &str) {
        if let Some(Lacks { why, instead: Some(instead) }) = &self.lacks {
            say_unnamed(function, why, instead);
        }
        for engine in &self.missing {
            crate::warn::warn(&format!(
                "`{function}` is to use the engine \"{engine}\", which is not registered, and does without it; call \
                 `memo::engines().register(\"{engine}\", ..)` before the function is first called"
            ));
        }
    }

    /// The plan as it stands now, while some engines cannot be reached, and others cannot be written.
    #[cfg(feature = "engines")]
    pub(crate) fn now(&self, away: &[&str], read_only: &[&str]) -> Plan {
        let away =
            away.iter().map(|engine| format!("{} is unavailable just now", crate::names::subject(engine)));
        let read_only = read_only.iter().map(|engine| {
            format!(
                "{} cannot be written just now: what it has is found, nothing is added",
                crate::names::subject(engine)
            )
        });
        away.chain(read_only).fold(self.plan.clone(), Plan::because)
    }
}

/// What the kind of near store is called.
pub(crate) fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Memory => "memory",
        #[cfg(feature = "moka")]
        Kind::Moka => "moka",
        Kind::Thread => "thread",
    }
}

/// Warns once that the function called `name` uses no engines, because it has no name there that lasts.
fn say_unnamed(name: &str, why: &str, instead: &str) {
    static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let message = format!(
        "`{name}` does without engines that outlive the process, where it could be given the results of others: {why}; \
         {instead}"
    );
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.get_or_insert_default().insert(message.clone()) {
        drop(said);
        crate::warn::warn(&message);
    }
}
