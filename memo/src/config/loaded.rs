//! What is configured, and what that means for one function.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use super::layer::{Layer, Sourced};
use super::options::{OptionValue, rows};
use super::problem::{Origin, Problem};
use super::process::{PROCESS, ProcessOption};
use super::raised;
use super::said::Config;
use super::source::Reader;
use super::sources::Sources;
use super::value::Setting;
use crate::settings::Settings;

/// What is configured, from the lowest source to the highest.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(super) generation: u64,
    pub(super) layers: [Layer; 3],
}

impl Loaded {
    /// Reads all sources. Gives what they say, and all that is wrong with them.
    pub(super) fn read(code: &Config, strict: bool) -> (Self, Vec<Problem>) {
        let sources = Sources::of(code, std::env::var_os("MEMO_CONFIG"), raised::is_raised());
        sources.tell(code);
        let mut problems = Vec::new();
        let mut file = Reader::new(&mut problems, strict);
        if let Some((path, required)) = &sources.file {
            file.file(path, *required);
        }
        let file = file.finish();
        let mut environment = Reader::new(&mut problems, strict);
        if sources.environment {
            environment.environment(std::env::vars_os());
        }
        let environment = environment.finish();
        let mut said = Reader::new(&mut problems, strict);
        code.read(&mut said);
        let layers = [file, environment, said.finish()];
        (Loaded { generation: 0, layers }, problems)
    }

    /// Notes that a function of this name has run, for the patterns that match it.
    fn used(&self, name: &str) {
        for functions in self.layers.iter().flat_map(|layer| &layer.functions) {
            if !functions.used.load(Ordering::Relaxed) && functions.pattern.matches(name) {
                functions.used.store(true, Ordering::Relaxed);
            }
        }
    }

    /// The value of an option of an engine, if a source sets it.
    pub(super) fn engine(&self, name: &str, option: &str) -> Option<&Sourced> {
        self.layers.iter().rev().find_map(|layer| layer.engines.get(name)?.get(option))
    }

    /// The value that a source sets for an option of the function called `name`; `None` if the author sets it, or nobody.
    /// `said` is whether the author has said something about the option.
    ///
    /// A section for functions takes precedence over the attribute, a higher source over a lower one, and within a source
    /// the most specific pattern. A default counts only if the author has said nothing.
    fn setting(&self, name: &str, option: &str, said: bool) -> Option<&Sourced> {
        self.of_section(name, option).or_else(|| if said { None } else { self.default(option) })
    }

    /// The value that a section for functions sets for an option of the function called `name`.
    pub(super) fn of_section(&self, name: &str, option: &str) -> Option<&Sourced> {
        let sections = self.layers.iter().rev().flat_map(|layer| &layer.functions);
        sections
            .filter(|functions| functions.pattern.matches(name))
            .find_map(|functions| functions.options.get(option))
    }

    /// The default that a source sets for an option.
    pub(super) fn default(&self, option: &str) -> Option<&Sourced> {
        self.layers.iter().rev().find_map(|layer| layer.defaults.get(option))
    }

    /// What an option of the process is, and where that comes from.
    pub(super) fn of_process<'a>(&'a self, option: &'a ProcessOption) -> (&'a Setting, Origin) {
        self.default(option.rule.name)
            .map_or((&option.default, Origin::Default), |sourced| (&sourced.setting, sourced.origin.clone()))
    }

    /// Has the process go by it.
    pub(super) fn apply_to_process(&self) {
        PROCESS.iter().for_each(|option| (option.apply)(self.of_process(option).0));
    }

    /// The settings of the function called `name`.
    pub(super) fn settings<'a>(&self, name: &str, author: &'a Settings) -> Cow<'a, Settings> {
        self.used(name);
        let mut settings = author.clone();
        let mut is_set = false;
        for row in rows(&mut settings) {
            if let Some(sourced) = self.setting(name, row.name, row.said) {
                row.slot.set(&sourced.setting);
                is_set = true;
            }
        }
        if is_set { Cow::Owned(settings) } else { Cow::Borrowed(author) }
    }

    /// Where the value of an option of the function called `name` comes from. `author` is the option in the author's
    /// settings.
    pub(super) fn origin(&self, name: &str, author: &OptionValue) -> Origin {
        match self.setting(name, author.name, author.said) {
            Some(sourced) => sourced.origin.clone(),
            None if author.said => Origin::Attribute,
            None => Origin::Default,
        }
    }
}
