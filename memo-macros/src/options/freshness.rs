//! `refresh_ahead` and `jitter`: parts of a lifetime, in thousandths.

use std::borrow::Cow;

use memo_text::Row;
use syn::{Expr, Lit};

use super::forms::{literal, string};
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// When a result is renewed that is still fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshAhead {
    /// Once it has lived for this part of its lifetime.
    From(u16),
    /// By chance.
    Auto,
}

/// By how much lifetimes may be shorter than was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jitter(pub(crate) u16);

impl Value for RefreshAhead {
    fn takes() -> Cow<'static, str> {
        "a part of the lifetime between 0 and 1 such as 0.8, or \"auto\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Str(text)) if text.value() == "auto" => Ok(RefreshAhead::Auto),
            Some(Lit::Float(part)) if part.suffix().is_empty() => {
                let part = memo_text::part(part.base10_digits());
                part.map(RefreshAhead::From).map_err(|_| takes_not::<Self>(row, value))
            }
            _ => Err(takes_not::<Self>(row, value)),
        }
    }
}

impl Value for Jitter {
    fn takes() -> Cow<'static, str> {
        "a percentage below 100 such as \"10%\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let text = string(value).ok_or_else(|| takes_not::<Self>(row, value))?;
        memo_text::percentage(&text.value()).map(Jitter).map_err(|message| Error::new(message).at(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means};

    #[test]
    fn renewals_ahead() {
        assert_eq!(means("refresh_ahead = 0.8").refresh_ahead, Some(RefreshAhead::From(800)));
        assert_eq!(means("refresh_ahead = \"auto\"").refresh_ahead, Some(RefreshAhead::Auto));
        let takes = "`refresh_ahead` takes a part of the lifetime between 0 and 1 such as 0.8, or \"auto\"";
        for wrong in ["1.5", "0.0", "-0.5", "1", "0.8f32", "\"0.8\"", "\"80%\"", "true", "PART"] {
            bad(&format!("refresh_ahead = {wrong}"), takes);
        }
        bad("refresh_ahead", takes);
    }

    #[test]
    fn jitters() {
        assert_eq!(means("jitter = \"10%\"").jitter, Some(Jitter(100)));
        let takes = "`jitter` takes a percentage below 100 such as \"10%\"";
        bad("jitter = 0.1", takes);
        bad("jitter = 10", takes);
        bad("jitter", takes);
        bad("jitter = \"10\"", "bad percentage \"10\": it has no `%`, write it such as \"10%\"");
    }
}
