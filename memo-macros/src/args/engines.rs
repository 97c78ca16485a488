//! `engine` and `fallback`: names of engines.

use darling::{Error, Result};
use memo_text::nearest;
use syn::Expr;

use super::forms::{peel, string};
use super::given::{Value, takes_not};
use super::words::unknown_word;

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
    /// A table of each thread's own.
    Thread,
    /// Engines that outlive the process, nearest first, by the names under which they are registered; perhaps with
    /// one in memory before them.
    Far {
        /// The one in memory.
        near: Option<Near>,
        /// The others.
        names: Vec<String>,
    },
}

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

impl Engine {
    /// Whether results outlive the process.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self, Engine::Far { .. })
    }

    /// The names, nearest first; none for "auto".
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

/// What stands in while engines that outlive the process are unavailable; nothing at all for "none".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fallback {
    /// Engines that outlive the process, in order.
    pub(crate) far: Vec<String>,
    /// After those, one in memory.
    pub(crate) near: Option<Near>,
}

impl Fallback {
    /// The names, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.far.iter().map(String::as_str).chain(self.near.map(Near::name)).collect()
    }
}

/// The engines there are to be, available or not.
const ENGINES: &[&str] = &["auto", "memory", "thread", "moka", "disk", "redis"];

impl Value for Engine {
    const TAKES: &'static str =
        "the name of an engine, such as \"memory\", or an array of names, nearest first";
    type Meaning = Self;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.unwrap_or_default()
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let Expr::Array(array) = peel(value) else {
            return Ok(match one_engine::<Self>(name, value, ENGINES)? {
                One::Alone => Engine::Auto,
                One::Near(Near::Memory) => Engine::Memory,
                One::Near(Near::Moka) => Engine::Moka,
                One::Thread => Engine::Thread,
                One::Far(far) => Engine::Far { near: None, names: vec![far] },
            });
        };
        let mut errors = Error::accumulator();
        let mut near = None;
        let mut names: Vec<String> = Vec::new();
        for elem in &array.elems {
            let wrong = |message: &str| Error::custom(message).with_span(elem);
            match errors.handle(one_engine::<Self>(name, elem, ENGINES)) {
                Some(One::Alone) => {
                    errors.push(wrong("\"auto\" stands alone: name the engines, or say \"auto\""))
                }
                Some(One::Thread) => {
                    errors.push(wrong(
                        "\"thread\" stands alone, as results stay on their thread: say `engine = \"thread\"`, \
                         or name other engines",
                    ));
                }
                Some(One::Near(_)) if near.is_some() => {
                    errors.push(wrong("one engine in memory is enough: remove the other"));
                }
                Some(One::Near(_)) if !names.is_empty() => {
                    errors.push(wrong(
                        "the nearest engine comes first: put the one in memory before the others",
                    ));
                }
                Some(One::Near(first)) => near = Some(first),
                Some(One::Far(far)) if names.contains(&far) => {
                    errors.push(wrong("this engine is named twice: keep one"));
                }
                Some(One::Far(far)) => names.push(far),
                None => {}
            }
        }
        if array.elems.is_empty() {
            errors.push(Error::custom("name at least one engine, such as \"memory\"").with_span(value));
        }
        errors.finish()?;
        Ok(match near {
            Some(Near::Memory) if names.is_empty() => Engine::Memory,
            Some(Near::Moka) if names.is_empty() => Engine::Moka,
            near => Engine::Far { near, names },
        })
    }
}

/// One name of an engine.
enum One {
    /// The word that stands alone: "auto", "none".
    Alone,
    Near(Near),
    Thread,
    Far(String),
}

fn one_engine<T: Value>(name: &str, value: &Expr, words: &[&str]) -> Result<One> {
    let text = string(value).ok_or_else(|| takes_not::<T>(name, value))?;
    let wrong = |message: String| Err(Error::custom(message).with_span(value));
    match text.value().as_str() {
        word @ ("auto" | "none") if words.contains(&word) => Ok(One::Alone),
        "memory" => Ok(One::Near(Near::Memory)),
        "thread" => Ok(One::Thread),
        "moka" if cfg!(feature = "moka") => Ok(One::Near(Near::Moka)),
        "disk" if cfg!(feature = "disk") => Ok(One::Far("disk".to_owned())),
        "redis" if cfg!(feature = "redis") => Ok(One::Far("redis".to_owned())),
        known @ ("moka" | "disk" | "redis") => {
            wrong(format!("engine \"{known}\" needs the cargo feature `{known}` of memo"))
        }
        // what is registered as the program runs cannot be known here; a slip of the pen can
        own if cfg!(feature = "engines")
            && nearest(own, words.iter().copied()).is_none()
            && !own.is_empty() =>
        {
            Ok(One::Far(own.to_owned()))
        }
        _ => Err(unknown_word(name, text, words)),
    }
}

/// Why "thread" is no fallback.
const THREAD_STANDS_IN: &str =
    "a thread's own table does not stand in for what threads share: use \"memory\"";

/// What there is to stand in, available or not.
const FALLBACKS: &[&str] = &["none", "memory", "moka", "disk", "redis"];

impl Value for Fallback {
    const TAKES: &'static str = "the name of an engine, an array of names, or \"none\"";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let mut fallback = Fallback { far: Vec::new(), near: None };
        let Expr::Array(array) = peel(value) else {
            match one_engine::<Self>(name, value, FALLBACKS)? {
                One::Alone => {}
                One::Near(near) => fallback.near = Some(near),
                One::Thread => return Err(Error::custom(THREAD_STANDS_IN).with_span(value)),
                One::Far(far) => fallback.far.push(far),
            }
            return Ok(fallback);
        };
        let mut errors = Error::accumulator();
        for elem in &array.elems {
            let wrong = |message: &str| Error::custom(message).with_span(elem);
            match errors.handle(one_engine::<Self>(name, elem, FALLBACKS)) {
                Some(One::Alone) => {
                    errors.push(wrong("\"none\" stands alone: name the engines, or say \"none\""));
                }
                Some(One::Thread) => errors.push(wrong(THREAD_STANDS_IN)),
                Some(_) if fallback.near.is_some() => {
                    errors.push(wrong("an engine in memory never fails: nothing is used after it"));
                }
                Some(One::Near(near)) => fallback.near = Some(near),
                Some(One::Far(far)) if fallback.far.contains(&far) => {
                    errors.push(wrong("this engine is named twice: keep one"));
                }
                Some(One::Far(far)) => fallback.far.push(far),
                None => {}
            }
        }
        if array.elems.is_empty() {
            errors.push(Error::custom("name at least one engine, or say \"none\"").with_span(value));
        }
        errors.finish_with(fallback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::tests::{bad, good, value};

    #[test]
    fn engines() {
        assert_eq!(value(good("engine = \"auto\"").engine), Engine::Auto);
        assert_eq!(value(good("engine = \"memory\"").engine), Engine::Memory);
        assert_eq!(value(good("engine = [\"memory\"]").engine), Engine::Memory);
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
        bad("engine = [\"memory\", \"auto\"]", "\"auto\" stands alone: name the engines, or say \"auto\"");
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
        assert_eq!(value(good("engine = \"archive\"").engine), far(None, &["archive"]));
        assert_eq!(
            value(good("engine = [\"memory\", \"archive\", \"attic\"]").engine),
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
        assert_eq!(value(good("engine = \"moka\"").engine), Engine::Moka);
    }
}
