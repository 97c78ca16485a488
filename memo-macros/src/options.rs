//! The options of `#[memoize]`, read from what stands in its brackets.
//!
//! Parsing reports every mistake that can be seen in one option alone, each on its token, and goes on.
//! An option whose value was wrong stays known as given, so that no second error follows from the first.

mod bounds;
mod callbacks;
mod choices;
mod declared;
mod durations;
mod engine_name;
mod engines;
mod fallback;
mod forms;
mod freshness;
mod given;
mod identity;
mod item;
mod keys;
mod limit;
#[cfg(test)]
mod tests;
mod words;

use memo_text::{OPTIONS, nearest};
use proc_macro2::{Span, TokenStream};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

pub(crate) use self::bounds::{Capacity, Count, MaxWeight};
pub(crate) use self::choices::{Code, Codec, LimitWait, OnError, SingleFlight};
use self::declared::ReadError;
pub(crate) use self::declared::{GivenOptions, Options};
pub(crate) use self::durations::{CacheErr, CacheNone, Length, Patience};
pub(crate) use self::engines::Engine;
pub(crate) use self::fallback::Fallback;
pub(crate) use self::freshness::{Jitter, RefreshAhead};
pub(crate) use self::given::Given;
pub(crate) use self::identity::{CompanionName, Name, Version};
use self::item::{Item, items};
pub(crate) use self::keys::{Condition, ReceiverKey};
pub(crate) use self::limit::Limit;
use self::words::list;
use crate::errors::{Error, Errors, Result};

impl GivenOptions {
    /// Reads what stands in the brackets of the attribute.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut given = GivenOptions::default();
        let mut meant = Vec::new();
        match items(tokens) {
            Ok(items) => {
                for item in items {
                    errors.handle(given.read_item(&item, &mut meant));
                }
            }
            Err(error) => {
                // What cannot be read may hold a `key`. Then no rule about arguments may report a second error.
                meant.push(("key", error.span()));
                errors.push(error.into());
            }
        }
        // This comes last, because a misspelled option must not make the right one count as given twice.
        for (name, key) in meant {
            given.presume(name, key);
        }
        given
    }

    /// Reads one of the items between the commas. If its name does not exist, the option that was probably meant is added to
    /// `meant`.
    fn read_item(&mut self, item: &Item, meant: &mut Vec<(&'static str, Span)>) -> Result<()> {
        let (path, written) = match item {
            Item::Named(path, written) => (path, written),
            Item::Literal(literal) => {
                let message = "expected an option, such as `ttl = \"5m\"`: a value needs its option's name";
                return Err(Error::new(message).at(literal));
            }
        };
        let name = path.require_ident().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        let message = match self.read(&name, path.span(), written) {
            Ok(()) => return Ok(()),
            Err(ReadError::Value(error)) => return Err(error),
            Err(ReadError::Twice) if name == "skip" => {
                "`skip` is given twice: name all arguments in one, as in `skip(a, b)`".to_owned()
            }
            Err(ReadError::Twice) => format!("`{name}` is given twice: keep one"),
            Err(ReadError::Unknown) => {
                let nearest = nearest(&name, names());
                meant.extend(nearest.map(|option| (option, path.span())));
                unknown_option(path, nearest)
            }
        };
        Err(Error::new(message).at(path))
    }
}

/// The names of all options, in the order of the documentation.
fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|row| row.name)
}

fn unknown_option(path: &Path, nearest: Option<&str>) -> String {
    let written: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let written = written.join("::");
    match nearest {
        Some(nearest) => format!("unknown option `{written}`: did you mean `{nearest}`?"),
        None => format!("unknown option `{written}`: the options are {}", list(names(), '`')),
    }
}
