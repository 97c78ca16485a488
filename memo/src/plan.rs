//! Where the results of a function live, and why.
//!
//! Somebody asks for engines: the author in the attribute, the configuration, or the strategy. [`Route::of`] makes of
//! that what can be had, says what was left out and why, and adds the bounds that hold.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::near::Kind;
use crate::settings::Settings;

/// Where the results of a function live, nearest first, and why. It prints as one line.
///
/// The companion's `plan()` gives it, also before the function is first called.
///
/// ```
/// #[memo::memoize(ttl = "5m")]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let plan = square::plan();
/// assert_eq!(plan.engines(), ["memory"]);
/// assert!(plan.to_string().ends_with("at most 10000 entries; each lives 5m"));
/// ```
///
/// A strategy makes one with [`Plan::on`]: what it asks for. What becomes of it, once what cannot be had is left out,
/// is what `plan()` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    engines: Vec<String>,
    /// None until it is decided.
    fallback: Option<Vec<String>>,
    reasons: Vec<String>,
}

/// One name of an engine, or several, nearest first: `"disk"`, `["memory", "disk"]`.
pub trait EngineNames {
    /// The names, in order.
    fn into_names(self) -> Vec<String>;
}

impl EngineNames for &str {
    fn into_names(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}
impl EngineNames for String {
    fn into_names(self) -> Vec<String> {
        vec![self]
    }
}
impl<S: Into<String>, const N: usize> EngineNames for [S; N] {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}
impl<S: Into<String>> EngineNames for Vec<S> {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}
impl<S: Clone + Into<String>> EngineNames for &[S] {
    fn into_names(self) -> Vec<String> {
        self.iter().cloned().map(Into::into).collect()
    }
}

impl Plan {
    /// Results in these engines, nearest first: `Plan::on("disk")`, `Plan::on(["memory", "disk"])`.
    pub fn on(engines: impl EngineNames) -> Self {
        Plan { engines: engines.into_names(), fallback: None, reasons: Vec::new() }
    }

    /// With engines that stand in, in this order, while those that outlive the process are unavailable. It is
    /// `"memory"` unless this is said; with none at all, calls compute meanwhile and nothing is kept.
    #[must_use]
    pub fn fallback(mut self, engines: impl EngineNames) -> Self {
        self.fallback = Some(engines.into_names());
        self
    }

    /// With one more reason for it, to be read by people: what comes after "because".
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reasons.push(reason.into());
        self
    }

    /// The names of the engines, nearest first. None where nothing is kept.
    pub fn engines(&self) -> &[String] {
        &self.engines
    }

    /// The names of those that stand in, in order, while engines that outlive the process are unavailable.
    pub fn fallbacks(&self) -> &[String] {
        self.fallback.as_deref().unwrap_or_default()
    }

    /// Why these, and within which bounds: sentences for people.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(String::as_str)
    }

    /// What is said where nobody asks for anything.
    pub(crate) fn nearest() -> Self {
        Plan::on("memory").because("no engine is asked for, and memory is the nearest")
    }

    /// What the author, or the configuration, asks for.
    fn asked(engines: &[Cow<'static, str>]) -> Self {
        let quoted: Vec<_> = engines.iter().map(|engine| format!("\"{engine}\"")).collect();
        let asked = match &quoted[..] {
            [one] => format!("`engine = {one}` is asked for"),
            several => format!("`engine = [{}]` is asked for", several.join(", ")),
        };
        Plan::on(engines.to_vec()).because(asked)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.engines[..] {
            [] => f.write_str("Results are not kept")?,
            engines => {
                let places: Vec<_> = engines.iter().map(|engine| place(engine)).collect();
                write!(f, "Results live {}", places.join(", then "))?;
            }
        }
        let mut separator = ": ";
        for reason in &self.reasons {
            write!(f, "{separator}{reason}")?;
            separator = "; ";
        }
        Ok(())
    }
}

