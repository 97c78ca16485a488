//! `limit`: how often a function may compute.

use std::borrow::Cow;

use memo_text::{Rate, Row};
use syn::Expr;

use super::forms::string;
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// How often a function may compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Rate);

impl Value for Limit {
    fn takes() -> Cow<'static, str> {
        "a rate such as \"100/s\" or \"100/s burst 20\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let text = string(value).ok_or_else(|| takes_not::<Self>(row, value))?;
        let rate = memo_text::rate(&text.value()).map_err(|message| Error::new(message).at(text))?;
        match cfg!(feature = "limit") {
            true => Ok(Limit(rate)),
            false => Err(Error::new("`limit` needs the cargo feature `limit` of memo").at(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::options::tests::bad;

    #[test]
    fn rates() {
        bad("limit = 100", "`limit` takes a rate such as \"100/s\" or \"100/s burst 20\"");
        bad(
            "limit = \"100\"",
            "bad rate \"100\": it has no `/`, write it such as \"100/s\" or \"100/s burst 20\"",
        );
        #[cfg(not(feature = "limit"))]
        bad("limit = \"100/s\"", "`limit` needs the cargo feature `limit` of memo");
        #[cfg(feature = "limit")]
        assert_eq!(crate::options::tests::means("limit = \"5/s\"").limit.map(|limit| limit.0.count), Some(5));
    }
}
