//! Within which bounds results live, in words.

use super::{Known, Route, of_kind};
use crate::names::subject;
use crate::near::Kind;
use crate::settings::Settings;
use crate::units;

impl Route {
    /// Adds to the reasons of the plan within which bounds results live.
    pub(super) fn with_bounds(mut self, settings: &Settings, known: Known) -> Self {
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
}
