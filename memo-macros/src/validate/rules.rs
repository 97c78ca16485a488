//! What each rule looks at, and how it refuses.

use proc_macro2::Span;

use crate::errors::{Error, Errors};
use crate::model::Model;
use crate::options::GivenOptions;

/// A use of `#[memoize]`, and what is wrong with it so far.
pub(super) struct Rules<'a> {
    /// The options as given.
    pub(super) given: &'a GivenOptions,
    /// What they mean.
    pub(super) model: &'a Model,
    /// What is wrong.
    pub(super) errors: &'a mut Errors,
}

impl Rules<'_> {
    /// Reports an error on a token.
    pub(super) fn refuse(&mut self, span: Span, message: impl std::fmt::Display) {
        self.errors.push(Error::new(message).at(&span));
    }
}
