//! Types that the macro knows by their names, so that nothing has to be probed for them.
//!
//! What is generated for such a name compiles for the type of the language alone: a type of the author's that has the name
//! of a primitive one is an error, and never another key.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{FnArg, Pat, Path, Signature, Type};

/// Types that are copied into a key.
const COPIED: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize",
];

/// Whether this is the name of a primitive type that has values.
pub(super) fn is_primitive(ty: &Type) -> bool {
    name(ty).is_some_and(|path| COPIED.iter().any(|name| path.is_ident(name)))
}

/// Whether this is `str`, behind a reference without a lifetime, or with one.
pub(super) fn is_str(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) if reference.mutability.is_none() => {
            name(&reference.elem).is_some_and(|path| path.is_ident("str"))
        }
        Type::Paren(inner) => is_str(&inner.elem),
        Type::Group(inner) => is_str(&inner.elem),
        _ => false,
    }
}

fn name(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(path) if path.qself.is_none() => Some(&path.path),
        Type::Paren(inner) => name(&inner.elem),
        Type::Group(inner) => name(&inner.elem),
        _ => None,
    }
}

/// The signature without `mut` before its arguments, whose values are moved on.
pub(super) fn immutable(sig: &Signature) -> Signature {
    let mut sig = sig.clone();
    for input in &mut sig.inputs {
        if let FnArg::Typed(arg) = input
            && let Pat::Ident(name) = &mut *arg.pat
        {
            name.mutability = None;
        }
    }
    sig
}

/// The block with `first` before all that is in it. A block that a macro has taken as one is in a group without delimiters.
pub(super) fn after(first: &TokenStream, block: &TokenStream) -> TokenStream {
    let within = block.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let stream = group.stream();
            let within = match group.delimiter() {
                Delimiter::None => after(first, &stream),
                _ => quote!(#first #stream),
            };
            let mut all = Group::new(group.delimiter(), within);
            all.set_span(group.span());
            TokenTree::Group(all)
        }
        token => token,
    });
    within.collect()
}

/// Whether the block begins with `#![..]`.
pub(super) fn has_inner_attribute(block: &TokenStream) -> bool {
    let Some(TokenTree::Group(group)) = block.clone().into_iter().next() else { return false };
    if group.delimiter() == Delimiter::None {
        return has_inner_attribute(&group.stream());
    }
    let mut tokens = group.stream().into_iter();
    let mut next_is =
        |c: char| matches!(tokens.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == c);
    next_is('#') && next_is('!')
}
