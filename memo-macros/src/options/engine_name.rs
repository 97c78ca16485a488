//! The name of one engine.

use memo_text::{Row, nearest};
use syn::{Expr, LitStr};

use super::forms::string;
use super::given::{Value, takes_not};
use super::words::list;
use crate::errors::{Error, Result};

/// An engine in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Near {
    /// The memory engine.
    Memory,
    /// The moka crate.
    Moka,
}

impl Near {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Near::Memory => "memory",
            Near::Moka => "moka",
        }
    }
}

/// One name of an engine.
pub(super) enum Named {
    /// A word that is no engine and stands alone: "auto" or "none".
    Alone,
    /// An engine in memory.
    Near(Near),
    /// The tables of threads.
    Thread,
    /// An engine that outlives the process.
    Far(String),
}

/// The built-in engines that outlive the process, and whether the cargo feature of each is on.
const FAR: &[(&str, bool)] = memo_text::built_in_engines!();

/// Reads one name of an engine. `words` are the names that exist beside [`FAR`], whether or not their cargo feature is on.
pub(super) fn named<T: Value>(row: &Row, value: &Expr, words: &[&str]) -> Result<Named> {
    let far = FAR.iter().map(|(name, _)| *name);
    let words: &[&str] = &words.iter().copied().chain(far).collect::<Vec<_>>();
    let text = string(value).ok_or_else(|| takes_not::<T>(row, value))?;
    let wrong = |message: String| Err(Error::new(message).at(value));
    match text.value().as_str() {
        word @ ("auto" | "none") if words.contains(&word) => Ok(Named::Alone),
        "memory" => Ok(Named::Near(Near::Memory)),
        "thread" => Ok(Named::Thread),
        "moka" if cfg!(feature = "moka") => Ok(Named::Near(Near::Moka)),
        far if FAR.contains(&(far, true)) => Ok(Named::Far(far.to_owned())),
        known if known == "moka" || FAR.contains(&(known, false)) => {
            wrong(format!("engine \"{known}\" needs the cargo feature `{known}` of memo"))
        }
        // Engines that the program registers are not known here. But a name that is nearly one of ours is a slip.
        own if cfg!(feature = "engines")
            && nearest(own, words.iter().copied()).is_none()
            && !own.is_empty() =>
        {
            Ok(Named::Far(own.to_owned()))
        }
        _ => Err(unknown_engine(text, words)),
    }
}

fn unknown_engine(text: &LitStr, words: &[&str]) -> Error {
    let written = text.value();
    let message = match nearest(&written, words.iter().copied()) {
        Some(nearest) => format!("unknown engine \"{written}\": did you mean \"{nearest}\"?"),
        None => format!("unknown engine \"{written}\": there are {}", list(words.iter().copied(), '"')),
    };
    Error::new(message).at(text)
}
