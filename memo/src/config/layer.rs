//! What one source of configuration says.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use super::problem::Origin;
use super::value::Setting;
use crate::pattern::Pattern;

/// An option that is set, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sourced {
    pub(super) setting: Setting,
    pub(super) origin: Origin,
}

/// Options by name.
pub(super) type Section = BTreeMap<&'static str, Sourced>;

/// What one source says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) defaults: Section,
    pub(super) engines: BTreeMap<String, Section>,
    /// The most specific pattern first; of equally specific ones, the later in the source.
    pub(super) functions: Vec<Functions>,
}

/// A section for functions.
#[derive(Debug)]
pub(super) struct Functions {
    pub(super) pattern: Pattern,
    pub(super) options: Section,
    /// Whether a function that matches has run.
    pub(super) used: AtomicBool,
}

/// Where in a configuration an option stands.
#[derive(Debug, Clone)]
pub(super) enum SectionName {
    Defaults,
    Engine(String),
    Function(String),
}

impl SectionName {
    pub(super) fn key(&self, option: &str) -> String {
        match self {
            SectionName::Defaults => format!("defaults.{option}"),
            SectionName::Engine(name) => format!("engines.{name}.{option}"),
            SectionName::Function(pattern) => format!("functions.{pattern:?}.{option}"),
        }
    }
}
