//! New settings for a record.

use super::{Memo, Version};
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::settings::Settings;

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Puts these settings in force.
    pub(super) fn replace(&'static self, settings: Settings) {
        let marker = self.header.marker();
        let next = Version::new(settings.clone(), &self.hooks, self.function, &self.name, marker);
        next.route.say_missing(&self.name);
        self.follow(&next);
        let is_far = next.far.is_some();
        let same = |known: &Version<K, V>| known.far.is_some() == is_far && known.settings == settings;
        drop(self.versions.replace(next, same));
        // they were made with the old settings; a scope that asks for one gets a new one
        self.variants.retire();
    }

    /// Drops the entries in memory. Computations under way do not store their results.
    pub(super) fn begin_anew(&self) {
        self.flights.supersede_all();
        self.near.clear();
    }
}

#[cfg(feature = "config")]
impl<K: OwnedPart, V: Value, F: Value> crate::memoized::Configured for Memo<K, V, F> {
    fn is_possible(&self, settings: &Settings) -> bool {
        crate::far::route(settings, &self.name, self.hooks.far.as_ref()).kind == self.near.kind()
    }

    fn uses_memory(&self) -> bool {
        self.route.near
    }

    fn go_by(&'static self, settings: Settings) {
        let before = self.versions.current();
        self.replace(settings);
        let follows = |version: &Version<K, V>| version.far.as_ref().is_some_and(|far| far.follows());
        if follows(self) && !follows(before) {
            // no message will come for entries that were stored before the engine was watched
            self.begin_anew();
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn author(&self) -> &Settings {
        &self.author
    }

    fn settings(&self) -> &Settings {
        &self.versions.current().settings
    }

    fn resize(&self, settings: &Settings) -> bool {
        self.near.resize(&super::limits(settings, &self.hooks))
    }

    fn empty(&self) {
        self.begin_anew();
    }
}
