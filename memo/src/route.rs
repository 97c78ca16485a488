//! What becomes of a wish for engines: what can be had, what was left out and why, and which bounds hold.

use std::collections::HashSet;
use std::mem::take;
use std::sync::{Mutex, PoisonError};

use crate::names::subject;
use crate::near::Kind;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::units;

/// What a function does with its results: a plan as the call path needs it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) plan: Plan,
    /// The store in memory.
    pub(crate) kind: Kind,
    /// Whether results are kept in memory.
    pub(crate) near: bool,
    /// Whether they are while the engines that outlive the process fail.
    pub(crate) standby: bool,
    /// Engines that outlive the process, nearest first.
    pub(crate) far: Vec<String>,
    /// Those that stand in for the last of them.
    pub(crate) stand_ins: Vec<String>,
    /// What was asked for by a name that nobody has registered.
    pub(crate) missing: Vec<String>,
    /// Why nothing can leave the process, where something was to.
    pub(crate) lacks: Option<Lacks>,
}

/// Why the results of a function cannot leave the process.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "engines"), allow(dead_code, reason = "without engines nothing is to leave it"))]
pub(crate) struct Lacks {
    /// In words, as a reason of a plan.
    pub(crate) why: String,
    /// What the author is told to write instead, where that helps.
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

/// What a name of an engine stands for.
enum Named {
    Near(Kind),
    /// For functions only whose attribute says so.
    Thread,
    Far,
    Missing,
    Featureless(&'static str),
}

fn named(engine: &str, known: Known) -> Named {
    match engine {
        "memory" => Named::Near(Kind::Memory),
        #[cfg(feature = "moka")]
        "moka" => Named::Near(Kind::Moka),
        "thread" => Named::Thread,
        far if (known.is_registered)(far) => Named::Far,
        #[cfg(not(feature = "moka"))]
        "moka" => Named::Featureless("moka"),
        // with their features they are registered
        "disk" => Named::Featureless("disk"),
        "redis" => Named::Featureless("redis"),
        _ => Named::Missing,
    }
}

/// Whether there is an engine of this name, or would be with another cargo feature.
pub(crate) fn is_known(engine: &str, known: Known) -> bool {
    !matches!(named(engine, known), Named::Missing)
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

/// Engines by what they are, as far as they can be had.
#[derive(Default)]
struct Had {
    near: Option<Kind>,
    far: Vec<String>,
    missing: Vec<String>,
    lacks: bool,
    reasons: Vec<String>,
}

impl Had {
    /// `lacks` says why nothing can leave the process, where that is so.
    fn of(names: &[String], lacks: Option<&Lacks>, known: Known) -> Self {
        let mut had = Had::default();
        for name in names {
            let left_out = match named(name, known) {
                Named::Near(kind) if had.near.is_none() => {
                    had.near = Some(kind);
                    continue;
                }
                Named::Near(_) => format!("one engine in memory is enough, so {} is left out", subject(name)),
                Named::Far if had.far.contains(name) => continue,
                Named::Far => match lacks {
                    None => {
                        had.far.push(name.clone());
                        continue;
                    }
                    Some(lacks) => {
                        had.lacks = true;
                        format!("{}, so {} is left out", lacks.why, subject(name))
                    }
                },
                Named::Thread => {
                    "thread is for functions whose attribute says `engine = \"thread\"`, so it is left out"
                        .to_owned()
                }
                Named::Featureless(feature) => {
                    format!("{} needs the cargo feature `{feature}`, so it is left out", subject(name))
                }
                Named::Missing => {
                    had.missing.push(name.clone());
                    format!("{} is not registered, so it is left out", subject(name))
                }
            };
            had.reasons.push(left_out);
        }
        had
    }
}

impl Route {
    /// What becomes of what is asked for. `auto` says what is, where the settings name no engine; `lacks` why results
    /// cannot leave the process, where they cannot.
    pub(crate) fn of(
        settings: &Settings,
        auto: impl FnOnce() -> Plan,
        lacks: Option<Lacks>,
        known: Known,
    ) -> Self {
        if settings.on_thread {
            return Route::on_thread(settings, known);
        }
        let wish = settings.engine.as_deref().map_or_else(auto, Plan::asked);
        let mut had = Had::of(&wish.engines, lacks.as_ref(), known);
        let mut reasons = wish.reasons;
        let said = settings.fallback.as_ref();
        let fallback = said.map(|names| names.iter().map(|name| name.to_string()).collect());
        let fallback = fallback.or(wish.fallback).unwrap_or_else(|| vec!["memory".to_owned()]);
        let mut stand_ins = Had::of(&fallback, lacks.as_ref(), known);
        reasons.append(&mut had.reasons);
        // what is a tier already stands in by being there
        stand_ins.far.retain(|name| !had.far.contains(name));

        let kind = had.near.or(stand_ins.near).unwrap_or(Kind::Memory);
        let nothing_far = had.far.is_empty();
        if nothing_far {
            // whatever was to stand in does so for good
            had.far = take(&mut stand_ins.far);
        }
        let standby = stand_ins.near.is_some();
        let near = had.near.is_some() || (had.far.is_empty() && standby);
        if !had.far.is_empty() {
            reasons.append(&mut stand_ins.reasons);
        }
        had.missing.append(&mut stand_ins.missing);

        let names = near.then_some(of_kind(kind)).into_iter().map(str::to_owned);
        let route = Route {
            plan: Plan {
                engines: names.chain(had.far.iter().cloned()).collect(),
                fallback: Some(if had.far.is_empty() {
                    Vec::new()
                } else {
                    let near = standby.then(|| of_kind(kind).to_owned());
                    stand_ins.far.iter().cloned().chain(near).collect()
                }),
                reasons,
            },
            kind,
            near,
            standby: standby && !had.far.is_empty(),
            far: had.far,
            stand_ins: stand_ins.far,
            missing: had.missing,
            lacks: lacks.filter(|_| had.lacks || stand_ins.lacks),
        };
        route.with_bounds(settings, known)
    }

    /// That of a function whose results stay on the thread that computed them: they may be such that nothing else can
    /// have them.
    fn on_thread(settings: &Settings, known: Known) -> Self {
        let mut plan = Plan::on("thread").because("`engine = \"thread\"` is asked for");
        let others = settings.engine.iter().chain(&settings.fallback).flatten();
        for other in others.filter(|other| **other != "thread") {
            let what = subject(other);
            plan = plan.because(format!("results stay on their thread, so {what} is left out"));
        }
        plan.fallback = Some(Vec::new());
        let route = Route {
            plan,
            kind: Kind::Thread,
            near: true,
            standby: false,
            far: Vec::new(),
            stand_ins: Vec::new(),
            missing: Vec::new(),
            lacks: None,
        };
        route.with_bounds(settings, known)
    }

    fn with_bounds(mut self, settings: &Settings, known: Known) -> Self {
        let bound = match (settings.capacity, settings.max_weight) {
            (_, Some(weight)) => format!("entries that weigh at most {weight} together"),
            (Some(1), _) => "at most 1 entry".to_owned(),
            (Some(capacity), _) => format!("at most {capacity} entries"),
            (None, None) => "any number of entries".to_owned(),
        };
        let reasons = &mut self.plan.reasons;
        reasons.extend((known.flight_reason)(settings, &self.far));
        let tiers = self.near && !self.far.is_empty();
        if tiers {
            reasons.push(format!("{} holds {bound}", of_kind(self.kind)));
        } else if self.kind == Kind::Thread {
            reasons.push(format!("each table holds {bound}"));
        } else if self.near {
            reasons.push(bound.clone());
        }
        if self.near || !self.far.is_empty() {
            let lifetimes = [
                settings.ttl.map(|ttl| format!("each lives {}", units::duration(ttl))),
                settings.ttl_of.then(|| "each lives as long as its value says".to_owned()),
                settings.error_ttl.map(|ttl| format!("an error lives {}", units::duration(ttl))),
                settings.tti.map(|tti| format!("one that is not read for {} goes", units::duration(tti))),
            ];
            reasons.extend(lifetimes.into_iter().flatten());
        }
        if let Some(last) = self.far.last() {
            if tiers && settings.large_over != u64::MAX {
                let size = units::size(settings.large_over);
                reasons.push(format!("a result over {size} is kept outside of memory only"));
            }
            let all: Vec<_> = self.far.iter().map(|engine| subject(engine)).collect();
            let are = if all.len() == 1 { "is" } else { "are" };
            let away = format!("while {} {are} unavailable", all.join(" and "));
            if !self.stand_ins.is_empty() {
                let last = subject(last);
                let stand_ins: Vec<_> = self.stand_ins.iter().map(|engine| subject(engine)).collect();
                let stand_ins = stand_ins.join(", then ");
                reasons.push(format!("while {last} is unavailable, {stand_ins} stands in"));
            }
            let away = if self.stand_ins.is_empty() { away } else { "should that fail too".to_owned() };
            reasons.push(match (self.near, self.standby) {
                (true, _) => format!("{away}, {} serves alone", of_kind(self.kind)),
                (false, true) => format!("{away}, {} serves, with {bound}", of_kind(self.kind)),
                (false, false) => format!("{away}, each call computes and nothing is kept"),
            });
        }
        self
    }

    /// Says to the author of a function called `function` what it does without.
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

    /// The plan as it stands now, where these engines cannot be reached.
    #[cfg(feature = "engines")]
    pub(crate) fn now(&self, away: &[&str], read_only: &[&str]) -> Plan {
        let away = away.iter().map(|engine| format!("{} is unavailable just now", subject(engine)));
        let read_only = read_only.iter().map(|engine| {
            format!("{} cannot be written just now: what it has is found, nothing is added", subject(engine))
        });
        away.chain(read_only).fold(self.plan.clone(), Plan::because)
    }
}

/// Says once that the function called `name` does without engines, since it has no name there that lasts.
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

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_plan_reads_as_a_sentence() {
        let settings = Settings::new().ttl(Duration::from_secs(300));
        assert_eq!(
            Route::of(&settings, Plan::nearest, None, Known::NOTHING).plan.to_string(),
            "Results live in memory: no engine is asked for, and memory is the nearest; at most 10000 entries; \
             each lives 5m"
        );
    }
}
