//! `engine`: where results live.

use std::borrow::Cow;

use memo_text::Row;
use syn::{Expr, ExprArray};

use super::engine_name::{Named, Near, named};
use super::forms::peel;
use super::given::Value;
use crate::errors::{Error, Errors, Result};

/// Where results live.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Engine {
    /// The strategy chooses.
    #[default]
    Auto,
    /// The memory engine.
    Memory,
    /// The moka crate.
    Moka,
    /// A table in each thread.
    Thread,
    /// Engines that outlive the process, and perhaps one in memory before them.
    Far {
        /// The one in memory.
        near: Option<Near>,
        /// The names of those that outlive the process, nearest first.
        names: Vec<String>,
    },
}

impl Engine {
    /// Whether results outlive the process.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self, Engine::Far { .. })
    }

    /// The names, nearest first. For "auto" there are none.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Engine::Auto => Vec::new(),
            Engine::Memory => vec![Near::Memory.name()],
            Engine::Moka => vec![Near::Moka.name()],
            Engine::Thread => vec!["thread"],
            Engine::Far { near, names } => {
                near.map(Near::name).into_iter().chain(names.iter().map(String::as_str)).collect()
            }
        }
    }
}

/// The names that exist beside those of engines that outlive the process.
const ENGINES: &[&str] = &["auto", "memory", "thread", "moka"];

impl Value for Engine {
    fn takes() -> Cow<'static, str> {
        "the name of an engine, such as \"memory\", or an array of names, nearest first".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let Expr::Array(array) = peel(value) else {
            return Ok(match named::<Self>(row, value, ENGINES)? {
                Named::Alone => Engine::Auto,
                Named::Near(Near::Memory) => Engine::Memory,
                Named::Near(Near::Moka) => Engine::Moka,
                Named::Thread => Engine::Thread,
                Named::Far(far) => Engine::Far { near: None, names: vec![far] },
            });
        };
        Self::parse_tiers(row, value, array)
    }
}

impl Engine {
    /// Reads an array of names.
    fn parse_tiers(row: &Row, value: &Expr, array: &ExprArray) -> Result<Self> {
        let mut errors = Errors::default();
        let mut near = None;
        let mut names: Vec<String> = Vec::new();
        for elem in &array.elems {
            let wrong = |message: &str| Error::new(message).at(elem);
            match errors.handle(named::<Self>(row, elem, ENGINES)) {
                Some(Named::Alone) => errors.push(wrong(
                    "\"auto\" cannot be in a list: name the engines, or write `engine = \"auto\"`",
                )),
                Some(Named::Thread) => {
                    errors.push(wrong(
                        "\"thread\" cannot be in a list, because results stay on their thread: write `engine = \
                         \"thread\"`, or name other engines",
                    ));
                }
                Some(Named::Near(_)) if near.is_some() => {
                    errors.push(wrong("one engine in memory is enough: remove the other"));
                }
                Some(Named::Near(_)) if !names.is_empty() => {
                    errors.push(wrong(
                        "the nearest engine comes first: put the one in memory before the others",
                    ));
                }
                Some(Named::Near(first)) => near = Some(first),
                Some(Named::Far(far)) if names.contains(&far) => {
                    errors.push(wrong("this engine is named twice: keep one"));
                }
                Some(Named::Far(far)) => names.push(far),
                None => {}
            }
        }
        if array.elems.is_empty() {
            errors.push(Error::new("name at least one engine, such as \"memory\"").at(value));
        }
        errors.finish()?;
        Ok(match near {
            Some(Near::Memory) if names.is_empty() => Engine::Memory,
            Some(Near::Moka) if names.is_empty() => Engine::Moka,
            near => Engine::Far { near, names },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means};

    #[test]
    fn engines() {
        assert_eq!(means("engine = \"auto\"").engine, Engine::Auto);
        assert_eq!(means("engine = \"memory\"").engine, Engine::Memory);
        assert_eq!(means("engine = [\"memory\"]").engine, Engine::Memory);
        let takes =
            "`engine` takes the name of an engine, such as \"memory\", or an array of names, nearest first";
        bad("engine = memory", takes);
        bad("engine = 1", takes);
        bad("engine(\"memory\")", takes);
        bad("engine", takes);
        bad("engine = ", takes);
        bad("engine = [memory]", takes);
        bad("engine = []", "name at least one engine, such as \"memory\"");
        bad("engine = \"memroy\"", "unknown engine \"memroy\": did you mean \"memory\"?");
        bad("engine = [\"memory\", \"memory\"]", "one engine in memory is enough: remove the other");
        bad(
            "engine = [\"memory\", \"auto\"]",
            "\"auto\" cannot be in a list: name the engines, or write `engine = \
             \"auto\"`",
        );
    }

    #[test]
    #[cfg(not(feature = "engines"))]
    fn engines_of_ones_own_need_their_feature() {
        bad(
            "engine = \"archive\"",
            "unknown engine \"archive\": there are \"auto\", \"memory\", \"thread\", \"moka\", \"disk\", \"redis\"",
        );
        bad("engine = \"disk\"", "engine \"disk\" needs the cargo feature `disk` of memo");
        bad("engine = \"redis\"", "engine \"redis\" needs the cargo feature `redis` of memo");
        bad("codec = \"json\"", "codec \"json\" needs the cargo feature `json` of memo");
    }

    #[test]
    #[cfg(feature = "engines")]
    fn engines_of_ones_own() {
        let far = |near, names: &[&str]| Engine::Far {
            near,
            names: names.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(means("engine = \"archive\"").engine, far(None, &["archive"]));
        assert_eq!(
            means("engine = [\"memory\", \"archive\", \"attic\"]").engine,
            far(Some(Near::Memory), &["archive", "attic"])
        );
        bad("engine = [\"archive\", \"archive\"]", "this engine is named twice: keep one");
        bad(
            "engine = [\"archive\", \"memory\"]",
            "the nearest engine comes first: put the one in memory before the others",
        );
    }

    #[test]
    #[cfg(not(feature = "moka"))]
    fn moka_needs_its_feature() {
        bad("engine = \"moka\"", "engine \"moka\" needs the cargo feature `moka` of memo");
    }

    #[test]
    #[cfg(feature = "moka")]
    fn moka() {
        assert_eq!(means("engine = \"moka\"").engine, Engine::Moka);
    }
}
