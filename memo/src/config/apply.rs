//! What a configuration means for one function.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::Loaded;
use super::problem::Origin;
use super::schema::FUNCTION;
use super::source::Placed;
use super::value::{Setting, show_patience};
use crate::memoized::Configured;
use crate::settings::Settings;
use crate::units::{duration, size};

impl Loaded {
    /// What sets an option of the function called `name`, by `author`; none if the author or nobody does.
    ///
    /// A section for functions goes over the attribute, and a higher source over a lower; within one source the pattern
    /// that says most. A default is for functions whose author has said nothing.
    pub(super) fn setting(&self, name: &str, author: &Settings, option: &str) -> Option<&Placed> {
        let sections = self.layers.iter().rev().flat_map(|layer| &layer.functions);
        sections
            .filter(|functions| functions.pattern.matches(name))
            .find_map(|functions| functions.options.get(option))
            .or_else(|| if says(author, option) { None } else { self.default(option) })
    }

    /// What functions go by that say nothing.
    pub(super) fn default(&self, option: &str) -> Option<&Placed> {
        self.layers.iter().rev().find_map(|layer| layer.defaults.get(option))
    }

    /// What the function called `name` is to go by.
    pub(super) fn settings<'a>(&self, name: &str, author: &'a Settings) -> Cow<'a, Settings> {
        self.used(name);
        let mut settings = Cow::Borrowed(author);
        for rule in FUNCTION {
            if let Some(placed) = self.setting(name, author, rule.name) {
                apply(settings.to_mut(), author, rule.name, &placed.setting);
            }
        }
        settings
    }

    /// Where the value of an option comes from.
    pub(super) fn origin(&self, name: &str, author: &Settings, option: &str) -> Origin {
        match self.setting(name, author, option) {
            Some(placed) => placed.origin.clone(),
            None if says(author, option) => Origin::Attribute,
            None => Origin::Default,
        }
    }
}

/// Whether the author of a function has said something about an option.
fn says(author: &Settings, option: &str) -> bool {
    match option {
        "engine" => author.engine.is_some(),
        "fallback" => author.fallback.is_some(),
        #[cfg(feature = "engines")]
        "persist" => author.hints.persist,
        #[cfg(feature = "engines")]
        "shared" => author.hints.shared,
        #[cfg(feature = "engines")]
        "large" => author.hints.large,
        "capacity" | "max_weight" => author.bounded,
        // a lifetime by the value is the author's word on lifetimes
        "ttl" => author.ttl.is_some() || author.ttl_of,
        "tti" => author.tti.is_some(),
        "cache_err" => author.error_ttl.is_some(),
        "single_flight" => author.single_flight.is_some(),
        "on_error" => author.on_error.is_some(),
        "patience" => author.patience.is_some(),
        _ => false,
    }
}

fn apply(settings: &mut Settings, author: &Settings, option: &str, setting: &Setting) {
    match (option, setting) {
        ("enabled", Setting::Switch(enabled)) => settings.enabled = *enabled,
        ("capacity", Setting::Bound(capacity)) => settings.capacity = *capacity,
        // who does not weigh has entries that weigh one each
        ("max_weight", Setting::Size(weight)) if author.max_weight.is_some() => {
            settings.max_weight = Some(*weight);
        }
        ("ttl", Setting::Lifetime(ttl)) => settings.ttl = *ttl,
        ("tti", Setting::Lifetime(tti)) => settings.tti = *tti,
        ("cache_err", Setting::Lifetime(ttl)) => settings.error_ttl = *ttl,
        ("single_flight", Setting::Share(share)) => settings.single_flight = Some(*share),
        ("on_error", Setting::OnError(on_error)) => settings.on_error = Some(*on_error),
        ("patience", Setting::Patience(patience)) => settings.patience = Some(*patience),
        ("engine", Setting::Engines(names)) => {
            settings.engine = (!names.is_empty()).then(|| owned(names));
        }
        ("fallback", Setting::Fallback(names)) => settings.fallback = Some(owned(names)),
        #[cfg(feature = "engines")]
        ("persist", Setting::Switch(hint)) => settings.hints.persist = *hint,
        #[cfg(feature = "engines")]
        ("shared", Setting::Switch(hint)) => settings.hints.shared = *hint,
        #[cfg(feature = "engines")]
        ("large", Setting::Switch(hint)) => settings.hints.large = *hint,
        ("large_over", Setting::Size(size)) => settings.large_over = *size,
        ("log_keys", Setting::Switch(shown)) => settings.log_keys = Some(*shown),
        _ => {}
    }
}

/// As settings have names of engines.
fn owned(names: &[String]) -> Vec<Cow<'static, str>> {
    names.iter().cloned().map(Cow::Owned).collect()
}

/// What a function goes by, option by option, as it would be written.
pub(crate) fn shown(settings: &Settings) -> Vec<(&'static str, String)> {
    FUNCTION.iter().map(|rule| (rule.name, show(settings, rule.name))).collect()
}

