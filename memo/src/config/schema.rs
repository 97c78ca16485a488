//! The sections there are, and the options of each.

use super::kind::{Address, Kind};
use super::options::rows;
use crate::settings::Settings;

/// An option.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// The sections of a configuration.
pub(super) const SECTIONS: [&str; 3] = ["defaults", "engines", "functions"];

pub(super) const fn rule(name: &'static str, kind: Kind) -> Rule {
    Rule { name, kind }
}

/// `[defaults]` and `[functions.".."]`.
pub(super) fn function() -> Vec<Rule> {
    let mut nothing = Settings::new();
    rows(&mut nothing).iter().map(|row| rule(row.name, row.slot.kind())).collect()
}

/// Whether functions have an option of this name.
pub(super) fn is_of_functions(name: &str) -> bool {
    function().iter().any(|rule| rule.name == name)
}

/// Whether this is an option of the attribute that is about the code, which a configuration does not know.
pub(super) fn is_about_the_code(name: &str) -> bool {
    memo_text::option(name).is_some_and(|option| !option.configurable)
}

/// `[engines.<name>]`: the guard around each of them.
pub(super) const GUARD: &[Rule] = &[
    rule("budget", Kind::Budget),
    rule("failures", Kind::Number),
    rule("backoff", Kind::Time),
    rule("max_backoff", Kind::Time),
    rule("helpers", Kind::Number),
    rule("strict", Kind::Switch),
];

/// `[engines.<name>]`, beside its guard.
pub(super) const ENGINES: &[(&str, &[Rule])] = &[
    (
        "disk",
        &[
            rule("path", Kind::Path),
            rule("shared", Kind::Switch),
            rule("max_size", Kind::Size),
            rule("large_over", Kind::Size),
            rule("durable", Kind::Switch),
            rule("queue", Kind::Size),
            rule("put_wait", Kind::Time),
            rule("wait", Kind::Time),
            rule("busy_timeout", Kind::Time),
            rule("touch_after", Kind::Time),
            rule("sweep_every", Kind::Time),
        ],
    ),
    ("redis", &[rule("url", Kind::Address(&REDIS)), rule("prefix", Kind::Text)]),
];

/// The addresses of the engine `redis`.
const REDIS: Address = Address {
    example: "redis://host:6379",
    is_scheme: |scheme| {
        let (server, way) = scheme.split_once('+').unwrap_or((scheme, ""));
        match server {
            "redis" | "valkey" => matches!(way, "" | "cluster" | "sentinel" | "unix"),
            "rediss" | "valkeys" => matches!(way, "" | "cluster" | "sentinel"),
            "unix" => way.is_empty(),
            _ => false,
        }
    },
};

/// All options of the engine `name`.
pub(super) fn engine(name: &str) -> impl Iterator<Item = &'static Rule> + Clone {
    let own = ENGINES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, rules)| rules);
    own.iter().chain(GUARD)
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_attribute_are_configurable_where_there_is_a_rule() {
        for option in memo_text::OPTIONS {
            assert_eq!(is_of_functions(option.name), option.configurable, "{}", option.name);
        }
    }
}
