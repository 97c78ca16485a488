//! From files, environment variables and code to layers of settings, each with where it comes from.

mod text;
mod variables;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::kind::Kind;
use super::layer::{Functions, Layer, Section, SectionName, Sourced};
use super::problem::{Origin, Problem, unknown};
use super::process::{PROCESS, is_of_process};
use super::registered::is_registered;
use super::schema::{self, Rule};
use super::value::Given;
use crate::pattern::Pattern;

/// Reads sources into a layer.
pub(super) struct Reader<'a> {
    problems: &'a mut Vec<Problem>,
    /// See [`Kind::check`].
    strict: bool,
    /// The directory that relative paths start from.
    directory: Option<PathBuf>,
    layer: Layer,
    /// The index of each pattern in `layer.functions`.
    patterns: HashMap<String, usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(problems: &'a mut Vec<Problem>, strict: bool) -> Self {
        Reader { problems, strict, directory: None, layer: Layer::default(), patterns: HashMap::new() }
    }

    pub(super) fn finish(mut self) -> Layer {
        self.layer.functions.reverse();
        self.layer.functions.sort_by(|a, b| b.pattern.specificity(&a.pattern));
        self.layer
    }

    fn wrong(&mut self, origin: Origin, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { origin, key: key.into(), message: message.into() });
    }

    /// Sets the option called `name` of a section. If that is an engine's, there may be no such engine.
    pub(super) fn option(
        &mut self,
        section: &SectionName,
        name: &str,
        origin: Origin,
        given: impl FnOnce(Kind) -> Given,
    ) {
        let there = match section {
            SectionName::Engine(engine) => self.is_engine(engine, &origin),
            SectionName::Defaults | SectionName::Function(_) => true,
        };
        if there {
            self.set(section, name, origin, given);
        }
    }

    /// Sets the option called `name`. `given` makes the value for the kind that the option takes.
    fn set(&mut self, section: &SectionName, name: &str, origin: Origin, given: impl FnOnce(Kind) -> Given) {
        let Some(rule) = self.rule(section, name, &origin) else { return };
        match rule.kind.check(given(rule.kind), self.directory.as_deref(), self.strict) {
            Err(message) => self.wrong(origin, section.key(name), message),
            Ok(setting) => {
                self.section(section).insert(rule.name, Sourced { setting, origin });
            }
        }
    }

    fn rule(&mut self, section: &SectionName, name: &str, origin: &Origin) -> Option<Rule> {
        let known: Vec<_> = match section {
            SectionName::Engine(engine) => schema::engine(engine).copied().collect(),
            SectionName::Function(_) => schema::function(),
            SectionName::Defaults => {
                let of_process = PROCESS.iter().map(|option| option.rule);
                schema::function().into_iter().chain(of_process).collect()
            }
        };
        let rule = known.iter().find(|rule| rule.name == name).copied();
        if rule.is_none() {
            let is_of_functions = !matches!(section, SectionName::Engine(_));
            let message = if is_of_functions && schema::is_about_the_code(name) {
                format!("this is about the code: write `#[memoize({name} = ..)]` there")
            } else if is_of_functions && is_of_process(name) {
                "this is about the process as a whole: write it below `[defaults]`".to_owned()
            } else {
                unknown("option", name, known.iter().map(|rule| rule.name))
            };
            self.wrong(origin.clone(), section.key(name), message);
        }
        rule
    }

    fn section(&mut self, section: &SectionName) -> &mut Section {
        match section {
            SectionName::Defaults => &mut self.layer.defaults,
            SectionName::Engine(name) => self.layer.engines.entry(name.clone()).or_default(),
            SectionName::Function(pattern) => {
                let functions = &mut self.layer.functions;
                // by a map, since a file may have many thousands of patterns
                let index = self.patterns.get(pattern).copied().unwrap_or_else(|| {
                    functions.push(Functions {
                        pattern: Pattern::new(pattern),
                        options: Section::new(),
                        used: AtomicBool::new(false),
                    });
                    self.patterns.insert(pattern.clone(), functions.len() - 1);
                    functions.len() - 1
                });
                &mut functions[index].options
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
}
