//! From files, environment variables and code to layers of settings, each with where it comes from.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::Kind;
use super::lines::Lines;
use super::problem::{Origin, Problem, unknown};
use super::registered::is_registered;
use super::schema::{self, Rule, SECTIONS};
use super::slip;
use super::trust::{self, Refused};
use super::value::{Given, Setting};
use crate::pattern::Pattern;

/// An option that is set, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) setting: Setting,
    pub(super) origin: Origin,
}

/// Options by name.
pub(super) type Section = BTreeMap<&'static str, Placed>;

/// What one source says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) defaults: Section,
    pub(super) engines: BTreeMap<String, Section>,
    /// The ones that say most first; of those that say as much, the later.
    pub(super) functions: Vec<Functions>,
}

/// A section for functions.
#[derive(Debug)]
pub(super) struct Functions {
    pub(super) pattern: Pattern,
    pub(super) options: Section,
    /// Whether a function that has run matches.
    pub(super) used: AtomicBool,
}

/// Where in a configuration an option stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Defaults,
    Engine(String),
    Function(String),
}

impl Place {
    pub(super) fn key(&self, option: &str) -> String {
        match self {
            Place::Defaults => format!("defaults.{option}"),
            Place::Engine(name) => format!("engines.{name}.{option}"),
            Place::Function(pattern) => format!("functions.{pattern:?}.{option}"),
        }
    }
}