/// Where an engine of this name keeps things.
fn place(engine: &str) -> String {
    match engine {
        "memory" => "in memory".to_owned(),
        "moka" => "in memory (moka)".to_owned(),
        "thread" => "in a table of each thread's own".to_owned(),
        "disk" => "on disk".to_owned(),
        "redis" => "in redis".to_owned(),
        own => format!("in \"{own}\""),
    }
}

/// The engine as what a sentence is about.
fn subject(engine: &str) -> String {
    match engine {
        "memory" | "moka" | "thread" | "redis" => engine.to_owned(),
        "disk" => "the disk".to_owned(),
        own => format!("\"{own}\""),
    }
}

/// What a function does with its results: a plan as the call path needs it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) plan: Plan,
    /// The store in memory.
    pub(crate) kind: Kind,
    /// Whether results are kept in memory.
    pub(crate) near: bool,
    /// Whether they are while the engines that outlive the process fail.
    pub(crate) standby: bool,
    /// Engines that outlive the process, nearest first.
    pub(crate) far: Vec<String>,
    /// Those that stand in for the last of them.
    pub(crate) stand_ins: Vec<String>,
    /// What was asked for by a name that nobody has registered.
    pub(crate) missing: Vec<String>,
    /// Why nothing can leave the process, where something was to.
    #[cfg(feature = "engines")]
    pub(crate) lacks: Option<String>,
    /// The same, where the function has no name that lasts, which its author is to be told.
    #[cfg(feature = "engines")]
    pub(crate) unnamed: Option<crate::far::Unnamed>,
}

/// What a name of an engine stands for.
enum Named {
    Near(Kind),
    /// For functions only whose attribute says so.
    Thread,
    Far,
    Missing,
    Featureless(&'static str),
}

fn named(engine: &str) -> Named {
    match engine {
        "memory" => Named::Near(Kind::Memory),
        #[cfg(feature = "moka")]
        "moka" => Named::Near(Kind::Moka),
        "thread" => Named::Thread,
        far if crate::far::is_registered(far) => Named::Far,
        #[cfg(not(feature = "moka"))]
        "moka" => Named::Featureless("moka"),
        // with their features they are registered
        "disk" => Named::Featureless("disk"),
        "redis" => Named::Featureless("redis"),
        _ => Named::Missing,
    }
}

/// Whether there is an engine of this name, or would be with another cargo feature.
pub(crate) fn is_known(engine: &str) -> bool {
    !matches!(named(engine), Named::Missing)
}

/// Engines by what they are, as far as they can be had.
#[derive(Default)]
struct Had {
    near: Option<Kind>,
    far: Vec<String>,
    missing: Vec<String>,
    lacks: Option<String>,
    reasons: Vec<String>,
}

impl Had {
    /// `lacks` says why nothing can leave the process, where that is so.
    fn of(names: &[String], lacks: Option<&str>) -> Self {
        let mut had = Had::default();
        for name in names {
            let left_out = match named(name) {
                Named::Near(kind) if had.near.is_none() => {
                    had.near = Some(kind);
                    continue;
                }
                Named::Near(_) => format!("one engine in memory is enough, so {} is left out", subject(name)),
                Named::Far if had.far.contains(name) => continue,
                Named::Far => match lacks {
                    None => {
                        had.far.push(name.clone());
                        continue;
                    }
                    Some(lacks) => {
                        had.lacks = Some(lacks.to_owned());
                        format!("{lacks}, so {} is left out", subject(name))
                    }
                },
                Named::Thread => {
                    "thread is for functions whose attribute says `engine = \"thread\"`, so it is left out"
                        .to_owned()
                }
                Named::Featureless(feature) => {
                    format!("{} needs the cargo feature `{feature}`, so it is left out", subject(name))
                }
                Named::Missing => {
                    had.missing.push(name.clone());
                    format!("{} is not registered, so it is left out", subject(name))
                }
            };
            had.reasons.push(left_out);
        }
        had
    }
}

impl Route {
    /// What becomes of what is asked for. `auto` says what is, where the settings name no engine; `lacks` why results
    /// cannot leave the process, where they cannot.
    pub(crate) fn of(settings: &Settings, auto: impl FnOnce() -> Plan, lacks: Option<&str>) -> Self {
        if settings.on_thread {
            return Route::on_thread(settings);
        }
        let wish = settings.engine.as_deref().map_or_else(auto, Plan::asked);
        let mut had = Had::of(&wish.engines, lacks);
        let mut reasons = wish.reasons;
        let said = settings.fallback.as_ref();
        let fallback = said.map(|names| names.iter().map(|name| name.to_string()).collect());
        let fallback = fallback.or(wish.fallback).unwrap_or_else(|| vec!["memory".to_owned()]);
        let mut stand_ins = Had::of(&fallback, lacks);
        reasons.append(&mut had.reasons);
        // what is a tier already stands in by being there
        stand_ins.far.retain(|name| !had.far.contains(name));

        let kind = had.near.or(stand_ins.near).unwrap_or(Kind::Memory);
        let nothing_far = had.far.is_empty();
        if nothing_far {
            // whatever was to stand in does so for good
            had.far = std::mem::take(&mut stand_ins.far);
        }
        let standby = stand_ins.near.is_some();
        let near = had.near.is_some() || (had.far.is_empty() && standby);
        if !had.far.is_empty() {
            reasons.append(&mut stand_ins.reasons);
        }
        had.missing.append(&mut stand_ins.missing);

        let names = near.then_some(name(kind)).into_iter().map(str::to_owned);
        let route = Route {
            plan: Plan {
                engines: names.chain(had.far.iter().cloned()).collect(),
                fallback: Some(if had.far.is_empty() {
                    Vec::new()
                } else {
                    let near = standby.then(|| name(kind).to_owned());
                    stand_ins.far.iter().cloned().chain(near).collect()
                }),
                reasons,
            },
            kind,
            near,
            standby: standby && !had.far.is_empty(),
            far: had.far,
            stand_ins: stand_ins.far,
            missing: had.missing,
            #[cfg(feature = "engines")]
            lacks: had.lacks.or(stand_ins.lacks),
            #[cfg(feature = "engines")]
            unnamed: None,
        };
        route.with_bounds(settings)
    }

