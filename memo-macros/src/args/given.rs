//! An option that was given, and the trait of its value.

use proc_macro2::{Span, TokenStream};
use syn::Expr;

use super::item::Written;
use crate::errors::{Error, Result};

/// An option that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given<T> {
    /// Where its name stands.
    pub(crate) key: Span,
    /// Its value. `None` if that was wrong, which is reported.
    pub(crate) value: Option<T>,
}

impl<T: Value> Given<T> {
    /// Reads the option of this name, which stands at `key`. An error without a place of its own points at the name.
    pub(super) fn read(name: &str, key: Span, written: &Written) -> (Self, Option<Error>) {
        let value = match written {
            Written::Value(value) => T::parse(name, value),
            Written::List(tokens) => T::parse_list(name, tokens),
            Written::Nothing => Err(takes::<T>(name)),
        };
        match value {
            Ok(value) => (Given { key, value: Some(value) }, None),
            Err(error) => (Given { key, value: None }, Some(error.at(&key))),
        }
    }
}

/// The value of an option: how it is read, and what it means. `name` is the name of the option, for errors.
pub(crate) trait Value: Clone {
    /// What the option takes, as the end of the sentence "`ttl` takes ..".
    const TAKES: &'static str;

    /// The type of what the option means, whether or not it was given.
    type Meaning;

    /// What the option means, with its default if it was not given.
    fn meaning(given: Option<Self>) -> Self::Meaning;

    /// Reads `name = value`.
    fn parse(name: &str, value: &Expr) -> Result<Self>;

    /// Reads `name(..)`.
    fn parse_list(name: &str, _: &TokenStream) -> Result<Self> {
        Err(takes::<Self>(name))
    }
}

/// The error for an option that is given in the wrong form. It points at the name of the option.
pub(super) fn takes<T: Value>(name: &str) -> Error {
    Error::new(format_args!("`{name}` takes {}", T::TAKES))
}

/// The error for a value of the wrong form. It points at the value, if there is one.
pub(super) fn takes_not<T: Value>(name: &str, value: &Expr) -> Error {
    match value {
        // Nothing stands behind the `=`.
        Expr::Verbatim(tokens) if tokens.is_empty() => takes::<T>(name),
        _ => takes::<T>(name).at(value),
    }
}
