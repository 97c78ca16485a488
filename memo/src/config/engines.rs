//! What a configuration means for engines.
//!
//! The options of each are taken apart field by field, so that one which is added does not compile before it is either
//! configurable or said not to be.

use memo_engines::GuardOptions;

use super::schema;
use super::state::current;
use super::value::Setting;

/// The engine `disk`.
#[cfg(feature = "disk")]
pub(crate) fn disk() -> (memo_engines::DiskOptions, GuardOptions) {
    let (mut options, mut guard) = (memo_engines::DiskOptions::default(), GuardOptions::default());
    for (option, setting) in configured("disk") {
        set_guard(&mut guard, option, &setting);
        set_disk(&mut options, option, &setting);
    }
    (options, guard)
}

/// The engine `redis`; no options if no address is configured.
#[cfg(feature = "redis")]
pub(crate) fn redis() -> (Option<memo_engines::RedisOptions>, GuardOptions) {
    let (mut options, mut guard) = (None, memo_engines::Redis::guard());
    // the address stands first in the schema
    for (option, setting) in configured("redis") {
        set_guard(&mut guard, option, &setting);
        set_redis(&mut options, option, &setting);
    }
    (options, guard)
}

/// The options of the engine called `name` that are configured, in the order of the schema.
fn configured(name: &str) -> Vec<(&'static str, Setting)> {
    let loaded = current();
    let set = |rule: &schema::Rule| Some((rule.name, loaded.engine(name, rule.name)?.setting.clone()));
    schema::engine(name).filter_map(set).collect()
}

/// Sets an option of the guard; whether it is one.
fn set_guard(options: &mut GuardOptions, option: &str, setting: &Setting) -> bool {
    let GuardOptions { budget, failures, backoff, max_backoff, helpers, strict } = options;
    match (option, setting) {
        ("budget", Setting::Time(length)) => *budget = *length,
        ("backoff", Setting::Time(length)) => *backoff = *length,
        ("max_backoff", Setting::Time(length)) => *max_backoff = *length,
        ("failures", Setting::Number(count)) => *failures = u32::try_from(*count).unwrap_or(u32::MAX),
        ("helpers", Setting::Number(count)) => *helpers = in_memory(*count),
        ("strict", Setting::Switch(switch)) => *strict = *switch,
        _ => return false,
    }
    true
}

/// Sets an option of the disk; whether it is one.
#[cfg(feature = "disk")]
fn set_disk(options: &mut memo_engines::DiskOptions, option: &str, setting: &Setting) -> bool {
    let memo_engines::DiskOptions {
        path,
        shared,
        max_size,
        large_over,
        durable,
        queue,
        put_wait,
        wait,
        busy_timeout,
        touch_after,
        sweep_every,
        // where its lines go
        warn: _,
    } = options;
    match (option, setting) {
        ("path", Setting::Path(place)) => *path = Some(place.clone()),
        ("shared", Setting::Switch(switch)) => *shared = *switch,
        ("max_size", Setting::Size(bytes)) => *max_size = *bytes,
        ("large_over", Setting::Size(bytes)) => *large_over = in_memory(*bytes),
        ("durable", Setting::Switch(switch)) => *durable = *switch,
        ("queue", Setting::Size(bytes)) => *queue = in_memory(*bytes),
        ("put_wait", Setting::Time(length)) => *put_wait = *length,
        ("wait", Setting::Time(length)) => *wait = *length,
        ("busy_timeout", Setting::Time(length)) => *busy_timeout = *length,
        ("touch_after", Setting::Time(length)) => *touch_after = *length,
        ("sweep_every", Setting::Time(length)) => *sweep_every = *length,
        _ => return false,
    }
    true
}

/// Sets an option of Redis; whether it is one. There are none before the address is set.
#[cfg(feature = "redis")]
fn set_redis(options: &mut Option<memo_engines::RedisOptions>, option: &str, setting: &Setting) -> bool {
    match (option, setting, options) {
        ("url", Setting::Address(url), options) => *options = Some(memo_engines::RedisOptions::at(url)),
        ("prefix", Setting::Text(prefix), Some(options)) => options.prefix.clone_from(prefix),
        _ => return false,
    }
    true
}

/// A size or a count, of which memory has no more than `usize` can say.
fn in_memory(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use std::path::Path;

    use super::super::value::Given;
    use super::*;

    /// A right value for the option of each rule.
    fn setting(rule: &schema::Rule) -> Setting {
        let given = ["true", "7", "7s", "redis://host"].into_iter().map(|text| rule.kind.read(text));
        let given = given.chain([Given::Text("text".to_owned())]);
        let right = given.filter_map(|given| rule.kind.check(given, Some(Path::new("/")), true).ok()).next();
        right.unwrap_or_else(|| panic!("no value is right for `{}`", rule.name))
    }

    #[test]
    fn every_option_in_the_schema_sets_something() {
        for rule in schema::GUARD {
            assert!(set_guard(&mut GuardOptions::default(), rule.name, &setting(rule)), "{}", rule.name);
        }
        for (engine, rules) in schema::ENGINES {
            for rule in *rules {
                let set = match *engine {
                    #[cfg(feature = "disk")]
                    "disk" => set_disk(&mut memo_engines::DiskOptions::default(), rule.name, &setting(rule)),
                    #[cfg(feature = "redis")]
                    "redis" => {
                        let mut options = Some(memo_engines::RedisOptions::at("redis://host"));
                        set_redis(&mut options, rule.name, &setting(rule))
                    }
                    _ => continue,
                };
                assert!(set, "{engine}.{}", rule.name);
            }
        }
    }
}