/// Reads sources into a layer.
pub(super) struct Reader<'a> {
    pub(super) problems: &'a mut Vec<Problem>,
    /// See [`Kind::check`].
    pub(super) strict: bool,
    /// Where relative paths start.
    pub(super) place: Option<PathBuf>,
    pub(super) layer: Layer,
    /// Where among its functions each pattern stands.
    patterns: HashMap<String, usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(problems: &'a mut Vec<Problem>, strict: bool) -> Self {
        Reader { problems, strict, place: None, layer: Layer::default(), patterns: HashMap::new() }
    }

    pub(super) fn finish(mut self) -> Layer {
        self.layer.functions.reverse();
        self.layer.functions.sort_by(|a, b| b.pattern.specificity(&a.pattern));
        self.layer
    }

    fn wrong(&mut self, origin: Origin, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { origin, key: key.into(), message: message.into() });
    }

    /// Sets the option called `name` of a place that may not be there.
    pub(super) fn option(
        &mut self,
        place: &Place,
        name: &str,
        origin: Origin,
        given: impl FnOnce(Kind) -> Given,
    ) {
        let there = match place {
            Place::Engine(engine) => self.is_engine(engine, &origin),
            Place::Defaults | Place::Function(_) => true,
        };
        if there {
            self.set(place, name, origin, given);
        }
    }

    /// Sets the option called `name`; `given` makes its value when it is known what it takes.
    fn set(&mut self, place: &Place, name: &str, origin: Origin, given: impl FnOnce(Kind) -> Given) {
        let Some(rule) = self.rule(place, name, &origin) else { return };
        match rule.kind.check(given(rule.kind), self.place.as_deref(), self.strict) {
            Err(message) => self.wrong(origin, place.key(name), message),
            Ok(setting) => {
                self.section(place).insert(rule.name, Placed { setting, origin });
            }
        }
    }

    fn rule(&mut self, place: &Place, name: &str, origin: &Origin) -> Option<Rule> {
        let known: Vec<_> = match place {
            Place::Engine(engine) => schema::engine(engine).copied().collect(),
            Place::Defaults | Place::Function(_) => schema::function(),
        };
        let rule = known.iter().find(|rule| rule.name == name).copied();
        if rule.is_none() {
            let is_of_functions = !matches!(place, Place::Engine(_));
            let message = match is_of_functions && schema::is_about_the_code(name) {
                true => format!("this is about the code: write `#[memoize({name} = ..)]` there"),
                false => unknown("option", name, known.iter().map(|rule| rule.name)),
            };
            self.wrong(origin.clone(), place.key(name), message);
        }
        rule
    }

    fn section(&mut self, place: &Place) -> &mut Section {
        match place {
            Place::Defaults => &mut self.layer.defaults,
            Place::Engine(name) => self.layer.engines.entry(name.clone()).or_default(),
            Place::Function(pattern) => {
                let functions = &mut self.layer.functions;
                // one file may have many thousands
                let place = self.patterns.get(pattern).copied().unwrap_or_else(|| {
                    functions.push(Functions {
                        pattern: Pattern::new(pattern),
                        options: Section::new(),
                        used: AtomicBool::new(false),
                    });
                    self.patterns.insert(pattern.clone(), functions.len() - 1);
                    functions.len() - 1
                });
                &mut functions[place].options
            }
        }
    }

    /// Whether there is an engine called `name` to say something about.
    fn is_engine(&mut self, name: &str, origin: &Origin) -> bool {
        if schema::ENGINES.iter().any(|(known, _)| *known == name) {
            return true;
        }
        let message = match name {
            "memory" | "moka" | "auto" => {
                "this engine has no options: capacity and lifetimes are set for functions".to_owned()
            }
            name if is_registered(name) => "an engine of the program's own has no options here".to_owned(),
            name => unknown("engine", name, schema::ENGINES.iter().map(|(known, _)| *known)),
        };
        self.wrong(origin.clone(), format!("engines.{name}"), message);
        false
    }

    /// A file that must be there, or need not.
    pub(super) fn file(&mut self, path: &Path, required: bool) {
        let whole = Origin::File { path: path.to_owned(), line: 0 };
        match trust::read(path) {
            Ok(text) => {
                self.place = path.parent().map(Path::to_owned);
                self.text(&text, |line| Origin::File { path: path.to_owned(), line });
                self.place = None;
            }
            Err(Refused::Missing) if required => {
                self.wrong(whole, "", "the file cannot be read: there is none");
            }
            Err(Refused::Missing) => {}
            Err(Refused::Wrong(message)) => self.wrong(whole, "", message),
        }
    }

    /// A whole configuration as TOML.
    pub(super) fn text(&mut self, text: &str, origin: impl Fn(usize) -> Origin) {
        let lines = Lines::of(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // what a parser makes of the rest may be far from what was meant
            for error in errors {
                let at = error.span().map_or(0, |span| span.start.min(text.len()));
                let message = format!("this is not TOML: {}", explain(&error, text));
                self.wrong(origin(lines.line(at)), "", message);
            }
            return;
        }
        self.sections(table.into_inner(), &|offset| origin(lines.line(offset)));
    }

    fn sections(&mut self, table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (key, at, value) in in_order(table) {
            let origin_of_key = origin(at);
            if !SECTIONS.contains(&key.as_str()) {
                let is_section = matches!(value, DeValue::Table(_));
                let message = match !is_section && schema::is_of_functions(&key) {
                    true => {
                        "this is an option: write it below `[defaults]` or `[functions.\"name\"]`".to_owned()
                    }
                    false => slip::section(&key, &value),
                };
                self.wrong(origin_of_key, key, message);
                continue;
            }
            let DeValue::Table(table) = value else {
                let section = match key.as_str() {
                    "engines" => "[engines.disk]",
                    "functions" => "[functions.\"name\"]",
                    _ => "[defaults]",
                };
                let message = format!("this is a section: write `{section}` above its options");
                self.wrong(origin_of_key, key, message);
                continue;
            };
            match key.as_str() {
                "defaults" => self.options(&Place::Defaults, table, origin),
                "engines" => self.engines(table, origin),
                _ => self.functions(table, origin),
            }
        }
    }

    fn engines(&mut self, table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (name, at, value) in in_order(table) {
            let here = origin(at);
            match value {
                _ if !self.is_engine(&name, &here) => {}
                DeValue::Table(options) => self.options(&Place::Engine(name), options, origin),
                _ => {
                    let message = format!("this is a section: write `[engines.{name}]` above its options");
                    self.wrong(here, format!("engines.{name}"), message);
                }
            }
        }
    }

    fn functions(&mut self, table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (pattern, at, value) in in_order(table) {
            match value {
                DeValue::Table(options) => self.options(&Place::Function(pattern), options, origin),
                _ => {
                    let message =
                        format!("this is a section: write `[functions.{pattern:?}]` above its options");
                    self.wrong(origin(at), format!("functions.{pattern:?}"), message);
                }
            }
        }
    }

    fn options(&mut self, place: &Place, table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (name, at, value) in in_order(table) {
            // `app::rates::*` without its quotes is no TOML, but `app.rates` is, and means something else
            if matches!(place, Place::Function(_))
                && matches!(value, DeValue::Table(_))
                && !schema::is_of_functions(&name)
            {
                let message = "a dot opens a section within: put the function's whole name in quotes";
                self.wrong(origin(at), place.key(&name), message);
                continue;
            }
            self.set(place, &name, origin(at), |_| given(value));
        }
    }

    /// The variables whose names begin with `MEMO_`.
    pub(super) fn environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) {
        let mut variables: Vec<_> =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
        variables.sort();
        for (name, value) in variables {
            if let Some(key) = name.strip_prefix("MEMO_") {
                self.variable(&name, key, value);
            }
        }
    }

    fn variable(&mut self, name: &str, key: &str, value: OsString) {
        let origin = || Origin::Variable(name.to_owned());
        let key = key.to_lowercase();
        let parts: Vec<_> = key.split("__").collect();
        match parts[..] {
            ["functions"] => match value.into_string() {
                Ok(text) => self.inline_functions(&text, origin()),
                Err(_) => self.wrong(origin(), "functions", "the value is not UTF-8 text"),
            },
            ["functions", ..] => self.wrong(
                origin(),
                "functions",
                "the name of a variable has no room for that of a function: \
                 set MEMO_FUNCTIONS to '{ \"app::rates::*\" = { ttl = \"30s\" } }'",
            ),
            ["defaults", option] => self.set(&Place::Defaults, option, origin(), |kind| text(kind, value)),
            ["engines", engine, option] => {
                let place = Place::Engine(engine.to_owned());
                self.option(&place, option, origin(), |kind| text(kind, value));
            }
            ["defaults", ..] => {
                self.wrong(origin(), "defaults", "write it such as MEMO_DEFAULTS__CAPACITY");
            }
            ["engines", ..] => {
                self.wrong(origin(), "engines", "write it such as MEMO_ENGINES__DISK__PATH");
            }
            _ if name == "MEMO_CONFIG" => {}
            _ => {
                if let Some(message) = slip::variable(&key) {
                    self.wrong(origin(), "", message);
                }
            }
        }
    }

    fn inline_functions(&mut self, text: &str, origin: Origin) {
        match DeValue::parse(text).map(Spanned::into_inner) {
            Ok(DeValue::Table(table)) => self.functions(table, &|_| origin.clone()),
            Ok(_) => self.wrong(
                origin,
                "functions",
                "expected a table such as '{ \"app::rates::*\" = { ttl = \"30s\" } }'",
            ),
            Err(error) => {
                let message = format!("this is not TOML: {}", explain(&error, text));
                self.wrong(origin, "functions", message);
            }
        }
    }
}

