//! Options that are a part of something else, or a rate.

use super::wrong::{Wrong, wrong};
use crate::config::value::{Given, Setting};
use crate::settings::freshness::{Jitter, RefreshAhead};

pub(super) fn ahead(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "none" => Ok(Setting::Ahead(None)),
        Given::Text(text) if text == "auto" => Ok(Setting::Ahead(Some(RefreshAhead::Auto))),
        Given::Text(text) | Given::Fraction(text) => {
            Ok(Setting::Ahead(Some(RefreshAhead::From(memo_text::part(&text)?))))
        }
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn jitter(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "none" => Ok(Setting::Jitter(None)),
        Given::Text(text) => Ok(Setting::Jitter(Some(Jitter(memo_text::percentage(&text)?)))),
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn rate(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "none" => Ok(Setting::Rate(None)),
        Given::Text(_) if !cfg!(feature = "limit") => wrong("the cargo feature `limit` of memo is off"),
        Given::Text(text) => Ok(Setting::Rate(Some(memo_text::rate(&text)?))),
        given => Err(Wrong::Unfit(given)),
    }
}
