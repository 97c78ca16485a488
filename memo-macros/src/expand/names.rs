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

/// The attribute that keeps the author's lints from finding anything in an item of ours.
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

/// A name that the author does not use. Hygiene alone would not do, since it lets a constant of the same name be seen.
pub(super) fn hidden(name: &str) -> Ident {
    hidden_at(name, Span::call_site())
}

/// A name that the author does not use. Errors about it point at `span`.
pub(super) fn hidden_at(name: &str, span: Span) -> Ident {
    format_ident!("__{name}", span = pointing_at(span))
}

/// The span for code of ours whose errors the author has caused at `span`. It has the hygiene of our names, because the compiler
/// points at the attribute where a call and a name in it differ in that.
pub(super) fn pointing_at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}
