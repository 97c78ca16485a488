//! Options with few values: switches, `single_flight`, `on_error`, `code`, `codec`.

use syn::{Expr, Lit};

use super::forms::literal;
use super::given::{Value, takes_not};
use super::words::word;
use crate::errors::{Error, Result};

/// `true` or `false`. `DEFAULT` is its meaning if the option is not given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switch<const DEFAULT: bool>(pub(crate) bool);

impl<const DEFAULT: bool> Value for Switch<DEFAULT> {
    const TAKES: &'static str = "`true` or `false`";
    type Meaning = bool;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.map_or(DEFAULT, |switch| switch.0)
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(switch)) => Ok(Switch(switch.value)),
            _ => Err(takes_not::<Self>(name, value)),
        }
    }
}

/// How far concurrent misses of one key share one computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SingleFlight {
    /// Each miss computes for itself.
    Off,
    /// One computation per process.
    Process,
    /// One computation per machine.
    Machine,
    /// One computation among all machines that share an engine.
    Fleet,
}

impl Value for SingleFlight {
    const TAKES: &'static str = "`false`, \"process\", \"machine\" or \"fleet\"";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(switch)) if !switch.value => Ok(SingleFlight::Off),
            _ => match word::<Self>(name, value, &["process", "machine", "fleet"])? {
                "process" => Ok(SingleFlight::Process),
                far if !cfg!(feature = "engines") => {
                    let message = format!(
                        "`{name} = \"{far}\"` needs the cargo feature `engines` of memo, or that of an engine"
                    );
                    Err(Error::new(message).at(value))
                }
                "machine" => Ok(SingleFlight::Machine),
                _ => Ok(SingleFlight::Fleet),
            },
        }
    }
}

/// What waiters do after an error that cannot be cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// One of them computes, and the others wait for it.
    One,
    /// All of them compute.
    All,
}

impl Value for OnError {
    const TAKES: &'static str = "\"one\" or \"all\"";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match word::<Self>(name, value, &["one", "all"])? {
            "one" => Ok(OnError::One),
            _ => Ok(OnError::All),
        }
    }
}

/// Whether an edit of the body makes stored results unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Code {
    /// An edit makes them unreachable.
    #[default]
    Track,
    /// Only another `version` does.
    Manual,
}

impl Value for Code {
    const TAKES: &'static str = "\"track\" or \"manual\"";
    type Meaning = Self;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.unwrap_or_default()
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        Ok(match word::<Self>(name, value, &["track", "manual"])? {
            "track" => Code::Track,
            _ => Code::Manual,
        })
    }
}

/// How stored results are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// postcard.
    Postcard,
    /// MessagePack.
    MessagePack,
    /// JSON.
    Json,
}

impl Value for Codec {
    const TAKES: &'static str = "\"postcard\", \"messagepack\" or \"json\"";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let needs = |feature: &str| {
            let message = format!("codec \"{feature}\" needs the cargo feature `{feature}` of memo");
            Err(Error::new(message).at(value))
        };
        match word::<Self>(name, value, &["postcard", "messagepack", "json"])? {
            "messagepack" if !cfg!(feature = "messagepack") => needs("messagepack"),
            "messagepack" => Ok(Codec::MessagePack),
            "json" if !cfg!(feature = "json") => needs("json"),
            "json" => Ok(Codec::Json),
            _ => Ok(Codec::Postcard),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::tests::{bad, good, value};

    #[test]
    fn codes_and_codecs() {
        assert_eq!(value(good("code = \"track\"").code), Code::Track);
        assert_eq!(value(good("code = \"manual\"").code), Code::Manual);
        assert_eq!(value(good("codec = \"postcard\"").codec), Codec::Postcard);
        #[cfg(feature = "messagepack")]
        assert_eq!(value(good("codec = \"messagepack\"").codec), Codec::MessagePack);
        #[cfg(feature = "json")]
        assert_eq!(value(good("codec = \"json\"").codec), Codec::Json);
        bad("code = track", "`code` takes \"track\" or \"manual\"");
        bad("codec = 1", "`codec` takes \"postcard\", \"messagepack\" or \"json\"");
        bad("codec = \"jsn\"", "`codec` does not take \"jsn\": did you mean \"json\"?");
    }

    #[test]
    fn switches() {
        for hint in ["persist = true", "shared = false", "large = true"] {
            good(hint);
        }
        bad("persist", "`persist` takes `true` or `false`");
        bad("cache_err = \"0s\"", "`cache_err` of zero would store nothing: give a longer one, or remove it");
        assert!(!value(good("cache_none = false").cache_none).0);
        assert!(value(good("cache_none = true").cache_none).0);
        bad("cache_none", "`cache_none` takes `true` or `false`");
        bad("cache_none = \"false\"", "`cache_none` takes `true` or `false`");
    }

    #[test]
    fn what_to_do_on_an_error() {
        assert_eq!(value(good("on_error = \"one\"").on_error), OnError::One);
        assert_eq!(value(good("on_error = \"all\"").on_error), OnError::All);
        bad("on_error = true", "`on_error` takes \"one\" or \"all\"");
        bad("on_error = \"al\"", "`on_error` does not take \"al\": did you mean \"all\"?");
    }

    #[test]
    fn single_flights() {
        assert_eq!(value(good("single_flight = false").single_flight), SingleFlight::Off);
        assert_eq!(value(good("single_flight = \"process\"").single_flight), SingleFlight::Process);
        let takes = "`single_flight` takes `false`, \"process\", \"machine\" or \"fleet\"";
        bad("single_flight = true", takes);
        bad("single_flight", takes);
        bad("single_flight = process", takes);
        for (far, meant) in [("machine", SingleFlight::Machine), ("fleet", SingleFlight::Fleet)] {
            let option = format!("single_flight = \"{far}\"");
            if cfg!(feature = "engines") {
                assert_eq!(value(good(&option).single_flight), meant);
            } else {
                bad(
                    &option,
                    &format!("`{option}` needs the cargo feature `engines` of memo, or that of an engine"),
                );
            }
        }
        bad(
            "single_flight = \"proces\"",
            "`single_flight` does not take \"proces\": did you mean \"process\"?",
        );
    }
}
