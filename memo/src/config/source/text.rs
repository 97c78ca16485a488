//! Files, and texts as they would stand in one.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reader;
use crate::config::layer::SectionName;
use crate::config::lines::Lines;
use crate::config::problem::Origin;
use crate::config::process::is_of_process;
use crate::config::schema::{self, SECTIONS};
use crate::config::slip;
use crate::config::trust::{self, Refused};
use crate::config::value::Given;

impl Reader<'_> {
    /// A file that must be there, or need not.
    pub(in crate::config) fn file(&mut self, path: &Path, required: bool) {
        let whole = Origin::File { path: path.to_owned(), line: 0 };
        match trust::read(path) {
            Ok(text) => {
                self.directory = path.parent().map(Path::to_owned);
                self.text(&text, |line| Origin::File { path: path.to_owned(), line });
                self.directory = None;
            }
            Err(Refused::Missing) if required => {
                self.wrong(whole, "", "the file cannot be read: there is none");
            }
            Err(Refused::Missing) => {}
            Err(Refused::Wrong(message)) => self.wrong(whole, "", message),
        }
    }

    /// A whole configuration as TOML.
    pub(in crate::config) fn text(&mut self, text: &str, origin: impl Fn(usize) -> Origin) {
        let lines = Lines::of(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // what the parser makes of the rest may not be what was meant
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
                let message = if !is_section && schema::is_of_functions(&key) {
                    "this is an option: write it below `[defaults]` or `[functions.\"name\"]`".to_owned()
                } else if !is_section && is_of_process(&key) {
                    "this is an option: write it below `[defaults]`".to_owned()
                } else {
                    slip::section(&key, &value)
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
                "defaults" => self.options(&SectionName::Defaults, table, origin),
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
                DeValue::Table(options) => self.options(&SectionName::Engine(name), options, origin),
                _ => {
                    let message = format!("this is a section: write `[engines.{name}]` above its options");
                    self.wrong(here, format!("engines.{name}"), message);
                }
            }
        }
    }

    pub(super) fn functions(&mut self, table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (pattern, at, value) in in_order(table) {
            match value {
                DeValue::Table(options) => self.options(&SectionName::Function(pattern), options, origin),
                _ => {
                    let message =
                        format!("this is a section: write `[functions.{pattern:?}]` above its options");
                    self.wrong(origin(at), format!("functions.{pattern:?}"), message);
                }
            }
        }
    }

    fn options(&mut self, section: &SectionName, table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) {
        for (name, at, value) in in_order(table) {
            // without quotes `app::rates::*` is not TOML, but `app.rates` is, and means a section within a section
            if matches!(section, SectionName::Function(_))
                && matches!(value, DeValue::Table(_))
                && !schema::is_of_functions(&name)
            {
                let message = "a dot opens a section within: put the function's whole name in quotes";
                self.wrong(origin(at), section.key(&name), message);
                continue;
            }
            self.set(section, &name, origin(at), |_| given(value));
        }
    }

    /// Sections for functions, in one line.
    pub(super) fn inline_functions(&mut self, text: &str, origin: Origin) {
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

/// The parser's message, and advice where it does not say enough.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', "; ");
    let span = error.span().unwrap_or_default();
    let line = text.get(..span.start).and_then(|before| before.lines().next_back()).unwrap_or_default();
    match text.get(span) {
        // only a key is shown: other words may be a password
        Some(key) if message == "duplicate key" => format!("{message} `{key}`"),
        _ if line.trim_start().starts_with("[functions.") => {
            format!("{message}; put the function's name in quotes: `[functions.\"app::rates\"]`")
        }
        _ => message,
    }
}

/// The keys of a table, where they stand and what they hold, in the order of the text.
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
        DeValue::Float(number) => Given::Fraction(number.as_str().to_owned()),
        DeValue::Boolean(flag) => Given::Bool(flag),
        DeValue::Datetime(_) => Given::Other("a date or time"),
        DeValue::Array(values) => {
            Given::List(values.into_iter().map(|value| given(value.into_inner())).collect())
        }
        DeValue::Table(_) => Given::Other("a section"),
    }
}
