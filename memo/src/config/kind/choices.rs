//! Options that choose among words.

use super::wrong::{Wrong, wrong};
use crate::config::value::{Given, Setting};
use crate::settings::{OnError, SingleFlight};

pub(super) fn switch(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Bool(flag) => Ok(Setting::Switch(flag)),
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn share(given: Given) -> Result<Setting, Wrong> {
    let text = match given {
        Given::Bool(false) => return Ok(Setting::Share(SingleFlight::Off)),
        Given::Text(text) => text,
        given => return Err(Wrong::Unfit(given)),
    };
    match text.as_str() {
        "process" => Ok(Setting::Share(SingleFlight::Process)),
        "machine" | "fleet" if !cfg!(feature = "engines") => {
            wrong(format!("\"{text}\" needs the feature `engines` of the crate `memo`, or that of an engine"))
        }
        "machine" => Ok(Setting::Share(SingleFlight::Machine)),
        "fleet" => Ok(Setting::Share(SingleFlight::Fleet)),
        _ => Err(Wrong::Unfit(Given::Text(text))),
    }
}

pub(super) fn on_error(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if text == "one" => Ok(Setting::OnError(OnError::One)),
        Given::Text(text) if text == "all" => Ok(Setting::OnError(OnError::All)),
        given => Err(Wrong::Unfit(given)),
    }
}