    /// That of a function whose results stay on the thread that computed them: they may be such that nothing else can
    /// have them.
    fn on_thread(settings: &Settings) -> Self {
        let mut plan = Plan::on("thread").because("`engine = \"thread\"` is asked for");
        let others = settings.engine.iter().chain(&settings.fallback).flatten();
        for other in others.filter(|other| **other != "thread") {
            let what = subject(other);
            plan = plan.because(format!("results stay on their thread, so {what} is left out"));
        }
        plan.fallback = Some(Vec::new());
        let route = Route {
            plan,
            kind: Kind::Thread,
            near: true,
            standby: false,
            far: Vec::new(),
            stand_ins: Vec::new(),
            missing: Vec::new(),
            #[cfg(feature = "engines")]
            lacks: None,
            #[cfg(feature = "engines")]
            unnamed: None,
        };
        route.with_bounds(settings)
    }

    fn with_bounds(mut self, settings: &Settings) -> Self {
        let bound = match (settings.capacity, settings.max_weight) {
            (_, Some(weight)) => format!("entries that weigh at most {weight} together"),
            (Some(1), _) => "at most 1 entry".to_owned(),
            (Some(capacity), _) => format!("at most {capacity} entries"),
            (None, None) => "any number of entries".to_owned(),
        };
        let reasons = &mut self.plan.reasons;
        reasons.extend(crate::far::flight_reason(settings, &self.far));
        let tiers = self.near && !self.far.is_empty();
        if tiers {
            reasons.push(format!("{} holds {bound}", name(self.kind)));
        } else if self.kind == Kind::Thread {
            reasons.push(format!("each table holds {bound}"));
        } else if self.near {
            reasons.push(bound.clone());
        }
        if self.near || !self.far.is_empty() {
            let lifetimes = [
                settings.ttl.map(|ttl| format!("each lives {}", show(ttl))),
                settings.ttl_of.then(|| "each lives as long as its value says".to_owned()),
                settings.error_ttl.map(|ttl| format!("an error lives {}", show(ttl))),
                settings.tti.map(|tti| format!("one that is not read for {} goes", show(tti))),
            ];
            reasons.extend(lifetimes.into_iter().flatten());
        }
        if let Some(last) = self.far.last() {
            if tiers && settings.large_over != u64::MAX {
                let size = bytes(settings.large_over);
                reasons.push(format!("a result over {size} is kept outside of memory only"));
            }
            let all: Vec<_> = self.far.iter().map(|engine| subject(engine)).collect();
            let are = if all.len() == 1 { "is" } else { "are" };
            let away = format!("while {} {are} unavailable", all.join(" and "));
            if !self.stand_ins.is_empty() {
                let last = subject(last);
                let stand_ins: Vec<_> = self.stand_ins.iter().map(|engine| subject(engine)).collect();
                let stand_ins = stand_ins.join(", then ");
                reasons.push(format!("while {last} is unavailable, {stand_ins} stands in"));
            }
            let away = if self.stand_ins.is_empty() { away } else { "should that fail too".to_owned() };
            reasons.push(match (self.near, self.standby) {
                (true, _) => format!("{away}, {} serves alone", name(self.kind)),
                (false, true) => format!("{away}, {} serves, with {bound}", name(self.kind)),
                (false, false) => format!("{away}, each call computes and nothing is kept"),
            });
        }
        self
    }

