//! Values that are one of a few words.

use memo_text::nearest;
use syn::{Expr, LitStr};

use super::forms::string;
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// Reads one of a few words, in quotes.
pub(super) fn word<T: Value>(name: &str, value: &Expr, words: &[&'static str]) -> Result<&'static str> {
    let text = string(value).ok_or_else(|| takes_not::<T>(name, value))?;
    let written = text.value();
    match words.iter().find(|word| **word == written) {
        Some(word) => Ok(word),
        None => Err(unknown_word(name, text, words)),
    }
}

fn unknown_word(name: &str, text: &LitStr, words: &[&str]) -> Error {
    let written = text.value();
    let message = match nearest(&written, words.iter().copied()) {
        Some(nearest) => format!("`{name}` does not take \"{written}\": did you mean \"{nearest}\"?"),
        None => {
            format!("`{name}` does not take \"{written}\": it takes {}", list(words.iter().copied(), '"'))
        }
    };
    Error::new(message).at(text)
}

/// The words, each between `quote`s, separated by commas.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>, quote: char) -> String {
    words.into_iter().map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(", ")
}
