//! A record without its types, as the registry has it.

use std::any::TypeId;

use super::{Memo, Version};
use crate::key::OwnedPart;
use crate::memoized::{Clearing, FunctionId, Memoized};
use crate::outcome::Value;
use crate::plan::Plan;
use crate::scope::Asked;
use crate::settings::Settings;
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
        let mut stats = self.store_stats();
        // calls of the variants are counted in the counters that they share with this record
        stats.add(&self.variants.stats());
        stats.add(&Stats::of(&self.counters));
        stats
    }

    fn clear(&'static self) -> Vec<Clearing> {
        let choice = Asked::of(&self.name).unwrap_or_default().choice;
        let mut clearings = Vec::new();
        for (memo, in_use) in choice.to_clear(self) {
            // functions with a table for each thread have no flights
            if memo.near.by_thread().is_none() {
                memo.flights.supersede_all();
            }
            memo.near.clear();
            let of_engines = memo.far.as_ref().map(|far| far.clear()).unwrap_or_default();
            clearings.extend(of_engines.into_iter().map(|clearing| clearing.holding(in_use.clone())));
        }
        clearings
    }

    fn plan(&self) -> Plan {
        let Version { settings, route, far, .. } = &**self;
        let Asked { choice, options, .. } = Asked::of(&self.name).unwrap_or_default();
        let plan = match (choice.settings(settings), far) {
            (Some(settings), _) => crate::far::route(&settings, &self.name, self.hooks.far.as_ref()).plan,
            (None, Some(far)) => far.plan(route),
            (None, None) => route.plan.clone(),
        };
        let settings = Settings {
            ttl: options.ttl.or(settings.ttl),
            freshness: options.freshness(&settings.freshness),
            ..settings.clone()
        };
        plan.with_freshness(&settings, self.said_by_author())
    }

    #[cfg(feature = "config")]
    fn configured(&'static self) -> &'static dyn crate::memoized::Configured {
        self
    }

    #[cfg(feature = "engines")]
    fn tell_apart(&'static self) {
        let version = self.versions.current();
        if let Some(far) = version.far.as_ref().filter(|_| self.is_refused()) {
            // it cannot be told whose results these are
            far.abandon();
            self.replace(version.settings.clone());
            self.begin_anew();
        }
    }
}
