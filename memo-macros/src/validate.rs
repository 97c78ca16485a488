//! What cannot be memoized, or not like this: each rule is one error, on the token that breaks it.

mod arguments;
mod companion;
mod conditional;
mod engines;
mod freshness;
mod function;
mod options;
mod output;
mod receiver;
mod rules;
mod skip;
mod sparing;
#[cfg(test)]
mod tests;

use self::rules::Rules;
use crate::errors::Errors;
use crate::model::Model;
use crate::options::GivenOptions;

/// Reports all that is wrong with a model, and with the options as given.
pub(crate) fn validate(given: &GivenOptions, model: &Model, errors: &mut Errors) {
    let mut rules = Rules { given, model, errors };
    rules.options();
    rules.engines();
    rules.freshness();
    rules.sparing();
    rules.companion();
    rules.skip();
    rules.function();
    rules.output();
    rules.receiver();
    rules.arguments();
}
