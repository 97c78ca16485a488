//! Values that are one of a few words.

use std::borrow::Cow;

use memo_text::{Row, nearest};
use syn::{Expr, Lit, LitStr};

use super::forms::{literal, string};
use super::given::{Value, takes_not};
use crate::errors::{Error, Result};

/// A kind of options that take one of a few words, in quotes, and perhaps `false`.
pub(crate) trait Choice: Copy + 'static {
    /// The words, each with the value that it stands for.
    const WORDS: &'static [(&'static str, Self)];

    /// The value that `false` stands for. `None` if it is refused.
    const FALSE: Option<Self> = None;

    /// The error if this value needs a cargo feature that is off. `word` stands for the value in the option of this row.
    fn missing_feature(self, _row: &Row, _word: &str) -> Option<String> {
        None
    }
}

impl<T: Choice> Value for T {
    fn takes() -> Cow<'static, str> {
        let mut all: Vec<_> = T::FALSE.iter().map(|_| "`false`".to_owned()).collect();
        all.extend(T::WORDS.iter().map(|(word, _)| format!("\"{word}\"")));
        let last = all.pop().unwrap_or_default();
        format!("{} or {last}", all.join(", ")).into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        if let (Some(Lit::Bool(switch)), Some(off)) = (literal(value), T::FALSE)
            && !switch.value
        {
            return Ok(off);
        }
        let (word, choice) = word::<T, _>(row, value, T::WORDS)?;
        match choice.missing_feature(row, word) {
            Some(message) => Err(Error::new(message).at(value)),
            None => Ok(choice),
        }
    }
}

/// Reads one of a few words, in quotes: the word, and what it stands for. `T` says what else the option takes.
pub(super) fn word<T: Value, W: Clone>(
    row: &Row,
    value: &Expr,
    words: &[(&'static str, W)],
) -> Result<(&'static str, W)> {
    let text = string(value).ok_or_else(|| takes_not::<T>(row, value))?;
    let written = text.value();
    match words.iter().find(|(word, _)| *word == written) {
        Some(found) => Ok(found.clone()),
        None => Err(unknown_word(row, text, words.iter().map(|(word, _)| *word))),
    }
}

fn unknown_word<'a>(row: &Row, text: &LitStr, words: impl Iterator<Item = &'a str> + Clone) -> Error {
    let (name, written) = (row.name, text.value());
    let message = match nearest(&written, words.clone()) {
        Some(nearest) => format!("`{name}` does not take \"{written}\": did you mean \"{nearest}\"?"),
        None => format!("`{name}` does not take \"{written}\": it takes {}", list(words, '"')),
    };
    Error::new(message).at(text)
}

/// The words, each between `quote`s, separated by commas.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>, quote: char) -> String {
    words.into_iter().map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(", ")
}
