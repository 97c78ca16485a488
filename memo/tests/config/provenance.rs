//! Where each value comes from, and the guide's table of options.

#[cfg(feature = "disk")]
use std::time::Duration;

use memo::config::Origin;
#[cfg(feature = "disk")]
use memo::engine::{DiskOptions, GuardOptions};
use memo::{Config, memoize};

fn origin(key: &str) -> String {
    memo::config().get(key).unwrap_or_else(|| panic!("{key}")).origin().to_string()
}

in_children! {
    fn each_value_says_where_it_comes_from(|setting| {
        let file = "[defaults]\ncapacity = 5\n\n[functions.'app::*']\ntti = '1m'\n[engines.redis]\nurl = 'rediss://app:secret@cache:6379'\n";
        setting.file("memo.toml", file).variable("MEMO_DEFAULTS__SINGLE_FLIGHT", "false")
    }) {
        #[memoize(name = "app::f", ttl = "5m")]
        fn f(n: u64) -> u64 {
            n
        }
        f(1);
        let line = line!() + 1;
        memo::init(Config::new().function("app::f", "cache_err", "1s")).unwrap();
        let options = ["capacity", "tti", "single_flight", "ttl", "cache_err", "max_weight"];
        let origins = options.map(|option| origin(&format!("app::f {option}")));
        let code = format!("{}:{line}", file!());
        assert_eq!(origins, ["memo.toml:2", "memo.toml:5", "MEMO_DEFAULTS__SINGLE_FLIGHT", "attribute", &code, "default"]);
        let config = memo::config();
        let place = Origin::File { path: "memo.toml".into(), line: 2 };
        assert_eq!(config.get("defaults.capacity").unwrap().origin(), &place);
        assert_eq!(config.get("functions.\"app::*\".tti").unwrap().value(), "1m");
        let text = config.to_string();
        assert!(text.contains("engines.redis.url  "), "{text}");
        assert!(text.contains("rediss://app:***@cache:6379") && !text.contains("secret"), "{text}");
    }

    #[cfg(feature = "tracing")]
    fn keys_that_the_program_shows_are_told_to_be_shown(|setting| setting.file("memo.toml", "functions.'app::quiet'.log_keys = false")) {
        #[memoize(name = "app::f")]
        fn f(n: u64) -> u64 {
            n
        }
        #[memoize(name = "app::quiet")]
        fn quiet(n: u64) -> u64 {
            n
        }
        let _ = (f(1), quiet(1));
        let values = || {
            let config = memo::config();
            let keys = ["defaults.log_keys", "app::f log_keys", "app::quiet log_keys"];
            keys.map(|key| config.get(key).unwrap().value().to_owned())
        };
        assert_eq!(values(), ["false"; 3]);
        memo::log_keys(true);
        assert_eq!(values(), ["true", "true", "false"]);
        assert!(memo::reload().unwrap().is_empty());
    }

    fn patterns_that_no_function_matches_are_known(|setting| {
        setting.file("memo.toml", "[functions.'app::rates::*']\nttl = '1s'\n[functions.usd]\nttl = '1s'\n[functions.'app::rate::usd']\nttl = '1s'")
    }) {
        #[memoize(name = "app::rates::usd")]
        fn usd(n: u64) -> u64 {
            n
        }
        assert_eq!(memo::config().unused_patterns().len(), 3);
        usd(1);
        let config = memo::config();
        let unused: Vec<_> = config.unused_patterns().iter().map(ToString::to_string).collect();
        assert_eq!(unused, [
            "memo.toml:6: functions.\"app::rate::usd\": no function that has run has such a name; did you mean `app::rates::usd`?",
            "memo.toml:4: functions.\"usd\": no function that has run has such a name; did you mean `app::rates::usd`?",
        ]);
        assert!(config.to_string().ends_with(&format!("{}\n", unused[1])));
    }
}

/// The rows of the tables in the guide whose first cell is code: the cells, without their quotes.
#[cfg(feature = "disk")]
fn rows() -> impl Iterator<Item = Vec<String>> {
    let guide = include_str!("../../../docs/guide/configuration.md");
    let (guide, _) = guide.split_once("## Mistakes").unwrap();
    let rows = guide.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
}

