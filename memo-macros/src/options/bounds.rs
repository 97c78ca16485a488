//! `capacity` and `max_weight`: how much is held in memory.

use std::borrow::Cow;

use memo_text::Row;
use syn::{Expr, Lit, LitInt};

use super::forms::{expression, literal, peel};
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// A bound by count.
#[derive(Debug, Clone)]
pub(crate) enum Capacity {
    /// No bound.
    Unbounded,
    /// At most so many.
    Of(Count),
}

/// An integer expression, to be evaluated once. It is never the literal 0.
#[derive(Debug, Clone)]
pub(crate) struct Count(pub(crate) Expr);

impl Count {
    /// The number that the value is. `None` if it is another literal, or one that is not greater than zero.
    fn read(value: &Expr) -> Option<Self> {
        match literal(value) {
            Some(Lit::Int(number)) => is_positive(number).then(|| Count(peel(value).clone())),
            _ => expression(value).cloned().map(Count),
        }
    }
}

/// A bound by weight.
#[derive(Debug, Clone)]
pub(crate) enum MaxWeight {
    /// A size such as `"64MiB"`, or an integer literal. It is never zero.
    Bytes(u64),
    /// An integer expression, to be evaluated once.
    Expr(Expr),
}

impl Value for Count {
    fn takes() -> Cow<'static, str> {
        "a whole number greater than zero".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        Count::read(value).ok_or_else(|| takes_not::<Self>(row, value))
    }
}

impl Value for Capacity {
    fn takes() -> Cow<'static, str> {
        "a number of entries, greater than zero, or \"unbounded\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Str(text)) if text.value() == "unbounded" => Ok(Capacity::Unbounded),
            _ => Count::read(value).map(Capacity::Of).ok_or_else(|| takes_not::<Self>(row, value)),
        }
    }
}

/// Whether the number is greater than zero. A minus sign can be a part of the literal.
fn is_positive(number: &LitInt) -> bool {
    !number.base10_digits().starts_with('-') && number.base10_digits() != "0"
}

impl Value for MaxWeight {
    fn takes() -> Cow<'static, str> {
        "a size such as \"64MiB\", or an integer greater than zero".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let bytes = match literal(value) {
            Some(Lit::Str(text)) => {
                memo_text::size(&text.value()).map_err(|message| Error::new(message).at(text))?
            }
            Some(Lit::Int(number)) => number.base10_parse().unwrap_or(0),
            _ => match expression(value) {
                Some(expr) => return Ok(MaxWeight::Expr(expr.clone())),
                None => 0,
            },
        };
        if bytes == 0 { Err(takes_not::<Self>(row, value)) } else { Ok(MaxWeight::Bytes(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means, text};

    #[test]
    fn counts() {
        assert!(means("at_once = 8").at_once.is_some());
        assert!(means("at_once = limits::at_once()").at_once.is_some());
        let takes = "`at_once` takes a whole number greater than zero";
        for wrong in ["at_once = 0", "at_once = \"8\"", "at_once = -1", "at_once"] {
            bad(wrong, takes);
        }
    }

    #[test]
    fn capacities() {
        assert!(matches!(means("capacity = \"unbounded\"").capacity, Some(Capacity::Unbounded)));
        for count in ["10_000", "CAPACITY", "limits::capacity() * 2", "1 << 20"] {
            let Some(Capacity::Of(Count(expr))) = means(&format!("capacity = {count}")).capacity else {
                panic!("{count} is an expression")
            };
            assert_eq!(text(expr).replace(' ', ""), count.replace(' ', ""));
        }
        let takes = "`capacity` takes a number of entries, greater than zero, or \"unbounded\"";
        bad("capacity = 0", takes);
        bad("capacity = -1", takes);
        bad("capacity = 1.5", takes);
        bad("capacity", takes);
        bad("capacity = \"unbound\"", takes);
    }

    #[test]
    fn weights() {
        assert!(matches!(means("max_weight = \"64MiB\"").max_weight, Some(MaxWeight::Bytes(67_108_864))));
        assert!(matches!(means("max_weight = 1_000").max_weight, Some(MaxWeight::Bytes(1000))));
        assert!(matches!(means("max_weight = MAX").max_weight, Some(MaxWeight::Expr(_))));
        let takes = "`max_weight` takes a size such as \"64MiB\", or an integer greater than zero";
        bad("max_weight = 0", takes);
        bad("max_weight = \"0B\"", takes);
        bad("max_weight = -1", takes);
        bad("max_weight = 1.5", takes);
        bad("max_weight = 99999999999999999999", takes);
        bad("max_weight = \"64mib\"", "bad size \"64mib\": unknown unit `mib`: write `MiB`");
    }
}
