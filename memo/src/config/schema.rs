//! The sections and options there are, and what each takes.

use std::path::Path;
use std::time::Duration;

use super::problem::{nearest, unknown};
use super::value::{Given, Setting};
use crate::duration;
use crate::flight::patience::WITHOUT_END;
use crate::settings::{OnError, SingleFlight};

/// An option.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What an option takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Switch,
    Bound,
    Lifetime,
    Time,
    Budget,
    Size,
    Number,
    Path,
    Text,
    Address,
    Engines,
    Fallback,
    Share,
    OnError,
    Patience,
}

pub(super) const SECTIONS: [&str; 3] = ["defaults", "engines", "functions"];

const fn rule(name: &'static str, kind: Kind) -> Rule {
    Rule { name, kind }
}

/// `[defaults]` and `[functions.".."]`.
pub(super) const FUNCTION: &[Rule] = &[
    rule("enabled", Kind::Switch),
    rule("engine", Kind::Engines),
    rule("fallback", Kind::Fallback),
    rule("persist", Kind::Switch),
    rule("shared", Kind::Switch),
    rule("large", Kind::Switch),
    rule("capacity", Kind::Bound),
    rule("max_weight", Kind::Size),
    rule("large_over", Kind::Size),
    rule("ttl", Kind::Lifetime),
    rule("tti", Kind::Lifetime),
    rule("cache_err", Kind::Lifetime),
    rule("single_flight", Kind::Share),
    rule("on_error", Kind::OnError),
    rule("patience", Kind::Patience),
    rule("log_keys", Kind::Switch),
];

/// Options of the attribute that are about the code, which a configuration does not know.
pub(super) const OF_THE_ATTRIBUTE: [&str; 13] = [
    "key",
    "skip",
    "receiver",
    "cache_if",
    "cache_none",
    "ttl_of",
    "weigh",
    "name",
    "version",
    "code",
    "codec",
    "companion",
    "crate",
];

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
    ("redis", &[rule("url", Kind::Address), rule("prefix", Kind::Text)]),
];

/// The engines that a program may name, and whether this one can have them.
const BUILT_IN: [(&str, bool); 4] = [
    ("memory", true),
    ("moka", cfg!(feature = "moka")),
    ("disk", cfg!(feature = "disk")),
    ("redis", cfg!(feature = "redis")),
];

/// All options of the engine `name`.
pub(super) fn engine(name: &str) -> impl Iterator<Item = &'static Rule> + Clone {
    let own = ENGINES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, rules)| rules);
    own.iter().chain(GUARD)
}

