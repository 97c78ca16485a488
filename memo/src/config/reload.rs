//! Reading the configuration again, and having functions that have run go by it.

use std::time::Duration;

use super::change::{Change, Changes};
use super::layer::Sourced;
use super::loaded::Loaded;
use super::options::{OptionValue, values};
use super::problem::{ConfigError, Origin};
use super::process::{PROCESS, ProcessOption};
use super::said::Config;
use super::{registered, schema, state};
use crate::memoized::Configured;
use crate::registry;
use crate::settings::Settings;

/// Takes what the program, the environment and the file say, once and for all mistakes at once. Called first in a
/// program, before memoized functions are; where it is not called, files and environment are read all the same, and what
/// is wrong with them is logged and left out.
///
/// Engines of the program's own are registered before. A second call replaces what the first has said.
///
/// # Errors
///
/// If anything is wrong, with all of it: file, line and key, and what to write. Then everything is as it was before.
///
/// ```
/// let error = memo::init(memo::Config::new().defaults("capcity", 100)).unwrap_err();
/// assert!(error.to_string().contains("defaults.capcity: there is no such option; did you mean `capacity`?"));
/// ```
pub fn init(config: Config) -> Result<(), ConfigError> {
    take(Some(config)).map(drop)
}

/// Reads the file and the environment again, and has functions that have run go by what has changed: lifetimes,
/// capacity, whether they are enabled, and their engines. Entries that still fit stay.
///
/// A call that is under way goes by the old or by the new settings.
///
/// # Errors
///
/// If anything is wrong, with all of it. Then everything is as it was before.
///
/// ```
/// let changes = memo::reload()?;
/// changes.iter().for_each(|change| println!("{change}"));
/// # Ok::<(), memo::config::ConfigError>(())
/// ```
pub fn reload() -> Result<Changes, ConfigError> {
    take(None)
}

/// Reads the configuration and puts it in force, also for functions that have run.
fn take(code: Option<Config>) -> Result<Changes, ConfigError> {
    let code = code.or_else(state::code);
    let strict = code.is_some();
    let (loaded, problems) = Loaded::read(&code.clone().unwrap_or_default(), strict);
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let (before, loaded) = state::take(loaded, code);
    let mut changes = before.as_ref().map(|before| of_engines(before, &loaded)).unwrap_or_default();
    changes.extend(before.into_iter().flat_map(|before| of_process(&before, &loaded)));
    changes.extend(registry::all().into_iter().flat_map(|memo| reconfigure(memo.configured())));
    // a generic function has a record for each instantiation, and they change alike
    changes.dedup();
    Ok(Changes { changes })
}

/// The options of engines in use that have changed. Engines keep the options that they were made with, so these hold from
/// the next start.
fn of_engines(before: &Loaded, after: &Loaded) -> Vec<Change> {
    let shown = |sourced: Option<&Sourced>| {
        sourced.map_or_else(|| "default".to_owned(), |sourced| sourced.setting.to_string())
    };
    let mut changes = Vec::new();
    for name in registered::names() {
        for rule in schema::engine(&name) {
            let (old, new) = (before.engine(&name, rule.name), after.engine(&name, rule.name));
            if old.map(|old| &old.setting) != new.map(|new| &new.setting) {
                changes.push(Change {
                    subject: format!("engines.{name}"),
                    option: rule.name,
                    old: shown(old),
                    new: shown(new),
                    origin: new.map_or(Origin::Default, |new| new.origin.clone()),
                    applied: false,
                });
            }
        }
    }
    changes
}

/// The options of the process that have changed.
fn of_process(before: &Loaded, after: &Loaded) -> Vec<Change> {
    let changed = |option: &ProcessOption| {
        let (old, (new, origin)) = (before.of_process(option).0, after.of_process(option));
        (old != new).then(|| Change {
            subject: "defaults".to_owned(),
            option: option.rule.name,
            old: old.to_string(),
            new: new.to_string(),
            origin,
            applied: true,
        })
    };
    PROCESS.iter().filter_map(changed).collect()
}

/// Puts in force for `function` what is configured now. Gives what has changed.
pub(crate) fn reconfigure(function: &'static dyn Configured) -> Vec<Change> {
    let (name, author) = (function.name(), values(function.author()));
    let first = values(function.settings());
    loop {
        let loaded = state::current();
        let wanted = apply(&loaded, function);
        // if there was another reload meanwhile, what it has put in force may have been replaced by older settings
        if state::generation() != loaded.generation {
            continue;
        }
        let now = values(function.settings());
        let differing = |old: &[OptionValue], new: &[OptionValue], applied| -> Vec<Change> {
            let change = |((old, new), author): ((&OptionValue, &OptionValue), &OptionValue)| Change {
                origin: loaded.origin(name, author),
                subject: name.to_owned(),
                option: old.name,
                old: old.value.to_string(),
                new: new.value.to_string(),
                applied,
            };
            let pairs = old.iter().zip(new).zip(&author);
            pairs.filter(|((old, new), _)| old.value != new.value).map(change).collect()
        };
        return [differing(&first, &now, true), differing(&now, &wanted, false)].concat();
    }
}

/// Puts in force for `function` what is `loaded`, as far as that can be done while it is in use. Gives the options as they
/// are configured.
fn apply(loaded: &Loaded, function: &'static dyn Configured) -> Vec<OptionValue> {
    let old = function.settings();
    let mut new = loaded.settings(function.name(), function.author()).into_owned();
    loaded.warn_of_effect(function.name(), &new);
    let wanted = values(&new);
    if wanted.iter().zip(values(old)).all(|(new, old)| new.value == old.value) {
        return wanted;
    }
    // the store of a record is never replaced by one of another kind
    if !function.is_possible(&new) {
        (new.engine, new.fallback) = (old.engine.clone(), old.fallback.clone());
    }
    let limits = |settings: &Settings| (settings.capacity, settings.max_weight, settings.tti);
    if limits(&new) != limits(old) && !function.resize(&new) {
        (new.capacity, new.max_weight, new.tti) = limits(old);
    }
    let (closes, near) = (old.enabled && !new.enabled, function.uses_memory());
    let shorter =
        |old: Option<Duration>, new: Option<Duration>| new.is_some_and(|new| old.is_none_or(|old| new < old));
    let outlives = shorter(old.ttl, new.ttl) || shorter(old.error_ttl, new.error_ttl);
    function.go_by(new);
    // after the new settings are in force, so that no call stores by the old ones behind this
    if closes || outlives || (near && !function.uses_memory()) {
        function.empty();
    }
    wanted
}
