//! An option that was given, and what any value of an option has to tell of itself.

use darling::{Error, Result};
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Expr, Meta};

/// An option that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given<T> {
    /// Where its name stands.
    pub(crate) key: Span,
    /// Its value; `None` when that was wrong, which is reported.
    pub(crate) value: Option<T>,
}

impl<T: Value> Given<T> {
    /// Reads the option of this name. An error is pointed at the name where it has no other place.
    pub(super) fn read(name: &str, item: &Meta) -> (Self, Option<Error>) {
        let key = item.path().span();
        let value = match item {
            Meta::NameValue(pair) => T::parse(name, &pair.value),
            Meta::List(list) => T::parse_list(name, &list.tokens),
            Meta::Path(_) => Err(takes::<T>(name)),
        };
        match value {
            Ok(value) => (Given { key, value: Some(value) }, None),
            Err(error) => (Given { key, value: None }, Some(error.with_span(&key))),
        }
    }
}

/// What may stand behind the name of an option. `name` is that name, for errors.
pub(crate) trait Value: Clone {
    /// What it takes, to go on from "`ttl` takes".
    const TAKES: &'static str;

    /// What the option means to those who do not ask whether it was given.
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

/// The error for a value of the wrong form; on the option's name, unless it is given another place.
pub(super) fn takes<T: Value>(name: &str) -> Error {
    Error::custom(format_args!("`{name}` takes {}", T::TAKES))
}

/// The error for a value of the wrong form.
pub(super) fn takes_not<T: Value>(name: &str, value: &Expr) -> Error {
    match value {
        // Nothing stands behind the `=`.
        Expr::Verbatim(tokens) if tokens.is_empty() => takes::<T>(name),
        _ => takes::<T>(name).with_span(value),
    }
}
