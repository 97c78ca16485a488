//! Options of the process as a whole, which stand among the defaults.

use super::change::Change;
use super::kind::Kind;
use super::loaded::Loaded;
use super::problem::Origin;
use super::schema::{Rule, rule};
use super::value::Setting;
use crate::renewals;

/// An option of the process.
pub(super) struct ProcessOption {
    pub(super) rule: Rule,
    /// What it is where nobody sets it.
    pub(super) default: Setting,
    apply: fn(&Setting),
}

/// All of them.
pub(super) const PROCESS: &[ProcessOption] = &[ProcessOption {
    rule: rule("renewal_threads", Kind::Number),
    default: Setting::Number(renewals::THREADS as u64),
    apply: |setting| {
        if let Setting::Number(threads) = setting {
            renewals::allow_threads(usize::try_from(*threads).unwrap_or(usize::MAX));
        }
    },
}];

/// Whether it is an option of the process.
pub(super) fn is_of_process(name: &str) -> bool {
    PROCESS.iter().any(|option| option.rule.name == name)
}

impl ProcessOption {
    /// What it is, and where that comes from.
    pub(super) fn value<'a>(&'a self, loaded: &'a Loaded) -> (&'a Setting, Origin) {
        loaded
            .default(self.rule.name)
            .map_or((&self.default, Origin::Default), |sourced| (&sourced.setting, sourced.origin.clone()))
    }
}

impl Loaded {
    /// Has the process go by it.
    pub(super) fn apply_to_process(&self) {
        PROCESS.iter().for_each(|option| (option.apply)(option.value(self).0));
    }

    /// What of the process has changed since `before` was in force.
    pub(super) fn changes_of_process(&self, before: &Loaded) -> Vec<Change> {
        let changed = |option: &ProcessOption| {
            let (old, (new, origin)) = (option.value(before).0, option.value(self));
            (old != new).then(|| Change {
                subject: "defaults".to_owned(),
                option: option.rule.name,
                old: old.to_string(),
                new: new.to_string(),
                origin,
                applied: true,
            })
        };
        PROCESS.iter().filter_map(changed).collect()
    }
}