/// What the parser says, and what it leaves to be found out.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', "; ");
    let span = error.span().unwrap_or_default();
    let line = text.get(..span.start).and_then(|before| before.lines().next_back()).unwrap_or_default();
    match text.get(span) {
        // other words of a text that is wrong may be a password
        Some(key) if message == "duplicate key" => format!("{message} `{key}`"),
        _ if line.trim_start().starts_with("[functions.") => {
            format!("{message}; put the function's name in quotes: `[functions.\"app::rates\"]`")
        }
        _ => message,
    }
}

/// What an environment variable says to an option.
fn text(kind: Kind, value: OsString) -> Given {
    match value.into_string() {
        Ok(text) => kind.read(&text),
        Err(bytes) => Given::Path(bytes.into()),
    }
}

/// The keys of a table with where they are and what they hold, as they are written.
fn in_order(table: DeTable<'_>) -> Vec<(String, usize, DeValue<'_>)> {
    let entries = table.into_iter();
    let mut entries: Vec<_> = entries
        .map(|(key, value)| (key.get_ref().to_string(), key.span().start, value.into_inner()))
        .collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

fn given(value: DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.into_owned()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Given::Integer(number),
            Err(_) => Given::Other("a number that is too large"),
        },
        DeValue::Float(_) => Given::Other("a number with a fraction"),
        DeValue::Boolean(flag) => Given::Bool(flag),
        DeValue::Datetime(_) => Given::Other("a date or time"),
        DeValue::Array(values) => {
            Given::List(values.into_iter().map(|value| given(value.into_inner())).collect())
        }
        DeValue::Table(_) => Given::Other("a section"),
    }
}
