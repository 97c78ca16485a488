//! Whether a function stands in an `impl`, in a trait, or by itself.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Signature, Visibility};

use super::header::{Header, kind};
use super::source::Source;

/// Where a function stands, which decides what may stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a module or in a block: other items may stand beside it.
    Free,
    /// In an `impl Type`: associated functions may stand beside it.
    Inherent,
    /// In an `impl Trait for Type`, in a `trait`, or in a place that is unknown: nothing may stand beside it.
    Trait,
}

/// Where the function stands. `explicit` says whether the author gave the companion a name. If the source does not tell the
/// place, a name means that there is room for a companion.
pub(crate) fn place(vis: &Visibility, sig: &Signature, body: &TokenStream, explicit: bool) -> Place {
    let associated =
        || sig.receiver().is_some() || names_self(sig.to_token_stream()) || names_self(body.clone());
    match in_source(sig.fn_token.span) {
        // A function with `self` stands in an `impl`. If the source shows none, a macro has moved it.
        Some(Place::Free) if sig.receiver().is_some() => guess(vis, associated(), explicit),
        Some(place) => place,
        None => guess(vis, associated(), explicit),
    }
}

/// The place to take where the source does not tell.
fn guess(vis: &Visibility, associated: bool, explicit: bool) -> Place {
    match vis {
        _ if !associated => Place::Free,
        // In a trait and in its impls no visibility is allowed, so there may or may not be room here.
        Visibility::Inherited if !explicit => Place::Trait,
        _ => Place::Inherent,
    }
}

/// Whether `Self` is among the tokens.
fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => names_self(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// What the source says of the place of this `fn` token. `None` if it cannot be told.
fn in_source(fn_token: Span) -> Option<Place> {
    let (source, offset) = Source::of(fn_token)?;
    source.place(offset)
}

impl Source {
    /// The place of the function at the offset. `None` if it cannot be told.
    fn place(&self, offset: usize) -> Option<Place> {
        let openings = self.brackets.open_at(offset)?;
        for (depth, opening) in openings.iter().enumerate().rev() {
            let header = &self.bare[opening.header..opening.at];
            if self.bare[opening.at..].starts_with('{') {
                return match kind(header)? {
                    Header::Impl => Some(Place::Inherent),
                    Header::Trait => Some(Place::Trait),
                    Header::Other => Some(Place::Free),
                    // An arm of a `match` is a block; an arm of a macro may end up anywhere.
                    Header::Arm => {
                        let headers =
                            openings[..depth].iter().map(|opening| &self.bare[opening.header..opening.at]);
                        let in_macro =
                            headers.map(kind).any(|kind| matches!(kind, None | Some(Header::Macro)));
                        (!in_macro).then_some(Place::Free)
                    }
                    Header::Macro => None,
                };
            }
            // `$( .. )*` in a macro is no place. The arguments of a macro may end up anywhere.
            if !header.trim_end().ends_with('$') {
                return None;
            }
        }
        Some(Place::Free)
    }
}

#[cfg(test)]
mod tests;
