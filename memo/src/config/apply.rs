//! What a configuration means for one function.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Loaded;
use super::problem::Origin;
use super::schema::FUNCTION;
use super::source::Placed;
use super::value::{Setting, duration, size};
use crate::function::Settings;
use crate::near::Kind;

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
        "engine" => author.engine.is_some() || !author.far.is_empty(),
        "capacity" | "max_weight" => author.bounded,
        // a lifetime by the value is the author's word on lifetimes
        "ttl" => author.ttl.is_some() || author.ttl_of,
        "tti" => author.tti.is_some(),
        "cache_err" => author.error_ttl.is_some(),
        "single_flight" => !author.single_flight,
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
        ("single_flight", Setting::Share(share)) => settings.single_flight = *share,
        ("engine", Setting::Engines(names)) => engine(settings, names),
        _ => {}
    }
}

/// Has results live in the engines of these `names`, nearest first; none is as if no engine were named.
fn engine(settings: &mut Settings, names: &[String]) {
    let near = match names.first().map(String::as_str) {
        None => Some((Kind::Memory, None)),
        Some("memory") => Some((Kind::Memory, Some("memory"))),
        #[cfg(feature = "moka")]
        Some("moka") => Some((Kind::Moka, Some("moka"))),
        Some(_) => None,
    };
    let far = &names[usize::from(near.is_some() && !names.is_empty())..];
    settings.near = near.is_some();
    (settings.kind, settings.engine) = near.unwrap_or((Kind::Memory, None));
    settings.far = far.iter().map(|name| interned(name)).collect();
}

/// The name for good. There are as many as there are engines.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name = String::from(name).leak();
    names.insert(name);
    name
}

/// What a function goes by, option by option, as it would be written.
pub(crate) fn shown(settings: &Settings) -> Vec<(&'static str, String)> {
    FUNCTION.iter().map(|rule| (rule.name, show(settings, rule.name))).collect()
}

fn show(settings: &Settings, option: &str) -> String {
    let lifetime = |length: Option<Duration>| length.map_or_else(|| "none".to_owned(), duration);
    match option {
        "enabled" => settings.enabled.to_string(),
        "engine" => {
            let near = settings.engine.or(settings.near.then_some("memory"));
            match (near, &settings.far[..]) {
                (_, []) => settings.engine.unwrap_or("auto").to_owned(),
                (near, far) => near.into_iter().chain(far.iter().copied()).collect::<Vec<_>>().join(", "),
            }
        }
        "capacity" => settings.capacity.map_or_else(|| "unbounded".to_owned(), |count| count.to_string()),
        "max_weight" => settings.max_weight.map_or_else(|| "none".to_owned(), size),
        "ttl" => lifetime(settings.ttl),
        "tti" => lifetime(settings.tti),
        "cache_err" => lifetime(settings.error_ttl),
        "single_flight" => if settings.single_flight { "process" } else { "false" }.to_owned(),
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
        write!(f, "{subject}: {option}: {old} -> {new} ({origin})")?;
        if *applied { Ok(()) } else { f.write_str(", from the next start") }
    }
}

/// A function that has run, as a reload sees it.
pub(crate) trait Configured {
    /// What it goes by.
    fn goes_by(&self) -> &Settings;
    /// Goes by these from now on.
    fn go_by(&self, settings: Settings);
    /// Holds its memory to the limits of these; whether it can.
    fn resize(&self, settings: &Settings) -> bool;
    /// Drops what is in memory, and what is being computed is not stored.
    fn empty(&self);
}

/// Has the function called `name`, by `author`, go by what is configured now; what has changed by that.
pub(crate) fn reconfigure(name: &str, author: &Settings, function: &impl Configured) -> Vec<Change> {
    let first = shown(function.goes_by());
    loop {
        let loaded = super::current();
        let pending = loaded.reconfigure(name, author, function);
        // another reload may have come in between, and been overtaken
        if super::generation() != loaded.generation {
            continue;
        }
        let now = shown(function.goes_by());
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
    fn reconfigure(
        &self,
        name: &str,
        author: &Settings,
        function: &impl Configured,
    ) -> Vec<(&'static str, String)> {
        let old = function.goes_by();
        let mut new = self.settings(name, author).into_owned();
        let wanted = shown(&new);
        // a store is of one kind for good
        if new.kind != old.kind {
            (new.kind, new.engine) = (old.kind, old.engine);
        }
        let limits = |settings: &Settings| (settings.capacity, settings.max_weight, settings.tti);
        if limits(&new) != limits(old) && !function.resize(&new) {
            (new.capacity, new.max_weight, new.tti) = limits(old);
        }
        let closes = (old.enabled && !new.enabled) || (old.near && !new.near);
        let shorter = |old: Option<Duration>, new: Option<Duration>| {
            new.is_some_and(|new| old.is_none_or(|old| new < old))
        };
        let empties = closes || shorter(old.ttl, new.ttl) || shorter(old.error_ttl, new.error_ttl);
        function.go_by(new);
        // after it goes by the new ones, so that nothing more comes by the old
        if empties {
            function.empty();
        }
        wanted
    }
}
