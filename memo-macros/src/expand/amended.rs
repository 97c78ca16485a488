//! The author's signature and body with small changes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{FnArg, Pat, Signature};

/// The signature without `mut` before its arguments. A function that only moves them on need not change them.
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
pub(super) fn beginning_with(first: &TokenStream, block: &TokenStream) -> TokenStream {
    let within = block.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let stream = group.stream();
            let within = match group.delimiter() {
                Delimiter::None => beginning_with(first, &stream),
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
