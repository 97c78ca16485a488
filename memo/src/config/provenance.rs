//! Each value and where it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

use memo_text::nearest;

use super::layer::{Functions, SectionName, Sourced};
use super::loaded::Loaded;
use super::options::{OptionValue, values};
use super::problem::{Origin, Problem};
use super::process::PROCESS;
use super::schema::{self, Rule, engine};
use super::state::current;
use crate::registry;
use crate::settings::Settings;

/// What is configured, from [`config()`](crate::config()): each value and where it comes from. It prints as a table.
#[derive(Debug, Clone)]
pub struct Configuration {
    rows: Vec<Row>,
    unused: Vec<Problem>,
    without_effect: Vec<Problem>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    key: String,
    value: String,
    origin: Origin,
}

impl Row {
    /// What it is a value of: `defaults.capacity`, `engines.disk.path`, `functions."app::*".ttl`; or an option of a
    /// function that has run: `app::rates::usd ttl`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value, as it would be written; a password is not shown.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// Each value that is configured and where it comes from: those of the defaults, of engines and of patterns for
/// functions, and what each function that has run goes by.
///
/// ```
/// #[memo::memoize(name = "squares", ttl = "5m")]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// square(4);
/// let config = memo::config();
/// println!("{config}");
/// let ttl = config.get("squares ttl").unwrap();
/// assert_eq!((ttl.value(), ttl.origin()), ("5m", &memo::config::Origin::Attribute));
/// ```
pub fn config() -> Configuration {
    let loaded = current();
    let mut rows = Vec::new();
    for OptionValue { name, value, .. } in values(&Settings::new()) {
        let (value, origin) = match loaded.default(name) {
            Some(sourced) => (sourced.setting.to_string(), sourced.origin.clone()),
            None => (value.to_string(), Origin::Default),
        };
        rows.push(Row { key: SectionName::Defaults.key(name), value, origin });
    }
    for option in PROCESS {
        let (value, origin) = loaded.of_process(option);
        rows.push(Row { key: SectionName::Defaults.key(option.rule.name), value: value.to_string(), origin });
    }
    for name in engines(&loaded) {
        let set = engine(&name).filter_map(|rule| Some((rule, loaded.engine(&name, rule.name)?)));
        rows.extend(set.map(|(rule, sourced)| row(&SectionName::Engine(name.clone()), rule.name, sourced)));
    }
    for (pattern, sections) in patterns(&loaded) {
        let section = SectionName::Function(pattern.to_owned());
        let highest = |rule: &Rule| sections.iter().find_map(|functions| functions.options.get(rule.name));
        let set = schema::function().into_iter().filter_map(|rule| Some((rule, highest(&rule)?)));
        rows.extend(set.map(|(rule, sourced)| row(&section, rule.name, sourced)));
    }
    let mut functions = registry::all();
    functions.sort_by(|a, b| a.name().cmp(b.name()));
    functions.dedup_by(|a, b| a.name() == b.name());
    let mut without_effect = Vec::new();
    for memo in &functions {
        let memo = memo.configured();
        without_effect.extend(loaded.without_effect(memo.name(), memo.settings()));
        let options = values(memo.settings()).into_iter().zip(values(memo.author()));
        rows.extend(options.map(|(OptionValue { name, value, .. }, author)| Row {
            key: format!("{} {name}", memo.name()),
            value: value.to_string(),
            origin: loaded.origin(memo.name(), &author),
        }));
    }
    let names: Vec<_> = functions.iter().map(|memo| memo.name()).collect();
    Configuration { rows, unused: loaded.unused(&names), without_effect }
}

fn row(section: &SectionName, option: &str, sourced: &Sourced) -> Row {
    Row { key: section.key(option), value: sourced.setting.to_string(), origin: sourced.origin.clone() }
}

/// The engines that a source says something about.
fn engines(loaded: &Loaded) -> Vec<String> {
    let mut names: Vec<_> = loaded.layers.iter().flat_map(|layer| layer.engines.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

/// All patterns, each with its sections, that of the highest source first.
fn patterns(loaded: &Loaded) -> BTreeMap<&str, Vec<&Functions>> {
    let mut patterns: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for functions in loaded.layers.iter().rev().flat_map(|layer| &layer.functions) {
        patterns.entry(functions.pattern.as_str()).or_default().push(functions);
    }
    patterns
}

impl Loaded {
    /// The patterns that no function has matched, where functions of these `names` have run.
    fn unused(&self, names: &[&str]) -> Vec<Problem> {
        let functions = self.layers.iter().flat_map(|layer| &layer.functions);
        let unused = functions.filter(|functions| !functions.used.load(Ordering::Relaxed));
        unused
            .map(|functions| {
                let pattern = functions.pattern.as_str();
                // most often it is the path that is missing
                let short = |name: &&&str| name.rsplit("::").next() == Some(pattern);
                let meant =
                    names.iter().find(short).copied().or_else(|| nearest(pattern, names.iter().copied()));
                let advice = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
                Problem {
                    origin: functions
                        .options
                        .values()
                        .next()
                        .map_or(Origin::Default, |sourced| sourced.origin.clone()),
                    key: format!("functions.{pattern:?}"),
                    message: format!("no function that has run has such a name{advice}"),
                }
            })
            .collect()
    }
}

impl Configuration {
    /// Each value.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.iter()
    }

    /// The value with this [`key`](Row::key).
    pub fn get(&self, key: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// The patterns for functions that match none that has run so far. Worth a look once a program has done its work: it
    /// may be a slip of the pen.
    pub fn unused_patterns(&self) -> &[Problem] {
        &self.unused
    }

    /// The options that sections set for functions that have run, where they have no effect: for example `stale`, where results
    /// have no lifetime.
    pub fn without_effect(&self) -> &[Problem] {
        &self.without_effect
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |cell: fn(&Row) -> &str| self.rows.iter().map(|row| cell(row).chars().count()).max();
        let (key, value) = (width(Row::key).unwrap_or(0), width(Row::value).unwrap_or(0));
        for row in &self.rows {
            writeln!(f, "{:<key$}  {:<value$}  {}", row.key, row.value, row.origin)?;
        }
        self.unused.iter().chain(&self.without_effect).try_for_each(|problem| writeln!(f, "{problem}"))
    }
}
