//! How a route is made: from the engines that are asked for, without those that cannot be used.

use std::mem::take;

use super::usable::Usable;
use super::{Known, Lacks, Route, of_kind};
use crate::names::subject;
use crate::near::Kind;
use crate::plan::Plan;
use crate::settings::Settings;

impl Route {
    /// The route of a function with these settings. If they name no engine, `auto` says what is asked for. `lacks` says why
    /// results cannot leave the process, if they cannot.
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
        let mut usable = Usable::of(&wish.engines, lacks.as_ref(), known);
        let mut reasons = wish.reasons;
        let said = settings.fallback.as_ref();
        let fallback = said.map(|names| names.iter().map(|name| name.to_string()).collect());
        let fallback = fallback.or(wish.fallback).unwrap_or_else(|| vec!["memory".to_owned()]);
        let mut stand_ins = Usable::of(&fallback, lacks.as_ref(), known);
        reasons.append(&mut usable.reasons);
        // an engine that is a tier needs not stand in
        stand_ins.far.retain(|name| !usable.far.contains(name));

        let kind = usable.near.or(stand_ins.near).unwrap_or(Kind::Memory);
        let nothing_far = usable.far.is_empty();
        if nothing_far {
            // the engines that were to stand in are used at all times
            usable.far = take(&mut stand_ins.far);
        }
        let standby = stand_ins.near.is_some();
        let near = usable.near.is_some() || (usable.far.is_empty() && standby);
        if !usable.far.is_empty() {
            reasons.append(&mut stand_ins.reasons);
        }
        usable.missing.append(&mut stand_ins.missing);

        let names = near.then_some(of_kind(kind)).into_iter().map(str::to_owned);
        let route = Route {
            plan: Plan {
                engines: names.chain(usable.far.iter().cloned()).collect(),
                fallback: Some(if usable.far.is_empty() {
                    Vec::new()
                } else {
                    let near = standby.then(|| of_kind(kind).to_owned());
                    stand_ins.far.iter().cloned().chain(near).collect()
                }),
                reasons,
            },
            kind,
            near,
            standby: standby && !usable.far.is_empty(),
            far: usable.far,
            stand_ins: stand_ins.far,
            missing: usable.missing,
            lacks: lacks.filter(|_| usable.lacks || stand_ins.lacks),
        };
        route.with_bounds(settings, known)
    }

    /// The route of a function whose results stay on the thread that computed them. They need not be `Send`, so no other
    /// engine can have them.
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