    /// Says to the author of a function called `function` what it does without.
    pub(crate) fn say_missing(&self, function: &str) {
        #[cfg(feature = "engines")]
        if let Some(unnamed) = &self.unnamed {
            crate::far::say_unnamed(function, unnamed);
        }
        for engine in &self.missing {
            crate::warn::warn(&format!(
                "`{function}` is to use the engine \"{engine}\", which is not registered, and does without it; call \
                 `memo::engines().register(\"{engine}\", ..)` before the function is first called"
            ));
        }
    }

    /// The plan as it stands now, where these engines cannot be reached.
    #[cfg(feature = "engines")]
    pub(crate) fn now(&self, away: &[&str], read_only: &[&str]) -> Plan {
        let away = away.iter().map(|engine| format!("{} is unavailable just now", subject(engine)));
        let read_only = read_only.iter().map(|engine| {
            format!("{} cannot be written just now: what it has is found, nothing is added", subject(engine))
        });
        away.chain(read_only).fold(self.plan.clone(), Plan::because)
    }
}

/// What the kind of near store is called.
pub(crate) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Memory => "memory",
        #[cfg(feature = "moka")]
        Kind::Moka => "moka",
        Kind::Thread => "thread",
    }
}

/// A duration as one would write it in an option: `1h30m`.
pub(crate) fn show(duration: Duration) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut left = duration.as_nanos();
    let mut text = String::new();
    for (unit, length) in UNITS {
        if left >= length {
            text += &format!("{}{unit}", left / length);
            left %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A size as one would write it in an option: `1MiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, length)| size >= *length && size.is_multiple_of(*length));
    unit.map_or_else(|| format!("{size}B"), |(unit, length)| format!("{}{unit}", size / length))
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_as_a_sentence() {
        let settings = Settings::new().ttl(Duration::from_secs(300));
        assert_eq!(
            Route::of(&settings, Plan::nearest, None).plan.to_string(),
            "Results live in memory: no engine is asked for, and memory is the nearest; at most 10000 entries; \
             each lives 5m"
        );
    }

    #[test]
    fn durations_and_sizes_read_as_they_are_written_in_options() {
        for (millis, text) in
            [(0, "0s"), (1, "1ms"), (90_000, "1m30s"), (86_400_000, "1d"), (3_600_001, "1h1ms")]
        {
            assert_eq!(show(Duration::from_millis(millis)), text);
        }
        for (size, text) in
            [(0, "0B"), (1000, "1000B"), (1 << 20, "1MiB"), (3 << 9, "1536B"), (3 << 30, "3GiB")]
        {
            assert_eq!(bytes(size), text);
        }
    }
}
