//! Options that are set for a function and have no effect there.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::loaded::Loaded;
use super::problem::Problem;
use super::value::Setting;
use crate::settings::Settings;

/// Options about what comes after a lifetime, or about its length.
const OF_LIFETIMES: [&str; 4] = ["stale", "stale_if_error", "refresh_ahead", "jitter"];

impl Loaded {
    /// The options that a section sets for the function called `name` and that have no effect, since its results have no
    /// lifetime. `settings` are those in force. Defaults are for all functions, so they may well have none for some.
    pub(super) fn without_effect(&self, name: &str, settings: &Settings) -> Vec<Problem> {
        if settings.ttl.is_some() || settings.ttl_of {
            return Vec::new();
        }
        let is_something = |setting: &Setting| {
            !matches!(setting, Setting::Lifetime(None) | Setting::Ahead(None) | Setting::Jitter(None))
        };
        let problem = |option: &&str| {
            let sourced = self.of_section(name, option).filter(|sourced| is_something(&sourced.setting))?;
            Some(Problem {
                origin: sourced.origin.clone(),
                key: format!("{name} {option}"),
                message: "this has no effect, since results have no lifetime: set `ttl` as well".to_owned(),
            })
        };
        OF_LIFETIMES.iter().filter_map(problem).collect()
    }

    /// Warns of options that have no effect for the function called `name`, of each once.
    pub(super) fn warn_of_effect(&self, name: &str, settings: &Settings) {
        static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);
        for problem in self.without_effect(name, settings) {
            let message = problem.to_string();
            let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = said.get_or_insert_default().insert(message.clone());
            drop(said);
            if is_new {
                crate::warn::warn(&message);
            }
        }
    }
}
