//! Options that are a path, an address or another text.

use std::path::{Path, PathBuf};

use super::wrong::{Wrong, wrong};
use crate::config::value::{Given, Setting};

pub(super) fn path(given: Given, place: Option<&Path>) -> Result<Setting, Wrong> {
    let path = match given {
        Given::Text(text) if text.is_empty() => return wrong("the path is empty"),
        Given::Text(text) if text == "~" || text.starts_with("~/") => {
            return wrong("`~` is for shells: write the whole path");
        }
        Given::Text(text) => PathBuf::from(text),
        Given::Path(path) => path,
        given => return Err(Wrong::Unfit(given)),
    };
    Ok(Setting::Path(place.map_or_else(|| path.clone(), |place| place.join(&path))))
}

pub(super) fn text(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if !text.is_empty() => Ok(Setting::Text(text)),
        given => Err(Wrong::Unfit(given)),
    }
}

pub(super) fn address(given: Given) -> Result<Setting, Wrong> {
    let Given::Text(text) = given else { return Err(Wrong::Unfit(given)) };
    is_address(&text).map_err(Wrong::Because)?;
    Ok(Setting::Address(text))
}

/// Whether `text` begins as the address of a Redis does: enough to find what is no address, also where the engine that
/// reads the rest is not built in.
///
/// # Errors
///
/// What is wrong with it, without the text itself, which may hold a password.
fn is_address(text: &str) -> Result<(), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("it has no scheme".to_owned());
    };
    let (kind, way) = scheme.split_once('+').unwrap_or((scheme, ""));
    match (kind, way) {
        _ if rest.is_empty() => Err("nothing stands behind its scheme".to_owned()),
        ("redis" | "rediss" | "valkey" | "valkeys", "" | "cluster" | "sentinel") => Ok(()),
        ("redis" | "valkey", "unix") | ("unix", "") => Ok(()),
        _ => Err("its scheme is unknown".to_owned()),
    }
}
