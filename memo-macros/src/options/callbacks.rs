//! `weigh`, `ttl_of` and `cache_if`: functions over keys and results.

use std::borrow::Cow;

use memo_text::Row;
use syn::Expr;

use super::forms::expression;
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// A closure, or a path to a function. The row says what it is called with.
#[derive(Debug, Clone)]
pub(crate) struct Callback(pub(crate) Expr);

impl Value for Callback {
    fn takes() -> Cow<'static, str> {
        "a closure or a path to a function, without quotes".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(row, value))?;
        if let Expr::Closure(closure) = expr
            && closure.inputs.len() != row.called_with.len()
        {
            let (name, arguments) = (row.name, row.called_with.join(", "));
            let message = format!("`{name}` is called as `|{arguments}|`: write those arguments");
            return Err(Error::new(message).at(value));
        }
        Ok(Callback(expr.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means, text};

    #[test]
    fn callbacks() {
        let weigh = means("weigh = |key: &str, value| -> u32 { value.len() as u32 }").weigh;
        assert!(matches!(weigh, Some(Callback(Expr::Closure(_)))));
        assert_eq!(text(means("cache_if = Option::is_some").cache_if.expect("given").0), "Option :: is_some");
        assert_eq!(
            text(means("ttl_of = policy.of(\"a\"), version = 1").ttl_of.expect("given").0),
            "policy . of (\"a\")"
        );
        let takes = "`cache_if` takes a closure or a path to a function, without quotes";
        bad("cache_if = \"is_ok\"", takes);
        bad("cache_if = true", takes);
        bad("cache_if", takes);
        bad("cache_if = -1", takes);
        bad("cache_if = ", takes);
        bad("cache_if = || true", "`cache_if` is called as `|value|`: write those arguments");
        bad("ttl_of = |key, value| None", "`ttl_of` is called as `|value|`: write those arguments");
        bad("weigh = |value| 1", "`weigh` is called as `|key, value|`: write those arguments");
    }
}