impl Kind {
    fn expected(self) -> &'static str {
        match self {
            Kind::Switch => "`true` or `false`",
            Kind::Bound => "a whole number of at least 1, or \"unbounded\"",
            Kind::Lifetime => "a duration such as \"1h30m\", or \"none\"",
            Kind::Time | Kind::Budget => "a duration such as \"250ms\"",
            Kind::Size => "a size such as \"64MiB\", or a whole number of bytes",
            Kind::Number => "a whole number of at least 1",
            Kind::Path => "a path, as a text",
            Kind::Text => "a text that is not empty",
            Kind::Address => "a URL such as \"redis://host:6379\"",
            Kind::Engines => "an engine such as \"disk\", or an array of them, nearest first",
            Kind::Fallback => "an engine such as \"memory\", an array of them, or \"none\"",
            Kind::Share => "`false`, \"process\", \"machine\" or \"fleet\"",
            Kind::OnError => "\"one\" or \"all\"",
            Kind::Patience => "a duration such as \"10s\", or \"never\"",
        }
    }

    /// What the text of an environment variable stands for.
    pub(super) fn read(self, text: &str) -> Given {
        let text = text.to_owned();
        match self {
            Kind::Lifetime
            | Kind::Time
            | Kind::Budget
            | Kind::Path
            | Kind::Text
            | Kind::Address
            | Kind::OnError
            | Kind::Patience => Given::Text(text),
            Kind::Engines | Kind::Fallback if text.contains(',') => {
                Given::List(text.split(',').map(|name| Given::Text(name.trim().to_owned())).collect())
            }
            Kind::Engines | Kind::Fallback => Given::Text(text),
            Kind::Switch | Kind::Bound | Kind::Size | Kind::Number | Kind::Share => {
                let number = text.replace('_', "").parse().map(Given::Integer);
                number.ok().or_else(|| text.parse().ok().map(Given::Bool)).unwrap_or(Given::Text(text))
            }
        }
    }

    /// What `given` sets such an option to. Relative paths start at `place`. With `strict`, an engine that is neither
    /// built in nor registered is wrong; else only one that looks like a slip, since it may be registered yet.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what to write.
    pub(super) fn check(self, given: Given, place: Option<&Path>, strict: bool) -> Result<Setting, String> {
        let unfit = |given: &Given| format!("expected {}, not {}", self.expected(), given.describe());
        let at_least_one = |number: i128| u64::try_from(number).ok().filter(|number| *number > 0);
        match (self, given) {
            (Kind::Switch, Given::Bool(flag)) => Ok(Setting::Switch(flag)),
            (Kind::Bound, Given::Integer(0)) => {
                Err("nothing would be stored: write `enabled = false` for that".to_owned())
            }
            (Kind::Bound, Given::Text(text)) if text == "unbounded" => Ok(Setting::Bound(None)),
            (Kind::Bound, Given::Integer(number)) if at_least_one(number).is_some() => {
                Ok(Setting::Bound(at_least_one(number)))
            }
            (Kind::Number, given @ Given::Integer(number)) => {
                at_least_one(number).map(Setting::Number).ok_or_else(|| unfit(&given))
            }
            (Kind::Lifetime, Given::Text(text)) if text == "none" => Ok(Setting::Lifetime(None)),
            (Kind::Lifetime, Given::Text(text)) => {
                duration::duration(&text).map(|length| Setting::Lifetime(Some(length)))
            }
            (Kind::Lifetime, Given::Duration(length)) => Ok(Setting::Lifetime(Some(length))),
            (Kind::Time, Given::Text(text)) => duration::duration(&text).map(Setting::Time),
            (Kind::Time, Given::Duration(length)) => Ok(Setting::Time(length)),
            (Kind::Budget, given @ (Given::Text(_) | Given::Duration(_))) => {
                match Kind::Time.check(given, place, strict)? {
                    Setting::Time(Duration::ZERO) => {
                        Err("no call would be in time: leave the engine out of `engine` instead".to_owned())
                    }
                    budget => Ok(budget),
                }
            }
            (Kind::Patience, Given::Text(text)) if text == "never" => Ok(Setting::Patience(WITHOUT_END)),
            (Kind::Patience, given @ (Given::Text(_) | Given::Duration(_))) => {
                match Kind::Time.check(given, place, strict)? {
                    Setting::Time(Duration::ZERO) => {
                        Err("it would wait for nobody: write `single_flight = false` for that".to_owned())
                    }
                    Setting::Time(patience) => Ok(Setting::Patience(patience)),
                    other => Ok(other),
                }
            }
            (Kind::Lifetime | Kind::Patience, Given::Integer(number)) => {
                Err(format!("the number {number} needs a unit: write \"{number}s\" for seconds"))
            }
            (Kind::Time | Kind::Budget, Given::Integer(number)) => {
                Err(format!("the number {number} needs a unit: write \"{number}ms\" for milliseconds"))
            }
            (Kind::Size, Given::Text(text)) => duration::size(&text).map(Setting::Size),
            (Kind::Size, given @ Given::Integer(number)) => {
                u64::try_from(number).map(Setting::Size).map_err(|_| unfit(&given))
            }
            (Kind::Path, Given::Text(text)) if text.is_empty() => Err("the path is empty".to_owned()),
            (Kind::Path, Given::Text(text)) if text == "~" || text.starts_with("~/") => {
                Err("`~` is for shells: write the whole path".to_owned())
            }
            (Kind::Path, Given::Text(text)) => Ok(Setting::Path(below(place, text.as_ref()))),
            (Kind::Path, Given::Path(path)) => Ok(Setting::Path(below(place, &path))),
            (Kind::Text, Given::Text(text)) if !text.is_empty() => Ok(Setting::Text(text)),
            (Kind::Address, Given::Text(text)) => {
                is_address(&text).map_err(|wrong| format!("expected {}: {wrong}", self.expected()))?;
                Ok(Setting::Address(text))
            }
            (Kind::Share, Given::Bool(false)) => Ok(Setting::Share(SingleFlight::Off)),
            (Kind::Share, Given::Text(text)) => match text.as_str() {
                "process" => Ok(Setting::Share(SingleFlight::Process)),
                "machine" | "fleet" if !cfg!(feature = "engines") => Err(format!(
                    "\"{text}\" needs the feature `engines` of the crate `memo`, or that of an engine"
                )),
                "machine" => Ok(Setting::Share(SingleFlight::Machine)),
                "fleet" => Ok(Setting::Share(SingleFlight::Fleet)),
                _ => Err(unfit(&Given::Text(text))),
            },
            (Kind::OnError, Given::Text(text)) => match text.as_str() {
                "one" => Ok(Setting::OnError(OnError::One)),
                "all" => Ok(Setting::OnError(OnError::All)),
                _ => Err(unfit(&Given::Text(text))),
            },
            (Kind::Engines | Kind::Fallback, Given::Text(name)) => self.engines(vec![name], strict),
            (Kind::Engines | Kind::Fallback, Given::List(names)) => {
                let text = |given| match given {
                    Given::Text(name) => Ok(name),
                    other => Err(unfit(&other)),
                };
                self.engines(names.into_iter().map(text).collect::<Result<_, _>>()?, strict)
            }
            (_, given) => Err(unfit(&given)),
        }
    }

    /// The engines of these names, or the word that stands for none: `"auto"`, `"none"`.
    fn engines(self, names: Vec<String>, strict: bool) -> Result<Setting, String> {
        let (word, setting): (_, fn(Vec<String>) -> Setting) = match self {
            Kind::Fallback => ("none", Setting::Fallback),
            _ => ("auto", Setting::Engines),
        };
        if names == [word] {
            return Ok(setting(Vec::new()));
        }
        if names.is_empty() {
            return Err(format!("an empty array names no engine: write \"{word}\" instead"));
        }
        for (place, name) in names.iter().enumerate() {
            if name == word {
                return Err(format!("\"{word}\" stands alone"));
            }
            if names[..place].contains(name) {
                return Err(format!("the engine \"{name}\" is named twice"));
            }
            if place > 0 && word == "auto" && (name == "memory" || name == "moka") {
                return Err(format!("memory is the nearest: write \"{name}\" first"));
            }
            is_engine(name, strict).map_err(|wrong| format!("\"{name}\": {wrong}"))?;
        }
        Ok(setting(names))
    }
}

