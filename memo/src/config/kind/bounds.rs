//! Options that say how many, or how large.

use super::wrong::{Wrong, wrong};
use crate::config::value::{Given, Setting};

pub(super) fn bound(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Integer(0) => wrong("nothing would be stored: write `enabled = false` for that"),
        Given::Text(text) if text == "unbounded" => Ok(Setting::Bound(None)),
        Given::Integer(number) => at_least_one(number).map(|number| Setting::Bound(Some(number))),
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn at_once(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "unbounded" => Ok(Setting::Bound(None)),
        Given::Integer(number) => at_least_one(number).map(|number| Setting::Bound(Some(number))),
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn number(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Integer(number) => at_least_one(number).map(Setting::Number),
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn size(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) => Ok(Setting::Size(memo_text::size(&text)?)),
        Given::Integer(number) => {
            u64::try_from(number).map(Setting::Size).map_err(|_| Wrong::Unfit(Given::Integer(number)))
        }
        given => Err(Wrong::Unfit(given)),
    }
}

fn at_least_one(number: i128) -> Result<u64, Wrong> {
    let fits = u64::try_from(number).ok().filter(|number| *number > 0);
    fits.ok_or(Wrong::Unfit(Given::Integer(number)))
}
