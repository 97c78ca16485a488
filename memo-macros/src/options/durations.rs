//! `ttl`, `tti`, `cache_err`, `cache_none`, `patience` and others: lengths of time.

use std::borrow::Cow;
use std::time::Duration;

use memo_text::Row;
use syn::{Expr, Lit};

use super::forms::{expression, literal, string};
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// A length of time.
#[derive(Debug, Clone)]
pub(crate) enum Length {
    /// A duration literal such as `"5m"`. It is zero only where the row allows that.
    Literal(Duration),
    /// An expression of type `Duration`, to be evaluated once.
    Expr(Expr),
}

impl Value for Length {
    fn takes() -> Cow<'static, str> {
        "a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let Some(text) = string(value) else {
            let expr = expression(value).ok_or_else(|| takes_not::<Self>(row, value))?;
            return Ok(Length::Expr(expr.clone()));
        };
        let wrong = |message: String| Error::new(message).at(text);
        let duration = memo_text::duration(&text.value()).map_err(wrong)?;
        match row.zero {
            Some(why) if duration.is_zero() => Err(wrong(format!("`{}` of zero {why}", row.name))),
            _ => Ok(Length::Literal(duration)),
        }
    }
}

/// How long an `Err` is stored.
#[derive(Debug, Clone, Default)]
pub(crate) enum CacheErr {
    /// Not at all.
    #[default]
    No,
    /// For as long as an `Ok`.
    Yes,
    /// For this long.
    For(Length),
}

impl CacheErr {
    /// Whether an `Err` is stored at all.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, CacheErr::No)
    }
}

impl Value for CacheErr {
    fn takes() -> Cow<'static, str> {
        "`true`, or a duration such as \"5s\" for which an `Err` is stored".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(yes)) => Ok(if yes.value { CacheErr::Yes } else { CacheErr::No }),
            _ if string(value).is_none() && expression(value).is_none() => Err(takes_not::<Self>(row, value)),
            _ => Length::parse(row, value).map(CacheErr::For),
        }
    }
}

/// How long a `None` is stored.
#[derive(Debug, Clone, Default)]
pub(crate) enum CacheNone {
    /// For as long as any other result.
    #[default]
    Yes,
    /// Not at all.
    No,
    /// For this long.
    For(Length),
}

impl Value for CacheNone {
    fn takes() -> Cow<'static, str> {
        "`false`, or a duration such as \"5s\" for which a `None` is stored".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        match literal(value) {
            // a word is none of a duration's: what the option takes says more than what is wrong with it as a duration
            Some(Lit::Str(text)) if !text.value().starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                Err(takes_not::<Self>(row, value))
            }
            Some(Lit::Bool(yes)) => Ok(if yes.value { CacheNone::Yes } else { CacheNone::No }),
            _ if string(value).is_none() && expression(value).is_none() => Err(takes_not::<Self>(row, value)),
            _ => Length::parse(row, value).map(CacheNone::For),
        }
    }
}

/// How long to wait for a future that nobody polls.
#[derive(Debug, Clone)]
pub(crate) enum Patience {
    /// For this long.
    For(Length),
    /// Until it is done.
    Never,
}

impl Value for Patience {
    fn takes() -> Cow<'static, str> {
        "a duration such as \"10s\", an expression of type `Duration`, or \"never\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        match string(value) {
            Some(text) if text.value() == "never" => Ok(Patience::Never),
            None if expression(value).is_none() => Err(takes_not::<Self>(row, value)),
            _ => Length::parse(row, value).map(Patience::For),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means, text};

    #[test]
    fn lifetimes() {
        let Some(Length::Literal(ttl)) = means("ttl = \"1h30m\"").ttl else { panic!("a literal") };
        assert_eq!(ttl, Duration::from_secs(5400));
        let Some(Length::Expr(tti)) = means("tti = Duration::from_secs(TTL - 1)").tti else {
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
        assert!(!means("cache_err = false").cache_err.is_on());
        assert!(matches!(means("cache_err = true").cache_err, CacheErr::Yes));
        let CacheErr::For(Length::Literal(length)) = means("cache_err = \"5s\"").cache_err else {
            panic!("a literal")
        };
        assert_eq!(length, Duration::from_secs(5));
        assert!(matches!(means("cache_err = SHORT").cache_err, CacheErr::For(Length::Expr(_))));
        let takes = "`cache_err` takes `true`, or a duration such as \"5s\" for which an `Err` is stored";
        bad("cache_err", takes);
        bad("cache_err = 5", takes);
        bad("cache_err = -5", takes);
        bad("cache_err = ", takes);
    }

    #[test]
    fn nones() {
        assert!(matches!(means("cache_none = false").cache_none, CacheNone::No));
        assert!(matches!(means("cache_none = true").cache_none, CacheNone::Yes));
        assert!(matches!(means("cache_none = \"5s\"").cache_none, CacheNone::For(Length::Literal(_))));
        let takes = "`cache_none` takes `false`, or a duration such as \"5s\" for which a `None` is stored";
        bad("cache_none", takes);
        bad("cache_none = 5", takes);
        bad("cache_none = \"0s\"", "`cache_none` of zero would store no `None`: write `cache_none = false`");
    }

    #[test]
    fn patience() {
        let second = std::time::Duration::from_secs(1);
        let given = means("patience = \"1s\"").patience;
        assert!(matches!(given, Some(Patience::For(Length::Literal(length))) if length == second));
        assert!(matches!(means("patience = BOUND").patience, Some(Patience::For(Length::Expr(_)))));
        assert!(matches!(means("patience = \"never\"").patience, Some(Patience::Never)));
        let zero =
            "`patience` of zero would not wait at all: give a longer one, or write `single_flight = false`";
        bad("patience = \"0s\"", zero);
        let takes =
            "`patience` takes a duration such as \"10s\", an expression of type `Duration`, or \"never\"";
        bad("patience = 10", takes);
    }
}
