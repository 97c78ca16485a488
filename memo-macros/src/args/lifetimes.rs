//! `ttl`, `tti`, `cache_err` and `patience`: lengths of time.

use std::time::Duration;

use syn::{Expr, Lit};

use super::forms::{expression, literal, string};
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// A lifetime.
#[derive(Debug, Clone)]
pub(crate) enum Lifetime {
    /// A duration literal such as `"5m"`; never zero.
    Literal(Duration),
    /// An expression of type `Duration`, to be evaluated once.
    Expr(Expr),
}

impl Value for Lifetime {
    const TAKES: &'static str = "a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let Some(text) = string(value) else {
            let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
            return Ok(Lifetime::Expr(expr.clone()));
        };
        let wrong = |message: String| Error::new(message).at(text);
        match memo_text::duration(&text.value()).map_err(wrong)? {
            Duration::ZERO => {
                Err(wrong(format!("`{name}` of zero would store nothing: give a longer one, or remove it")))
            }
            duration => Ok(Lifetime::Literal(duration)),
        }
    }
}

/// How long an `Err` is stored.
#[derive(Debug, Clone)]
pub(crate) enum CacheErr {
    /// For as long as an `Ok`.
    Yes,
    /// For this long.
    For(Lifetime),
}

/// `None` stands for `false`: an `Err` is not stored.
impl Value for Option<CacheErr> {
    const TAKES: &'static str = "`true`, or a duration such as \"5s\" for which an `Err` is stored";
    type Meaning = Self;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.flatten()
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(yes)) => Ok(yes.value.then_some(CacheErr::Yes)),
            _ if string(value).is_none() && expression(value).is_none() => {
                Err(takes_not::<Self>(name, value))
            }
            _ => Lifetime::parse(name, value).map(|lifetime| Some(CacheErr::For(lifetime))),
        }
    }
}

/// How long to wait for a future that nobody polls.
#[derive(Debug, Clone)]
pub(crate) enum Patience {
    /// For this long.
    For(Lifetime),
    /// Until it is done.
    Never,
}

impl Value for Patience {
    const TAKES: &'static str = "a duration such as \"10s\", an expression of type `Duration`, or \"never\"";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match string(value) {
            Some(text) if text.value() == "never" => Ok(Patience::Never),
            Some(text) if memo_text::duration(&text.value()).is_ok_and(|patience| patience.is_zero()) => {
                let message = format!(
                    "`{name}` of zero would not wait at all: give a longer one, or write `single_flight = false`"
                );
                Err(Error::new(message).at(text))
            }
            Some(_) => Lifetime::parse(name, value).map(Patience::For),
            None => match expression(value) {
                Some(expr) => Ok(Patience::For(Lifetime::Expr(expr.clone()))),
                None => Err(takes_not::<Self>(name, value)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::tests::{bad, good, text, value};

    #[test]
    fn lifetimes() {
        let Lifetime::Literal(ttl) = value(good("ttl = \"1h30m\"").ttl) else { panic!("a literal") };
        assert_eq!(ttl, Duration::from_secs(5400));
        let Lifetime::Expr(tti) = value(good("tti = Duration::from_secs(TTL - 1)").tti) else {
            panic!("no literal")
        };
        assert_eq!(text(tti), "Duration :: from_secs (TTL - 1)");
        let takes = "`ttl` takes a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`";
        bad("ttl = 300", takes);
        bad("ttl = -5", takes);
        bad("ttl = true", takes);
        bad("ttl", takes);
        bad("ttl = ", takes);
        bad("ttl = pub", takes);
        bad("ttl(\"5m\")", takes);
        bad("ttl = \"5\"", "bad duration \"5\": the number 5 needs a unit, such as \"5m\" or \"1h30m\"");
        bad("ttl = \"0s\"", "`ttl` of zero would store nothing: give a longer one, or remove it");
        bad("tti = \"0ms\"", "`tti` of zero would store nothing: give a longer one, or remove it");
    }

    #[test]
    fn errors_and_nones() {
        assert!(value(good("cache_err = false").cache_err).is_none());
        assert!(matches!(value(good("cache_err = true").cache_err), Some(CacheErr::Yes)));
        let Some(CacheErr::For(Lifetime::Literal(lifetime))) = value(good("cache_err = \"5s\"").cache_err)
        else {
            panic!("a literal")
        };
        assert_eq!(lifetime, Duration::from_secs(5));
        assert!(matches!(value(good("cache_err = SHORT").cache_err), Some(CacheErr::For(Lifetime::Expr(_)))));
        let takes = "`cache_err` takes `true`, or a duration such as \"5s\" for which an `Err` is stored";
        bad("cache_err", takes);
        bad("cache_err = 5", takes);
        bad("cache_err = -5", takes);
        bad("cache_err = ", takes);
    }

    #[test]
    fn patience() {
        let second = std::time::Duration::from_secs(1);
        let given = value(good("patience = \"1s\"").patience);
        assert!(matches!(given, Patience::For(Lifetime::Literal(length)) if length == second));
        assert!(matches!(value(good("patience = BOUND").patience), Patience::For(Lifetime::Expr(_))));
        assert!(matches!(value(good("patience = \"never\"").patience), Patience::Never));
        let zero =
            "`patience` of zero would not wait at all: give a longer one, or write `single_flight = false`";
        bad("patience = \"0s\"", zero);
        let takes =
            "`patience` takes a duration such as \"10s\", an expression of type `Duration`, or \"never\"";
        bad("patience = 10", takes);
    }
}
