//! What a configuration means for engines.

use super::schema;
use super::state::current;
use super::value::Setting;

/// The guard around the engine called `name`, where `options` hold if nothing else is said.
fn guard(mut options: memo_engines::GuardOptions, name: &str) -> memo_engines::GuardOptions {
    let loaded = current();
    for rule in schema::GUARD {
        match (rule.name, loaded.engine(name, rule.name).map(|placed| &placed.setting)) {
            ("budget", Some(Setting::Time(length))) => options.budget = *length,
            ("backoff", Some(Setting::Time(length))) => options.backoff = *length,
            ("max_backoff", Some(Setting::Time(length))) => options.max_backoff = *length,
            ("failures", Some(Setting::Number(count))) => {
                options.failures = u32::try_from(*count).unwrap_or(u32::MAX);
            }
            ("helpers", Some(Setting::Number(count))) => {
                options.helpers = usize::try_from(*count).unwrap_or(usize::MAX);
            }
            ("strict", Some(Setting::Switch(strict))) => options.strict = *strict,
            _ => {}
        }
    }
    options
}

/// The engine `disk`.
#[cfg(feature = "disk")]
pub(crate) fn disk() -> (memo_engines::DiskOptions, memo_engines::GuardOptions) {
    let loaded = current();
    let mut options = memo_engines::DiskOptions::default();
    for rule in schema::engine("disk") {
        match (rule.name, loaded.engine("disk", rule.name).map(|placed| &placed.setting)) {
            ("path", Some(Setting::Path(path))) => options.path = Some(path.clone()),
            ("shared", Some(Setting::Switch(shared))) => options.shared = *shared,
            ("max_size", Some(Setting::Size(bytes))) => options.max_size = *bytes,
            ("large_over", Some(Setting::Size(bytes))) => {
                options.large_over = usize::try_from(*bytes).unwrap_or(usize::MAX);
            }
            ("durable", Some(Setting::Switch(durable))) => options.durable = *durable,
            ("queue", Some(Setting::Size(bytes))) => {
                options.queue = usize::try_from(*bytes).unwrap_or(usize::MAX);
            }
            ("put_wait", Some(Setting::Time(length))) => options.put_wait = *length,
            ("wait", Some(Setting::Time(length))) => options.wait = *length,
            ("busy_timeout", Some(Setting::Time(length))) => options.busy_timeout = *length,
            ("touch_after", Some(Setting::Time(length))) => options.touch_after = *length,
            ("sweep_every", Some(Setting::Time(length))) => options.sweep_every = *length,
            _ => {}
        }
    }
    (options, guard(memo_engines::GuardOptions::default(), "disk"))
}

/// The engine `redis`; no options if no address is configured.
#[cfg(feature = "redis")]
pub(crate) fn redis() -> (Option<memo_engines::RedisOptions>, memo_engines::GuardOptions) {
    let loaded = current();
    let url = match loaded.engine("redis", "url").map(|placed| &placed.setting) {
        Some(Setting::Address(url)) => Some(url.clone()),
        _ => None,
    };
    let mut options = url.map(memo_engines::RedisOptions::at);
    if let (Some(options), Some(Setting::Text(prefix))) =
        (&mut options, loaded.engine("redis", "prefix").map(|placed| &placed.setting))
    {
        options.prefix.clone_from(prefix);
    }
    (options, guard(memo_engines::Redis::guard(), "redis"))
}
