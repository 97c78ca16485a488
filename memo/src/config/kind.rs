//! What options take: what is expected, how the text of a variable is read, and which values are right.

mod bounds;
mod choices;
mod lifetimes;
mod names;
mod parts;
mod texts;
mod wrong;

use std::borrow::Cow;
use std::path::Path;

use super::value::{Given, Setting};
pub(super) use texts::Address;
use wrong::Wrong;

/// What an option takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Switch,
    Bound,
    AtOnce,
    Rate,
    Lifetime,
    Timeout,
    Ahead,
    Jitter,
    Time,
    Budget,
    Size,
    Number,
    Path,
    Text,
    Address(&'static Address),
    Engines,
    Fallback,
    Share,
    OnError,
    Patience,
}

impl Kind {
    fn expected(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Kind::Switch => "`true` or `false`",
            Kind::Bound | Kind::AtOnce => "a whole number of at least 1, or \"unbounded\"",
            Kind::Rate => "a rate such as \"100/s\" or \"100/s burst 20\", or \"none\"",
            Kind::Lifetime | Kind::Timeout => "a duration such as \"1h30m\", or \"none\"",
            Kind::Ahead => "a part of the lifetime between 0 and 1 such as 0.8, \"auto\", or \"none\"",
            Kind::Jitter => "a percentage below 100 such as \"10%\", or \"none\"",
            Kind::Time | Kind::Budget => "a duration such as \"250ms\"",
            Kind::Size => "a size such as \"64MiB\", or a whole number of bytes",
            Kind::Number => "a whole number of at least 1",
            Kind::Path => "a path, as a text",
            Kind::Text => "a text that is not empty",
            Kind::Address(address) => return format!("a URL such as {:?}", address.example).into(),
            Kind::Engines => "an engine such as \"disk\", or an array of them, nearest first",
            Kind::Fallback => "an engine such as \"memory\", an array of them, or \"none\"",
            Kind::Share => "`false`, \"process\", \"machine\" or \"fleet\"",
            Kind::OnError => "\"one\" or \"all\"",
            Kind::Patience => "a duration such as \"10s\", or \"never\"",
        })
    }

    /// The value that the text of an environment variable stands for.
    pub(super) fn read(self, text: &str) -> Given {
        let text = text.to_owned();
        match self {
            Kind::Lifetime
            | Kind::Timeout
            | Kind::Rate
            | Kind::Ahead
            | Kind::Jitter
            | Kind::Time
            | Kind::Budget
            | Kind::Path
            | Kind::Text
            | Kind::Address(_)
            | Kind::OnError
            | Kind::Patience => Given::Text(text),
            Kind::Engines | Kind::Fallback if text.contains(',') => {
                Given::List(text.split(',').map(|name| Given::Text(name.trim().to_owned())).collect())
            }
            Kind::Engines | Kind::Fallback => Given::Text(text),
            Kind::Switch | Kind::Bound | Kind::AtOnce | Kind::Size | Kind::Number | Kind::Share => {
                let number = text.replace('_', "").parse().map(Given::Integer);
                number.ok().or_else(|| text.parse().ok().map(Given::Bool)).unwrap_or(Given::Text(text))
            }
        }
    }

    /// The setting that `given` stands for. Relative paths start at `directory`. With `strict`, an engine that is neither built
    /// in nor registered is wrong. Otherwise it may be registered later, and is wrong only if its name looks like a slip.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what to write.
    pub(super) fn check(
        self,
        given: Given,
        directory: Option<&Path>,
        strict: bool,
    ) -> Result<Setting, String> {
        let checked = match self {
            Kind::Switch => choices::switch(given),
            Kind::Share => choices::share(given),
            Kind::OnError => choices::on_error(given),
            Kind::Bound => bounds::bound(given),
            Kind::AtOnce => bounds::at_once(given),
            Kind::Number => bounds::number(given),
            Kind::Size => bounds::size(given),
            Kind::Lifetime => lifetimes::lifetime(given),
            Kind::Timeout => lifetimes::timeout(given),
            Kind::Rate => parts::rate(given),
            Kind::Ahead => parts::ahead(given),
            Kind::Jitter => parts::jitter(given),
            Kind::Time => lifetimes::time(given),
            Kind::Budget => lifetimes::budget(given),
            Kind::Patience => lifetimes::patience(given),
            Kind::Path => texts::path(given, directory),
            Kind::Text => texts::text(given),
            Kind::Address(address) => texts::address(given, address),
            Kind::Engines => names::engines(given, strict),
            Kind::Fallback => names::fallback(given, strict),
        };
        checked.map_err(|wrong| match wrong {
            Wrong::Unfit(given) => format!("expected {}, not {}", self.expected(), given.describe()),
            Wrong::Because(why) => format!("expected {}: {why}", self.expected()),
            Wrong::Message(message) => message,
        })
    }
}
