//! `weigh`, `ttl_of` and `cache_if`: functions over keys and results.

use syn::Expr;

use super::forms::expression;
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// A closure, or a path to a function.
#[derive(Debug, Clone)]
pub(crate) struct Callback(pub(crate) Expr);

impl Value for Callback {
    const TAKES: &'static str = "a closure or a path to a function, without quotes";
    type Meaning = Option<Expr>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.map(|callback| callback.0)
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
        let wanted: &[&str] = if name == "weigh" { &["key", "value"] } else { &["value"] };
        if let Expr::Closure(closure) = expr
            && closure.inputs.len() != wanted.len()
        {
            let message = format!("`{name}` is called as `|{}|`: write those arguments", wanted.join(", "));
            return Err(Error::new(message).at(value));
        }
        Ok(Callback(expr.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::tests::{bad, good, text, value};

    #[test]
    fn callbacks() {
        let weigh = value(good("weigh = |key: &str, value| -> u32 { value.len() as u32 }").weigh);
        assert!(matches!(weigh.0, Expr::Closure(_)));
        assert_eq!(text(value(good("cache_if = Option::is_some").cache_if).0), "Option :: is_some");
        assert_eq!(
            text(value(good("ttl_of = policy.of(\"a\"), version = 1").ttl_of).0),
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