fn below(place: Option<&Path>, path: &Path) -> std::path::PathBuf {
    place.map_or_else(|| path.to_owned(), |place| place.join(path))
}

/// Whether `text` begins as the address of a Redis does: enough to find what is no address, also where the engine that
/// reads the rest is not built in.
///
/// # Errors
///
/// What is wrong with it, without the text itself, which may hold a password.
fn is_address(text: &str) -> Result<(), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("it has no scheme".to_owned());
    };
    let (kind, way) = scheme.split_once('+').unwrap_or((scheme, ""));
    match (kind, way) {
        _ if rest.is_empty() => Err("nothing stands behind its scheme".to_owned()),
        ("redis" | "rediss" | "valkey" | "valkeys", "" | "cluster" | "sentinel") => Ok(()),
        ("redis" | "valkey", "unix") | ("unix", "") => Ok(()),
        _ => Err("its scheme is unknown".to_owned()),
    }
}

/// Whether there is, or may yet be, an engine called `name`.
///
/// # Errors
///
/// What is wrong with it.
fn is_engine(name: &str, strict: bool) -> Result<(), String> {
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((_, true)) => return Ok(()),
        Some((_, false)) if crate::far::named::is_registered(name) => return Ok(()),
        Some((_, false)) => {
            return Err(format!("this engine needs the feature `{name}` of the crate `memo`"));
        }
        None => {}
    }
    if crate::far::named::is_registered(name) {
        return Ok(());
    }
    // those that are built in are registered as they are first used
    let own =
        crate::far::named::names().into_iter().filter(|name| BUILT_IN.iter().all(|(known, _)| known != name));
    let own: Vec<_> = own.collect();
    let usable = BUILT_IN.iter().filter(|(_, usable)| *usable).map(|(name, _)| *name);
    let names = usable.chain(own.iter().map(String::as_str));
    if strict || nearest(name, names.clone()).is_some() {
        let slip = nearest(name, names.clone()).is_some();
        let own = if cfg!(feature = "engines") && !slip {
            "; register one of your own before `memo::init`"
        } else {
            ""
        };
        return Err(unknown("engine", name, names) + own);
    }
    Ok(())
}
