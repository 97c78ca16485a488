//! What was meant by the name of a section or a variable that does not exist.

use memo_text::nearest;
use toml::de::DeValue;

use super::problem::unknown;
use super::process::PROCESS;
use super::schema::{ENGINES, SECTIONS, engine, function};

/// The message for a section `key` that does not exist and holds `value`: how to write the one that was meant.
pub(super) fn section(key: &str, value: &DeValue<'_>) -> String {
    let engines = || ENGINES.iter().map(|(name, _)| *name);
    let first = match value {
        DeValue::Table(table) => table.iter().min_by_key(|(name, _)| name.span().start),
        _ => None,
    };
    let first = first.map(|(name, _)| name.get_ref().to_string());
    let meant = match (nearest(key, SECTIONS), first) {
        (Some("engines"), Some(name)) => {
            format!("engines.{}", nearest(&name, engines()).unwrap_or(&name))
        }
        (Some("functions"), Some(name)) => format!("functions.{name:?}"),
        (Some(section), _) => section.to_owned(),
        (None, _) => match engines().find(|name| *name == key) {
            Some(name) => format!("engines.{name}"),
            None => return unknown("section", key, SECTIONS.into_iter()),
        },
    };
    format!("there is no such section; did you mean `[{meant}]`?")
}

/// The message for a variable `MEMO_..` that does not exist; `key` is the rest of its name in small letters. `None` if no
/// name of ours is near: then it probably belongs to somebody else, as `MEMO_PORT` does to a service called `memo`.
pub(super) fn variable(key: &str) -> Option<String> {
    let of_process = PROCESS.iter().map(|option| option.rule);
    let options = function().into_iter().chain(of_process);
    let options = options.map(|rule| (format!("defaults__{}", rule.name), rule.name.to_owned()));
    let engines = ENGINES.iter().flat_map(|(name, _)| {
        engine(name)
            .map(move |rule| (format!("engines__{name}__{}", rule.name), format!("{name}_{}", rule.name)))
    });
    let whole = ["config", "functions"].map(|name| (name.to_owned(), name.to_owned()));
    // each with its name without the section
    let known: Vec<_> = whole.into_iter().chain(options).chain(engines).collect();

    let flat = |name: &str| name.replace("__", "_");
    let written = flat(key);
    let short = known.iter().find(|(_, short)| *short == written).map(|(name, _)| name.clone());
    let meant = short.or_else(|| {
        let flattened: Vec<_> = known.iter().map(|(name, _)| flat(name)).collect();
        let nearest = nearest(&written, flattened.iter().map(String::as_str))?;
        let index = flattened.iter().position(|name| name == nearest)?;
        Some(known[index].0.clone())
    })?;
    Some(format!("there is no such variable; did you mean `MEMO_{}`?", meant.to_uppercase()))
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_ours_if_it_is_near_to_one() {
        for (written, meant) in [
            ("confg", "MEMO_CONFIG"),
            ("function", "MEMO_FUNCTIONS"),
            ("ttl", "MEMO_DEFAULTS__TTL"),
            ("defaults_ttl", "MEMO_DEFAULTS__TTL"),
            ("default__max_wieght", "MEMO_DEFAULTS__MAX_WEIGHT"),
            ("engine__disk__path", "MEMO_ENGINES__DISK__PATH"),
            ("engines_redis_url", "MEMO_ENGINES__REDIS__URL"),
            ("redis_url", "MEMO_ENGINES__REDIS__URL"),
            ("renewal_threads", "MEMO_DEFAULTS__RENEWAL_THREADS"),
            ("disk__max_size", "MEMO_ENGINES__DISK__MAX_SIZE"),
        ] {
            let told = variable(written).unwrap_or_default();
            assert_eq!(told, format!("there is no such variable; did you mean `{meant}`?"), "{written}");
        }
        // what Kubernetes sets for a service called `memo` is among them
        for written in [
            "port",
            "port_80_tcp",
            "port_80_tcp_addr",
            "service_host",
            "service_port_http",
            "title",
            "home",
            "elsewhere__capacity",
            "test_seed",
            "log",
            "",
        ] {
            assert_eq!(variable(written), None, "{written}");
        }
    }
}
