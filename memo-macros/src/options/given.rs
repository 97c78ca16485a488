//! An option that was given, and the trait of its value.

use std::borrow::Cow;

use memo_text::Row;
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
    /// Reads the option of this row, whose name stands at `key`. An error without a place of its own points at the name.
    pub(super) fn read(row: &Row, key: Span, written: &Written) -> (Self, Option<Error>) {
        let value = match written {
            Written::Value(value) => T::parse(row, value),
            Written::List(tokens) => T::parse_list(row, tokens),
            Written::Nothing => Err(takes::<T>(row)),
        };
        match value {
            Ok(value) => (Given { key, value: Some(value) }, None),
            Err(error) => (Given { key, value: None }, Some(error.at(&key))),
        }
    }
}

/// A kind of options: the type of their values, and how these are read. The row of an option names its kind, and holds what
/// the kind has to know of the option.
pub(crate) trait Value: Clone {
    /// What options of this kind take, as the end of the sentence "`ttl` takes ..".
    fn takes() -> Cow<'static, str>;

    /// Reads `name = value`.
    fn parse(row: &Row, value: &Expr) -> Result<Self>;

    /// Reads `name(..)`.
    fn parse_list(row: &Row, _: &TokenStream) -> Result<Self> {
        Err(takes::<Self>(row))
    }
}

/// An option without a default: it is `None` where it is not given.
impl<T: Value> Value for Option<T> {
    fn takes() -> Cow<'static, str> {
        T::takes()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        T::parse(row, value).map(Some)
    }

    fn parse_list(row: &Row, tokens: &TokenStream) -> Result<Self> {
        T::parse_list(row, tokens).map(Some)
    }
}

/// The error for an option that is given in the wrong form. It points at the name of the option.
pub(super) fn takes<T: Value>(row: &Row) -> Error {
    Error::new(format_args!("`{}` takes {}", row.name, T::takes()))
}

/// The error for a value of the wrong form. It points at the value, if there is one.
pub(super) fn takes_not<T: Value>(row: &Row, value: &Expr) -> Error {
    match value {
        // Nothing stands behind the `=`.
        Expr::Verbatim(tokens) if tokens.is_empty() => takes::<T>(row),
        _ => takes::<T>(row).at(value),
    }
}