fn show(settings: &Settings, option: &str) -> String {
    let lifetime = |length: Option<Duration>| length.map_or_else(|| "none".to_owned(), duration);
    match option {
        "enabled" => settings.enabled.to_string(),
        "engine" => settings.engine.as_ref().map_or_else(|| "auto".to_owned(), |names| names.join(", ")),
        "fallback" => match settings.fallback.as_deref() {
            None => "memory".to_owned(),
            Some([]) => "none".to_owned(),
            Some(names) => names.join(", "),
        },
        #[cfg(feature = "engines")]
        "persist" => settings.hints.persist.to_string(),
        #[cfg(feature = "engines")]
        "shared" => settings.hints.shared.to_string(),
        #[cfg(feature = "engines")]
        "large" => settings.hints.large.to_string(),
        #[cfg(not(feature = "engines"))]
        "persist" | "shared" | "large" => false.to_string(),
        "large_over" => size(settings.large_over),
        "capacity" => settings.capacity.map_or_else(|| "unbounded".to_owned(), |count| count.to_string()),
        "max_weight" => settings.max_weight.map_or_else(|| "none".to_owned(), size),
        "ttl" => lifetime(settings.ttl),
        "tti" => lifetime(settings.tti),
        "cache_err" => lifetime(settings.error_ttl),
        "log_keys" => settings.log_keys.unwrap_or_else(crate::trace::are_shown).to_string(),
        "single_flight" => settings.single_flight.unwrap_or_default().to_string(),
        "on_error" => settings.on_error.unwrap_or_default().to_string(),
        "patience" => show_patience(settings.patient_for()),
        _ => String::new(),
    }
}

/// One thing that has changed by [`reload`](crate::reload), or will at the next start. It prints as
/// `app::rate: ttl: 1h -> 30s (memo.toml:4)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub(super) subject: String,
    pub(super) option: &'static str,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) origin: Origin,
    pub(super) applied: bool,
}

impl Change {
    /// The function, by its name, or the engine, as `engines.disk`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The option.
    pub fn option(&self) -> &'static str {
        self.option
    }

    /// What it was, as it would be written.
    pub fn before(&self) -> &str {
        &self.old
    }

    /// What it is to be.
    pub fn after(&self) -> &str {
        &self.new
    }

    /// Where the new value comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it holds now. Some things cannot change while they are used, and hold from the next start.
    pub fn is_applied(&self) -> bool {
        self.applied
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { subject, option, old, new, origin, applied } = self;
        write!(f, "{subject}: {option}: {old} -> {new}")?;
        // of an engine nobody may know more than that it has its default
        if (origin, new.as_str()) != (&Origin::Default, "default") {
            write!(f, " ({origin})")?;
        }
        if *applied { Ok(()) } else { f.write_str(", from the next start") }
    }
}

/// Has `function` go by what is configured now; what has changed by that.
pub(crate) fn reconfigure(function: &'static dyn Configured) -> Vec<Change> {
    let (name, author) = (function.name(), function.author());
    let first = shown(function.settings());
    loop {
        let loaded = super::current();
        let pending = loaded.reconfigure(function);
        // another reload may have come in between, and been overtaken
        if super::generation() != loaded.generation {
            continue;
        }
        let now = shown(function.settings());
        let change = |((option, old), (_, new)): ((&'static str, String), (_, String)), applied| Change {
            origin: loaded.origin(name, author, option),
            subject: name.to_owned(),
            option,
            old,
            new,
            applied,
        };
        let applied = first.into_iter().zip(now.clone()).filter(|((_, old), (_, new))| old != new);
        let pending = now.into_iter().zip(pending).filter(|((_, old), (_, new))| old != new);
        return applied
            .map(|pair| change(pair, true))
            .chain(pending.map(|pair| change(pair, false)))
            .collect();
    }
}

impl Loaded {
    /// What it was to go by.
    fn reconfigure(&self, function: &'static dyn Configured) -> Vec<(&'static str, String)> {
        let old = function.settings();
        let mut new = self.settings(function.name(), function.author()).into_owned();
        let wanted = shown(&new);
        if wanted == shown(old) {
            return wanted;
        }
        // a store is of one kind for good
        if !function.is_possible(&new) {
            (new.engine, new.fallback) = (old.engine.clone(), old.fallback.clone());
        }
        let limits = |settings: &Settings| (settings.capacity, settings.max_weight, settings.tti);
        if limits(&new) != limits(old) && !function.resize(&new) {
            (new.capacity, new.max_weight, new.tti) = limits(old);
        }
        let (closes, near) = (old.enabled && !new.enabled, function.uses_memory());
        let shorter = |old: Option<Duration>, new: Option<Duration>| {
            new.is_some_and(|new| old.is_none_or(|old| new < old))
        };
        let outlives = shorter(old.ttl, new.ttl) || shorter(old.error_ttl, new.error_ttl);
        function.go_by(new);
        // after it goes by the new ones, so that nothing more comes by the old
        if closes || outlives || (near && !function.uses_memory()) {
            function.empty();
        }
        wanted
    }
}
