//! An option that was given, and what any value of an option has to tell of itself.

use darling::{Error, FromMeta, Result};
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Meta};

/// An option that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given<T> {
    /// Where its name stands.
    pub(crate) key: Span,
    /// Its value; `None` when that was wrong, which is reported.
    pub(crate) value: Option<T>,
    /// What was wrong, until it is reported.
    pub(super) error: Option<Error>,
}

impl<T: Value> FromMeta for Given<T> {
    /// Never fails: what is wrong is kept, so that the other options are still read.
    fn from_meta(item: &Meta) -> Result<Self> {
        let key = item.path().span();
        let name = item.path().require_ident().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        let value = match item {
            Meta::NameValue(pair) => T::parse(&name, &pair.value),
            Meta::List(list) => T::parse_list(&name, &list.tokens),
            Meta::Path(_) => Err(takes::<T>(&name)),
        };
        Ok(match value {
            Ok(value) => Given { key, value: Some(value), error: None },
            Err(error) => Given { key, value: None, error: Some(error.with_span(&key)) },
        })
    }
}

/// What may stand behind the name of an option. `name` is that name, for errors.
pub(crate) trait Value: Sized {
    /// What it takes, to go on from "`ttl` takes".
    const TAKES: &'static str;

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
