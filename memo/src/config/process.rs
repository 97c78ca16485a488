//! Options of the process as a whole, which stand among the defaults.

use super::kind::Kind;
use super::schema::{Rule, rule};
use super::value::Setting;
use crate::renewals;

/// An option of the process.
pub(super) struct ProcessOption {
    pub(super) rule: Rule,
    /// What it is where nobody sets it.
    pub(super) default: Setting,
    /// Has the process go by a value.
    pub(super) apply: fn(&Setting),
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
