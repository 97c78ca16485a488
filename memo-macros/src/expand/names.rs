//! Names, spans and attributes of what is generated.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Path};

use crate::model::Model;

/// The path of the module that generated code may name.
pub(super) fn private(model: &Model) -> Path {
    let krate = &model.options.krate.0;
    syn::parse_quote!(#krate::__private)
}

/// What the author's lints may not find in items of ours.
pub(super) fn quiet() -> TokenStream {
    quote!(#[allow(
        dead_code, deprecated, missing_docs, unused_imports, unused_variables,
        clippy::all, clippy::pedantic, clippy::nursery
    )])
}

/// The attributes that decide whether the function is there at all. Each item beside it carries them too.
pub(super) fn cfgs(model: &Model) -> Vec<&Attribute> {
    model.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}

/// A name that meets none of the author's: neither an argument, nor (which hygiene leaves visible) a constant.
pub(super) fn hidden(name: &str) -> Ident {
    hidden_at(name, Span::call_site())
}

/// A name that meets none of the author's. Errors about it point at `span`.
pub(super) fn hidden_at(name: &str, span: Span) -> Ident {
    format_ident!("__{name}", span = pointing_at(span))
}

/// The span for a call of ours on a name of ours, whose errors are the author's. It has to have the hygiene of the
/// name: where the two differ, the compiler points at the attribute.
pub(super) fn pointing_at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}
