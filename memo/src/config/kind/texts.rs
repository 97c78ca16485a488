//! Options that are a path, an address or another text.

use std::path::{Path, PathBuf};

use super::wrong::{Wrong, wrong};
use crate::config::value::{Given, Setting};

pub(super) fn path(given: Given, directory: Option<&Path>) -> Result<Setting, Wrong> {
    let path = match given {
        Given::Text(text) if text.is_empty() => return wrong("the path is empty"),
        Given::Text(text) if text == "~" || text.starts_with("~/") => {
            return wrong("`~` is for shells: write the whole path");
        }
        Given::Text(text) => PathBuf::from(text),
        Given::Path(path) => path,
        given => return Err(Wrong::Unfit(given)),
    };
    Ok(Setting::Path(directory.map_or_else(|| path.clone(), |directory| directory.join(&path))))
}

pub(super) fn text(given: Given) -> Result<Setting, Wrong> {
    match given {
        Given::Text(text) if !text.is_empty() => Ok(Setting::Text(text)),
        given => Err(Wrong::Unfit(given)),
    }
}

/// What the addresses of an engine begin with.
#[derive(Debug)]
pub(in crate::config) struct Address {
    /// One of them.
    pub(in crate::config) example: &'static str,
    /// Whether this is the scheme of one.
    pub(in crate::config) is_scheme: fn(&str) -> bool,
}

pub(super) fn address(given: Given, address: &Address) -> Result<Setting, Wrong> {
    let Given::Text(text) = given else { return Err(Wrong::Unfit(given)) };
    is_address(&text, address).map_err(Wrong::Because)?;
    Ok(Setting::Address(text))
}

/// Whether `text` begins as an address of the engine does. That is enough to find what is no address, also in a build without
/// the engine, which reads the rest.
///
/// # Errors
///
/// What is wrong with it, without the text itself, which may hold a password.
fn is_address(text: &str, address: &Address) -> Result<(), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("it has no scheme".to_owned());
    };
    if rest.is_empty() {
        return Err("nothing stands behind its scheme".to_owned());
    }
    match (address.is_scheme)(scheme) {
        true => Ok(()),
        false => Err("its scheme is unknown".to_owned()),
    }
}
