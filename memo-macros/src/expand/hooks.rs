//! The hooks of a function, as the function that makes them: what looks at keys and results, and what their types can do.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::kind::is_far;
use super::names::{hidden_at, pointing_at, private};
use crate::model::{CacheNone, Model};

/// The function that gives hooks to those that it is handed. Where there are none it is the runtime's own.
pub(super) fn hooks(model: &Model) -> TokenStream {
    let hooks = hidden_at("hooks", model.output.span());
    let mut calls = given(model);
    if !matches!(model.options.cache_none, CacheNone::Yes) {
        calls.push(quote_spanned!(hooks.span()=> .tell_none()));
    }
    if model.options.engine.is_far() {
        calls.push(far(model));
    }
    let (asked, told) = abilities(model, &hooks);
    calls.extend(told);
    match asked[..] {
        [] if calls.is_empty() => {
            let private = private(model);
            quote!(#private::no_hooks)
        }
        [] => quote!(|#hooks| #hooks #(#calls)*),
        _ => quote!(|#hooks| {
            #(#asked)*
            #hooks #(#calls)*
        }),
    }
}

/// The calls that hand over the author's functions. An error in one points at it.
fn given(model: &Model) -> Vec<TokenStream> {
    let options = &model.options;
    let given = [
        ("weigh", &options.weigh),
        ("ttl_of", &options.ttl_of),
        ("cache_if", &options.cache_if),
        ("valid_if", &options.valid_if),
    ];
    given
        .into_iter()
        .filter_map(|(name, callback)| {
            let (name, callback) = (format_ident!("{name}"), &callback.as_ref()?.0);
            Some(quote_spanned!(callback.span()=> .#name(#callback)))
        })
        .collect()
}

/// The call that hands over how keys and results become bytes. An error about the type of the key points at what the key is
/// made of, and one about the result at its type.
fn far(model: &Model) -> TokenStream {
    let private = private(model);
    let arguments = model.args.iter().find(|arg| !arg.skipped).map(|arg| arg.ty.span());
    let receiver = model.receiver.as_ref().map(|receiver| receiver.span);
    let key = model.options.key.as_ref().map(|key| key.0.span()).or(arguments).or(receiver);
    let key = pointing_at(key.unwrap_or_else(|| model.sig.ident.span()));
    let key = at(key, quote!(#private::far_key));
    let value = at(pointing_at(model.output.span()), quote!(#private::far_value));
    quote!(.far(#key, #value))
}

/// What the types of keys and results can do: the statements that ask them, and the calls that tell `hooks` the answers.
fn abilities(model: &Model, hooks: &Ident) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let name = |name: &str| hidden_at(name, model.output.span());
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    let mut ask = |call: TokenStream, name: Ident, answer: TokenStream| {
        asked.push(quote!(let #name = #answer;));
        told.push(quote!(.#call(#name)));
    };
    if model.traced {
        let shown = name("shown");
        let answer = asking(model, &quote!(show), &shown, &quote!(#hooks.keys()), &quote!(#shown.shown()));
        ask(quote!(shown), shown, answer);
    }
    if model.may_outlive() {
        let types = name("types");
        let answer = answers(model, &types, &quote!(#hooks.types()));
        ask(quote!(able), types, answer);
    }
    if is_far(model) {
        let equal = name("equal");
        let answer =
            asking(model, &quote!(able), &equal, &quote!(#hooks.types()), &quote!(#equal.value_equal()));
        ask(quote!(equal), equal, answer);
    }
    (asked, told)
}

/// The expression that asks the types of keys and results whether they have bytes, and what they are made of. `expr` gives the
/// probe for them, which has the name `types` there.
pub(super) fn answers(model: &Model, types: &Ident, expr: &TokenStream) -> TokenStream {
    let answers = quote!((#types.key_bytes(), #types.value_bytes(), #types.parts()));
    asking(model, &quote!(able), types, expr, &answers)
}

/// The expression `answer`, in which the traits of the runtime's module `ways` can be called on `asked`, which is a reference to
/// what `expr` gives. It is a block, so that the author's expressions do not see what it imports.
fn asking(
    model: &Model,
    ways: &TokenStream,
    asked: &Ident,
    expr: &TokenStream,
    answer: &TokenStream,
) -> TokenStream {
    let private = private(model);
    // of several traits one is used, and which it is depends on the type
    quote!({
        #[allow(unused_imports, clippy::all, clippy::pedantic)]
        use #private::#ways::*;
        let #asked = &#expr;
        #answer
    })
}

/// `path` with all its tokens at `span`, so that errors about it point there.
fn at(span: Span, path: TokenStream) -> TokenStream {
    let tokens = path.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}
