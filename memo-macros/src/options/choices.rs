//! Options with few values: switches, `single_flight`, `on_error`, `code`, `codec`.

use std::borrow::Cow;

use memo_text::Row;
use syn::{Expr, Lit};

use super::forms::literal;
use super::given::{Value, takes_not};
use super::words::Choice;
use crate::errors::Result;

/// `true` or `false`. It is `DEFAULT` where the option is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switch<const DEFAULT: bool>(pub(crate) bool);

impl<const DEFAULT: bool> Default for Switch<DEFAULT> {
    fn default() -> Self {
        Switch(DEFAULT)
    }
}

impl<const DEFAULT: bool> Value for Switch<DEFAULT> {
    fn takes() -> Cow<'static, str> {
        "`true` or `false`".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(switch)) => Ok(Switch(switch.value)),
            _ => Err(takes_not::<Self>(row, value)),
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

impl Choice for SingleFlight {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("process", SingleFlight::Process),
        ("machine", SingleFlight::Machine),
        ("fleet", SingleFlight::Fleet),
    ];
    const FALSE: Option<Self> = Some(SingleFlight::Off);

    fn missing_feature(self, row: &Row, word: &str) -> Option<String> {
        let needs = matches!(self, SingleFlight::Machine | SingleFlight::Fleet) && !cfg!(feature = "engines");
        needs.then(|| {
            format!(
                "`{} = \"{word}\"` needs the cargo feature `engines` of memo, or that of an engine",
                row.name
            )
        })
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

/// Whether calls over a limit wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitWait {
    /// For their turn.
    Turn,
    /// They do not.
    None,
}

impl Choice for LimitWait {
    const WORDS: &'static [(&'static str, Self)] = &[("turn", LimitWait::Turn), ("none", LimitWait::None)];
}

impl Choice for OnError {
    const WORDS: &'static [(&'static str, Self)] = &[("one", OnError::One), ("all", OnError::All)];
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

impl Choice for Code {
    const WORDS: &'static [(&'static str, Self)] = &[("track", Code::Track), ("manual", Code::Manual)];
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

impl Choice for Codec {
    const WORDS: &'static [(&'static str, Self)] =
        &[("postcard", Codec::Postcard), ("messagepack", Codec::MessagePack), ("json", Codec::Json)];

    fn missing_feature(self, _: &Row, word: &str) -> Option<String> {
        let on = match self {
            Codec::Postcard => true,
            Codec::MessagePack => cfg!(feature = "messagepack"),
            Codec::Json => cfg!(feature = "json"),
        };
        (!on).then(|| format!("codec \"{word}\" needs the cargo feature `{word}` of memo"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, good, means};

    #[test]
    fn codes_and_codecs() {
        assert_eq!(means("code = \"track\"").code, Code::Track);
        assert_eq!(means("code = \"manual\"").code, Code::Manual);
        assert_eq!(means("codec = \"postcard\"").codec, Some(Codec::Postcard));
        #[cfg(feature = "messagepack")]
        assert_eq!(means("codec = \"messagepack\"").codec, Some(Codec::MessagePack));
        #[cfg(feature = "json")]
        assert_eq!(means("codec = \"json\"").codec, Some(Codec::Json));
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
    }

    #[test]
    fn what_to_do_on_an_error() {
        assert_eq!(means("limit_wait = \"none\"").limit_wait, Some(LimitWait::None));
        bad("limit_wait = false", "`limit_wait` takes \"turn\" or \"none\"");
        assert_eq!(means("on_error = \"one\"").on_error, Some(OnError::One));
        assert_eq!(means("on_error = \"all\"").on_error, Some(OnError::All));
        bad("on_error = true", "`on_error` takes \"one\" or \"all\"");
        bad("on_error = \"al\"", "`on_error` does not take \"al\": did you mean \"all\"?");
    }

    #[test]
    fn single_flights() {
        assert_eq!(means("single_flight = false").single_flight, Some(SingleFlight::Off));
        assert_eq!(means("single_flight = \"process\"").single_flight, Some(SingleFlight::Process));
        let takes = "`single_flight` takes `false`, \"process\", \"machine\" or \"fleet\"";
        bad("single_flight = true", takes);
        bad("single_flight", takes);
        bad("single_flight = process", takes);
        for (far, meant) in [("machine", SingleFlight::Machine), ("fleet", SingleFlight::Fleet)] {
            let option = format!("single_flight = \"{far}\"");
            if cfg!(feature = "engines") {
                assert_eq!(means(&option).single_flight, Some(meant));
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
