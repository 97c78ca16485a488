//! `fallback`: what is used while the engine is unavailable.

use std::borrow::Cow;

use memo_text::Row;
use syn::Expr;

use super::engine_name::{Named, Near, named};
use super::forms::peel;
use super::given::Value;
use crate::errors::{Error, Errors, Result};

/// What is used while the engine is unavailable. Both parts are empty for "none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fallback {
    /// Engines that outlive the process, in order.
    pub(crate) far: Vec<String>,
    /// The engine in memory that comes after them.
    pub(crate) near: Option<Near>,
}

impl Fallback {
    /// The names, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.far.iter().map(String::as_str).chain(self.near.map(Near::name)).collect()
    }
}

/// The error for "thread".
const THREAD: &str =
    "\"thread\" cannot be a fallback, because threads do not share its results: use \"memory\"";

/// The names that exist beside those of engines that outlive the process.
const FALLBACKS: &[&str] = &["none", "memory", "moka"];

impl Value for Fallback {
    fn takes() -> Cow<'static, str> {
        "the name of an engine, an array of names, or \"none\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let mut fallback = Fallback { far: Vec::new(), near: None };
        let Expr::Array(array) = peel(value) else {
            match named::<Self>(row, value, FALLBACKS)? {
                Named::Alone => {}
                Named::Near(near) => fallback.near = Some(near),
                Named::Thread => return Err(Error::new(THREAD).at(value)),
                Named::Far(far) => fallback.far.push(far),
            }
            return Ok(fallback);
        };
        let mut errors = Errors::default();
        for elem in &array.elems {
            let wrong = |message: &str| Error::new(message).at(elem);
            match errors.handle(named::<Self>(row, elem, FALLBACKS)) {
                Some(Named::Alone) => {
                    errors.push(wrong(
                        "\"none\" cannot be in a list: name the engines, or write `fallback = \"none\"`",
                    ));
                }
                Some(Named::Thread) => errors.push(wrong(THREAD)),
                Some(_) if fallback.near.is_some() => {
                    errors.push(wrong(
                        "an engine in memory is always available, so nothing after it is used: \
                         put it last, or remove the others",
                    ));
                }
                Some(Named::Near(near)) => fallback.near = Some(near),
                Some(Named::Far(far)) if fallback.far.contains(&far) => {
                    errors.push(wrong("this engine is named twice: keep one"));
                }
                Some(Named::Far(far)) => fallback.far.push(far),
                None => {}
            }
        }
        if array.elems.is_empty() {
            errors.push(Error::new("name at least one engine, or write `fallback = \"none\"`").at(value));
        }
        errors.finish()?;
        Ok(fallback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means};

    #[test]
    fn fallbacks() {
        let fallback = |options: &str| means(options).fallback.expect("given");
        assert_eq!(fallback("fallback = \"none\""), Fallback { far: Vec::new(), near: None });
        let memory = Fallback { far: Vec::new(), near: Some(Near::Memory) };
        assert_eq!(fallback("fallback = \"memory\""), memory);
        assert_eq!(fallback("fallback = [\"memory\"]"), memory);
        bad("fallback = none", "`fallback` takes the name of an engine, an array of names, or \"none\"");
        bad("fallback = [\"rediss\"]", "unknown engine \"rediss\": did you mean \"redis\"?");
        bad("fallback = []", "name at least one engine, or write `fallback = \"none\"`");
        bad(
            "fallback = [\"none\"]",
            "\"none\" cannot be in a list: name the engines, or write `fallback = \"none\"`",
        );
        let thread =
            "\"thread\" cannot be a fallback, because threads do not share its results: use \"memory\"";
        bad("fallback = \"thread\"", thread);
        bad("fallback = [\"thread\"]", thread);
    }

    #[test]
    #[cfg(feature = "engines")]
    fn fallbacks_that_outlive_the_process() {
        let fallback = means("fallback = [\"archive\", \"memory\"]").fallback.expect("given");
        assert_eq!(fallback, Fallback { far: vec!["archive".to_owned()], near: Some(Near::Memory) });
        #[cfg(feature = "disk")]
        assert!(means("fallback = [\"disk\", \"memory\"]").fallback.is_some());
        let after = "an engine in memory is always available, so nothing after it is used: put it last, or remove \
                     the others";
        bad("fallback = [\"memory\", \"archive\"]", after);
        bad("fallback = [\"memory\", \"memory\"]", after);
        bad("fallback = [\"archive\", \"archive\"]", "this engine is named twice: keep one");
    }
}
