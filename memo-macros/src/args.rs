//! The options of `#[memoize]`, read from what stands in its brackets.
//!
//! Parsing reports every mistake that can be seen in one option alone, each on its token, and goes on.
//! An option whose value was wrong stays known as given, so that no second error follows from the first.

mod bounds;
mod callbacks;
mod choices;
mod engines;
mod forms;
mod given;
mod identity;
mod keys;
mod lifetimes;
mod options;
#[cfg(test)]
mod tests;
mod words;

use darling::ast::NestedMeta;
use darling::error::Accumulator;
use darling::{Error, FromMeta};
use memo_text::nearest;
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Meta, MetaNameValue, Path};

pub(crate) use self::bounds::{Capacity, MaxWeight};
pub(crate) use self::choices::{Code, Codec, OnError, SingleFlight};
pub(crate) use self::engines::{Engine, Fallback};
pub(crate) use self::given::Given;
pub(crate) use self::identity::CompanionName;
pub(crate) use self::keys::ReceiverKey;
pub(crate) use self::lifetimes::{CacheErr, Lifetime, Patience};
pub(crate) use self::options::Args;
use self::options::NAMES;
use self::words::list;

impl Args {
    /// Reads what stands in the brackets of the attribute.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Accumulator) -> Self {
        let mut args = Args::default();
        match NestedMeta::parse_meta_list(tokens) {
            Ok(items) => {
                let mut meant = Vec::new();
                let items = known_once(items, &mut meant, errors);
                args = errors.handle(Args::from_list(&items)).unwrap_or_default();
                for (name, key) in meant {
                    args.presume(&name, key);
                }
            }
            Err(error) => {
                // There may have been one in what cannot be read.
                args.presume("key", error.span());
                errors.push(error.into());
            }
        }
        args.report(errors);
        args
    }
}

/// The items that are known options, each once; the others are reported, and what was meant by them is
/// noted.
fn known_once(
    items: Vec<NestedMeta>,
    meant: &mut Vec<(String, Span)>,
    errors: &mut Accumulator,
) -> Vec<NestedMeta> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for item in items {
        let meta = match item {
            NestedMeta::Meta(meta) => meta,
            // What is no expression is refused by its option, which knows what it takes.
            NestedMeta::NameValueInvalidExpr(wrong) => Meta::NameValue(MetaNameValue {
                path: wrong.path,
                eq_token: wrong.eq_token,
                value: Expr::Verbatim(wrong.value),
            }),
            NestedMeta::Lit(literal) => {
                let message = "expected an option, such as `ttl = \"5m\"`: a value needs its option's name";
                errors.push(Error::custom(message).with_span(&literal));
                continue;
            }
        };
        let name = meta.path().require_ident().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        if !NAMES.contains(&name.as_str()) {
            meant.extend(
                nearest(&name, NAMES.iter().copied()).map(|option| (option.to_owned(), meta.path().span())),
            );
            errors.push(unknown_option(meta.path(), &name));
        } else if seen.contains(&name) {
            let message = match name.as_str() {
                "skip" => "`skip` is given twice: name all arguments in one, as in `skip(a, b)`".to_owned(),
                _ => format!("`{name}` is given twice: keep one"),
            };
            errors.push(Error::custom(message).with_span(meta.path()));
        } else {
            seen.push(name);
            kept.push(NestedMeta::Meta(meta));
        }
    }
    kept
}

fn unknown_option(path: &Path, name: &str) -> Error {
    let written =
        path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
    let message = match nearest(name, NAMES.iter().copied()) {
        Some(nearest) => format!("unknown option `{written}`: did you mean `{nearest}`?"),
        None => format!("unknown option `{written}`: the options are {}", list(NAMES, '`')),
    };
    Error::custom(message).with_span(path)
}
