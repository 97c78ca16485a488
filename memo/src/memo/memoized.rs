//! A record as those see it who do not know its types: the registry, first of all.

use std::any::TypeId;

use super::{Memo, Version};
use crate::far::Far;
use crate::key::OwnedPart;
use crate::memoized::{Clearing, FunctionId, Memoized};
use crate::outcome::Value;
use crate::plan::Plan;
use crate::scope::{Asked, Held};
use crate::stats::Stats;

impl<K: OwnedPart, V: Value, F: Value> Memoized for Memo<K, V, F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn function(&self) -> FunctionId {
        self.function.id()
    }

    fn marker(&self) -> TypeId {
        self.header.marker()
    }

    fn stats(&self) -> Stats {
        let mut stats = self.own_stats();
        // what they count beside, they count here
        self.variants.shared().iter().for_each(|(variant, _)| stats.add(&variant.own_stats()));
        stats.add(&Stats::of(&self.counters));
        stats
    }

    fn clear(&'static self) -> Vec<Clearing> {
        let place = Asked::of(&self.name).unwrap_or_default().place;
        let held = place.to_clear(self);
        for (memo, _) in &held {
            // there are no flights where each thread has a table of its own
            if memo.near.by_thread().is_none() {
                memo.flights.supersede_all();
            }
            memo.near.clear();
        }
        let clear = |(memo, lease): Held<K, V, F>| {
            let clearings = memo.far.as_ref().map(Far::clear).unwrap_or_default();
            clearings.into_iter().map(move |clearing| clearing.holding(lease.clone()))
        };
        held.into_iter().flat_map(clear).collect()
    }

    fn leave(&self, realm: u64) {
        self.variants.leave(realm);
    }

    fn plan(&self) -> Plan {
        let Version { settings, route, far, .. } = &**self;
        let place = Asked::of(&self.name).unwrap_or_default().place;
        if let Some(settings) = place.settings(settings) {
            return crate::far::route(&settings, &self.name, self.hooks.far.as_ref()).plan;
        }
        match far {
            Some(far) => far.plan(route),
            None => route.plan.clone(),
        }
    }

    #[cfg(feature = "config")]
    fn configured(&'static self) -> &'static dyn crate::memoized::Configured {
        self
    }

    #[cfg(feature = "engines")]
    fn tell_apart(&'static self) {
        let version = self.versions.current();
        if let Some(far) = version.far.as_ref().filter(|_| self.is_refused()) {
            // nobody knows whose it is
            far.abandon();
            self.replace(version.settings.clone());
            self.begin_anew();
        }
    }
}
