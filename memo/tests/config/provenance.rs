//! Where each value comes from, and the guide's table of options.

use memo::config::Origin;
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
fn documented() -> Vec<(String, String)> {
    let guide = include_str!("../../../docs/guide/configuration.md");
    let (guide, _) = guide.split_once("## Mistakes").unwrap();
    let rows = guide.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        let _before = cells.next();
        (cells.next().unwrap(), cells.next().unwrap())
    })
    .collect()
}

/// The documented keys in full with the example of each; options of functions twice, as a default and for a function.
#[cfg(feature = "disk")]
fn keys() -> Vec<(String, String)> {
    let rows = documented().into_iter();
    rows.flat_map(|(key, example)| match key.contains('.') {
        true => vec![(key, example)],
        false => [format!("defaults.{key}"), format!("functions.\"app::*\".{key}")]
            .map(|key| (key, example.clone()))
            .to_vec(),
    })
    .collect()
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
