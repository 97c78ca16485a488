//! What each rule looks at, and how it refuses.

use darling::Error;
use darling::error::Accumulator;
use proc_macro2::Span;

use crate::args::Args;
use crate::model::Model;

/// A use of `#[memoize]`, and what is wrong with it so far.
pub(super) struct Rules<'a> {
    /// The options as given.
    pub(super) args: &'a Args,
    /// What they mean.
    pub(super) model: &'a Model,
    /// What is wrong.
    pub(super) errors: &'a mut Accumulator,
}

impl Rules<'_> {
    /// Reports an error on a token.
    pub(super) fn refuse(&mut self, span: Span, message: impl std::fmt::Display) {
        self.errors.push(Error::custom(message).with_span(&span));
    }
}
