//! The engines that need no registration, and what each engine can do.

#[cfg(feature = "disk")]
mod disk;
#[cfg(feature = "redis")]
mod redis;
#[cfg_attr(not(feature = "disk"), allow(dead_code, reason = "a build may have no built-in engine"))]
mod row;

use std::sync::Arc;

use memo_engines::{Capability, Engine as _, Guarded};

use super::exit;
use super::named::named;
use super::reported::tell;
use crate::config::EngineSettings;
use crate::strategy::EngineProfile;
use row::BuiltIn;

/// The built-in engines of this build.
const ROWS: &[BuiltIn] = &[
    #[cfg(feature = "disk")]
    disk::DISK,
    #[cfg(feature = "redis")]
    redis::REDIS,
];

impl BuiltIn {
    /// What it can do, also before it is opened.
    fn capability(&self) -> Capability {
        (self.prepare)(&mut EngineSettings::of(self.name)).capability
    }

    /// The engine as it is configured. It is opened when it is first used.
    fn engine(&self) -> Guarded {
        let mut settings = EngineSettings::of(self.name);
        let prepared = (self.prepare)(&mut settings);
        let guard = settings.guard(prepared.guard);
        Guarded::build(self.name, prepared.capability, prepared.open, guard).on_event(tell)
    }
}

/// The engine called `name`.
pub(super) fn open(name: &str) -> Option<Arc<Guarded>> {
    let registered = named().get(name).cloned();
    let engine = registered.or_else(|| built_in(name))?;
    exit::uses(name, &engine);
    Some(engine)
}

/// What a plan may name beside memory, in alphabetical order.
pub(super) fn profiles() -> Vec<EngineProfile> {
    // with no lock held, since reading the configuration may ask for engines, and `capability` is a method of the engine
    let built_in: Vec<_> = ROWS.iter().map(|row| (row.name, row.capability())).collect();
    let named = named().clone();
    let registered = named.iter().map(|(name, engine)| (name.clone(), engine.capability()));
    let built_in = built_in.into_iter().filter(|(name, _)| !named.contains_key(*name));
    let built_in = built_in.map(|(name, capability)| (name.to_owned(), capability));
    let mut profiles: Vec<_> =
        registered.chain(built_in).map(|(name, capability)| EngineProfile { name, capability }).collect();
    profiles.sort_by(|a, b| a.name.cmp(&b.name));
    profiles
}

/// An engine that needs no registration. It is registered when it is first named.
fn built_in(name: &str) -> Option<Arc<Guarded>> {
    let engine = ROWS.iter().find(|row| row.name == name)?.engine();
    // another thread may have been faster
    Some(named().entry(name.to_owned()).or_insert_with(|| Arc::new(engine)).clone())
}

/// What the engine called `name` can do, whether or not it has been used.
pub(super) fn capability(name: &str) -> Option<Capability> {
    profiles().into_iter().find(|engine| engine.name == name).map(|engine| engine.capability)
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn each_engine_whose_feature_is_on_has_a_row() {
        let features: &[(&str, bool)] = memo_text::built_in_engines!();
        for (name, is_on) in features {
            assert_eq!(ROWS.iter().any(|row| row.name == *name), *is_on, "{name}");
        }
    }

    #[test]
    #[cfg(feature = "config")]
    fn each_engine_takes_all_its_options() {
        for row in ROWS {
            let mut settings = EngineSettings::with_every_option(row.name);
            let prepared = (row.prepare)(&mut settings);
            settings.guard(prepared.guard);
            assert_eq!(settings.left(), Vec::<&str>::new(), "{}", row.name);
        }
    }
}
