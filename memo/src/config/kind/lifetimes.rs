//! Options that say how long.

use std::time::Duration;

use super::wrong::{Wrong, wrong};
use crate::config::value::{Given, Setting};
use crate::settings::WITHOUT_END;

pub(super) fn lifetime(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "none" => Ok(Setting::Lifetime(None)),
        given => Ok(Setting::Lifetime(Some(duration(given, "s", "seconds")?))),
    }
}

pub(super) fn timeout(given: Given) -> Result<Setting, Wrong> {
    match lifetime(given)? {
        Setting::Lifetime(Some(Duration::ZERO)) => {
            wrong("every computation would be given up: write \"none\" for no timeout")
        }
        timeout => Ok(timeout),
    }
}

pub(super) fn time(given: Given) -> Result<Setting, Wrong> {
    duration(given, "ms", "milliseconds").map(Setting::Time)
}

pub(super) fn budget(given: Given) -> Result<Setting, Wrong> {
    match duration(given, "ms", "milliseconds")? {
        Duration::ZERO => wrong("no call would be in time: leave the engine out of `engine` instead"),
        budget => Ok(Setting::Time(budget)),
    }
}

pub(super) fn patience(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "never" => Ok(Setting::Patience(WITHOUT_END)),
        given => match duration(given, "s", "seconds")? {
            Duration::ZERO => wrong("it would wait for nobody: write `single_flight = false` for that"),
            patience => Ok(Setting::Patience(patience)),
        },
    }
}

/// A length of time. For a number without a unit, the error proposes `unit`.
fn duration(given: Given, unit: &str, units: &str) -> Result<Duration, Wrong> {
    match given {
        Given::Text(text) => Ok(memo_text::duration(&text)?),
        Given::Duration(length) => Ok(length),
        Given::Integer(number) => {
            wrong(format!("the number {number} needs a unit: write \"{number}{unit}\" for {units}"))
        }
        given => Err(Wrong::Unfit(given)),
    }
}