/// The documented keys, and the example of each.
#[cfg(feature = "disk")]
fn documented() -> Vec<(String, String)> {
    rows().map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// The documented keys, and what holds where nobody sets them, as it would be shown.
#[cfg(feature = "disk")]
fn defaults() -> Vec<(String, String)> {
    rows().map(|row| (row[0].clone(), bare(&row[3]).replace('_', ""))).collect()
}

/// The documented keys in full with the example of each; options of functions twice, as a default and for a function.
#[cfg(feature = "disk")]
fn keys() -> Vec<(String, String)> {
    let rows = documented().into_iter();
    rows.flat_map(|(key, example)| match key.contains('.') {
        true => vec![(key, example)],
        false if is_of_process(&key) => vec![(format!("defaults.{key}"), example)],
        false => [format!("defaults.{key}"), format!("functions.\"app::*\".{key}")]
            .map(|key| (key, example.clone()))
            .to_vec(),
    })
    .collect()
}

/// Whether it is an option of the process as a whole, which no section for functions has.
#[cfg(feature = "disk")]
fn is_of_process(key: &str) -> bool {
    key == "renewal_threads"
}

/// An example as an environment variable has it: no quotes, no brackets.
#[cfg(feature = "disk")]
fn bare(example: &str) -> String {
    example.chars().filter(|c| !"\"[]".contains(*c)).collect()
}

/// Every documented key has been set, and by a source that `is_source` knows.
#[cfg(feature = "disk")]
fn all_are_set(is_source: impl Fn(&Origin) -> bool) {
    let config = memo::config();
    assert!(keys().len() > 20);
    for (key, example) in keys() {
        let row = config.get(&key).unwrap_or_else(|| panic!("{key} is not set in\n{config}"));
        assert!(is_source(row.origin()), "{key}: {}", row.origin());
        assert_eq!(row.value(), bare(&example).replace('_', ""), "{key}");
    }
}

#[cfg(feature = "disk")]
in_children! {
    fn every_documented_key_can_be_set_in_a_file(|setting| {
        let text: String = keys().into_iter().map(|(key, example)| format!("{key} = {example}\n")).collect();
        setting.file("memo.toml", &text)
    }) {
        memo::init(Config::new()).unwrap();
        all_are_set(|origin| matches!(origin, Origin::File { .. }));
    }

    fn every_documented_key_can_be_set_in_the_environment(|setting| {
        let (functions, others): (Vec<_>, Vec<_>) = keys().into_iter().partition(|(key, _)| key.starts_with("functions"));
        let setting = others.into_iter().fold(setting, |setting, (key, example)| {
            setting.variable(&format!("MEMO_{}", key.to_uppercase().replace('.', "__")), &bare(&example))
        });
        let options = functions.into_iter().map(|(key, example)| format!("{} = {example}", key.rsplit('.').next().unwrap()));
        let options = options.collect::<Vec<_>>().join(", ");
        setting.variable("MEMO_FUNCTIONS", &format!("{{ 'app::*' = {{ {options} }} }}"))
    }) {
        memo::init(Config::new()).unwrap();
        all_are_set(|origin| matches!(origin, Origin::Variable(_)));
    }

    fn every_documented_key_can_be_set_in_code(|setting| setting) {
        let config = keys().into_iter().fold(Config::new(), |config, (key, example)| {
            let text = bare(&example);
            let value: memo::config::Value = match example.as_bytes()[0] {
                b'"' => text.into(),
                b'[' => text.split(", ").map(str::to_owned).collect::<Vec<_>>().into(),
                b't' | b'f' => (example == "true").into(),
                _ if example.contains('.') => example.parse::<f64>().unwrap().into(),
                _ => example.replace('_', "").parse::<u64>().unwrap().into(),
            };
            let option = key.rsplit('.').next().unwrap();
            match key.split('.').next().unwrap() {
                "defaults" => config.defaults(option, value),
                "engines" => config.engine(key.split('.').nth(1).unwrap(), option, value),
                _ => config.function("app::*", option, value),
            }
        });
        memo::init(config).unwrap();
        all_are_set(|origin| matches!(origin, Origin::Code { .. }));
    }

    /// What the guide says holds where nobody says anything does.
    fn every_documented_default_is_the_one_that_holds(|setting| setting) {
        #[memoize(name = "app::plain")]
        fn plain(n: u64) -> u64 {
            n
        }
        plain(1);
        let config = memo::config();
        for (option, default) in defaults().into_iter().filter(|(key, _)| !key.contains('.')) {
            let of_function = (!is_of_process(&option)).then(|| format!("app::plain {option}"));
            for key in std::iter::once(format!("defaults.{option}")).chain(of_function) {
                let row = config.get(&key).unwrap_or_else(|| panic!("{key}"));
                let value = if option == "max_weight" { "none" } else { &*default };
                assert_eq!((row.value(), row.origin()), (value, &Origin::Default), "{key}");
            }
        }
        let (disk, guard) = (DiskOptions::default(), GuardOptions::default());
        let time = |time: Duration| format!("{time:?}");
        let size = |bytes: u64| match bytes {
            bytes if bytes % (1 << 30) == 0 => format!("{}GiB", bytes >> 30),
            bytes if bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
            bytes => format!("{}KiB", bytes >> 10),
        };
        let minutes = |time: Duration| format!("{}m", time.as_secs() / 60);
        let of_disk = [
            ("shared", disk.shared.to_string()),
            ("max_size", size(disk.max_size)),
            ("large_over", size(disk.large_over as u64)),
            ("durable", disk.durable.to_string()),
            ("queue", size(disk.queue as u64)),
            ("put_wait", time(disk.put_wait)),
            ("wait", time(disk.wait)),
            ("busy_timeout", time(disk.busy_timeout)),
            ("touch_after", minutes(disk.touch_after)),
            ("sweep_every", minutes(disk.sweep_every)),
        ];
        let of_guard = |guard: GuardOptions| [
            ("budget", time(guard.budget)),
            ("failures", guard.failures.to_string()),
            ("backoff", time(guard.backoff)),
            ("max_backoff", time(guard.max_backoff)),
            ("helpers", guard.helpers.to_string()),
            ("strict", guard.strict.to_string()),
        ];
        let redis = || {
            #[cfg(feature = "redis")]
            return of_guard(memo::engine::Redis::guard()).map(|(option, value)| ("redis", option, value)).to_vec();
            #[cfg(not(feature = "redis"))]
            Vec::new()
        };
        let of_disk = of_disk.into_iter().chain(of_guard(guard)).map(|(option, value)| ("disk", option, value));
        let mut known: Vec<_> = of_disk.chain(redis()).collect();
        for (key, default) in defaults().into_iter().filter(|(key, _)| key.contains('.')) {
            let place = known.iter().position(|(engine, option, _)| key == format!("engines.{engine}.{option}"));
            match place.map(|place| known.swap_remove(place)) {
                Some((.., value)) => assert_eq!(default, value, "{key}"),
                // where it is, what its address is and what its keys begin with are told in words, or not at all
                None => assert!(
                    ["engines.disk.path", "engines.redis.url", "engines.redis.prefix"].contains(&&*key) || (cfg!(not(feature = "redis")) && key.contains("redis")),
                    "{key}"
                ),
            }
        }
        assert_eq!(known, [], "not documented");
    }

    /// What an error says there is, the guide says too.
    fn every_option_is_documented(|setting| setting) {
        let named = |message: &str| -> Vec<String> {
            let (_, names) = message.split_once("there are ").unwrap_or_else(|| panic!("{message}"));
            names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
        };
        let nothing = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";
        let config = Config::new().defaults(nothing, 1).engine("disk", nothing, 1).engine("redis", nothing, 1);
        let error = memo::init(config).unwrap_err();
        let documented: Vec<_> = documented().into_iter().map(|(key, _)| key).collect();
        for (problem, prefix) in error.problems().iter().zip(["", "engines.disk.", "engines.redis."]) {
            for option in named(problem.message()) {
                let key = format!("{prefix}{option}");
                assert!(documented.contains(&key), "{key} is not documented");
            }
        }
        assert_eq!(error.problems().len(), 3);
    }
}
