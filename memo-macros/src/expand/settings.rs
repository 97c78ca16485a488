//! What the author has set, as expressions for the runtime.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, GenericParam, Lit, LitInt};

use super::kind::{has_self, is_far};
use super::names::{hidden, hidden_at, pointing_at, private, quiet};
use crate::enclosing::Namesakes;
use crate::model::{
    CacheErr, Capacity, Code, Codec, Lifetime, MaxWeight, Model, OnError, Patience, Place, SingleFlight,
};

/// The function that gives `Settings`: what does not depend on the types of keys and results. Without options it is the
/// runtime's own, which is compiled once.
pub(super) fn settings(model: &Model) -> TokenStream {
    let private = private(model);
    let options = &model.options;
    let mut calls = Vec::new();
    if has_self(model) {
        calls.push(quote!(.owner(#private::type_name::<Self>())));
    }
    if let Some(name) = &options.name {
        calls.push(quote!(.name(#name)));
    }
    if options.version != 0 {
        let version = options.version;
        calls.push(quote!(.version(#version)));
    }
    let engines = options.engine.names();
    if model.on_thread() {
        calls.push(quote!(.on_thread()));
    } else if !engines.is_empty() {
        calls.push(quote!(.engines(&[#(#engines),*])));
    }
    if is_far(model) {
        calls.extend(far(model));
    }
    if let Some(ttl) = &options.ttl {
        let ttl = lifetime(model, ttl);
        calls.push(quote!(.ttl(#ttl)));
    }
    if let Some(tti) = &options.tti {
        let tti = lifetime(model, tti);
        calls.push(quote!(.tti(#tti)));
    }
    if options.ttl_of.is_some() {
        calls.push(quote!(.ttl_of()));
    }
    if let Some(CacheErr::For(ttl)) = &options.cache_err {
        let ttl = lifetime(model, ttl);
        calls.push(quote!(.error_ttl(#ttl)));
    }
    match &options.capacity {
        Some(Capacity::Unbounded) => calls.push(quote!(.unbounded())),
        Some(Capacity::Expr(capacity)) => {
            let capacity = count(capacity);
            calls.push(quote!(.capacity(#capacity)));
        }
        None => {}
    }
    match &options.max_weight {
        Some(MaxWeight::Bytes(bytes)) => calls.push(quote!(.max_weight(#bytes))),
        Some(MaxWeight::Expr(weight)) => {
            let weight = count(weight);
            calls.push(quote!(.max_weight(#weight)));
        }
        None => {}
    }
    if let Some(single_flight) = options.single_flight {
        calls.push(match single_flight {
            SingleFlight::Off => quote!(.no_single_flight()),
            SingleFlight::Process => quote!(.one_per_process()),
            SingleFlight::Machine => quote!(.one_per_machine()),
            SingleFlight::Fleet => quote!(.one_per_fleet()),
        });
    }
    if let Some(on_error) = options.on_error {
        let all = on_error == OnError::All;
        calls.push(quote!(.all_on_error(#all)));
    }
    match &options.patience {
        Some(Patience::For(patience)) => {
            let patience = lifetime(model, patience);
            calls.push(quote!(.patience(#patience)));
        }
        Some(Patience::Never) => calls.push(quote!(.endless_patience())),
        None => {}
    }
    match calls[..] {
        [] => quote!(#private::Settings::new),
        _ => quote!(|| #private::Settings::new() #(#calls)*),
    }
}

/// What engines that outlive the process are to know, and the strategy.
fn far(model: &Model) -> Vec<TokenStream> {
    let private = private(model);
    let options = &model.options;
    let mut calls = Vec::new();
    if let Some(fallback) = &options.fallback {
        let names = fallback.names();
        calls.push(quote!(.fallback(&[#(#names),*])));
    }
    let hints = model.hints();
    if hints.contains(&true) {
        calls.push(quote!(.hints(#(#hints),*)));
    }
    if model.may_outlive() && model.sig.asyncness.is_some() {
        calls.push(quote!(.asynchronous()));
    }
    calls.push(origin(model));
    let params = &model.sig.generics.params;
    let types = params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(&param.ident),
        _ => None,
    });
    let consts = params.iter().filter_map(|param| match param {
        GenericParam::Const(param) => Some(&param.ident),
        _ => None,
    });
    if params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_))) {
        let names = types.clone().map(ToString::to_string);
        let types = quote!(#((#names, #private::type_name::<#types>())),*);
        calls.push(quote!(.parameters(&[#types], &[#(&#consts),*])));
    }
    if model.unnamed().next().is_some() {
        calls.push(quote!(.told(#private::path_of(|| ()))));
    }
    if let Some(arg) = model.args.iter().find(|arg| arg.skipped && arg.is_impl_trait && !arg.is_whole()) {
        let why = format!("the type of its argument `{}` has no name", arg.pat.to_token_stream());
        calls.push(quote!(.nameless(#why)));
    }
    if model.place == Place::Trait {
        // the parameters of an `impl` that are the trait's alone have no name here, and are in the path of this closure
        calls.push(quote!(.implementation(#private::path_of(|| ()))));
    }
    if options.code == Code::Track {
        let code = digest(model);
        calls.push(quote!(.code(#code)));
    }
    match options.codec {
        None => {}
        Some(Codec::Postcard) => calls.push(quote!(.codec(#private::Codec::Postcard))),
        Some(Codec::MessagePack) => calls.push(quote!(.codec(#private::Codec::MessagePack))),
        Some(Codec::Json) => calls.push(quote!(.codec(#private::Codec::Json))),
    }
    calls
}

/// Where the function stands: by the path of an item within it, which has no parameters and no closure of ours in it.
fn origin(model: &Model) -> TokenStream {
    let (private, quiet, here) = (private(model), quiet(), hidden("Here"));
    let namesakes = match model.namesakes {
        Namesakes::None => TokenStream::new(),
        Namesakes::Some => quote!(.with_namesakes()),
        Namesakes::Unknown => quote!(.in_macro()),
    };
    quote!(.origin({
        #quiet
        enum #here {}
        #private::Origin::of::<#here>(
            #private::module_path!(),
            #private::option_env!("CARGO_PKG_NAME"),
            #private::option_env!("CARGO_PKG_VERSION"),
        )
        #namesakes
    }))
}

/// `path` with errors about it pointing at `span`, which they do where all of it is there.
fn at(span: Span, path: TokenStream) -> TokenStream {
    let tokens = path.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// A digest of the signature and the body, by their tokens: neither layout nor comments count. FNV-1a, 64 bits, which
/// is the same whatever compiler this was built with.
fn digest(model: &Model) -> u64 {
    let (sig, body) = (&model.sig, &model.body);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut note = |bytes: &[u8]| {
        for &byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    fn tokens(stream: TokenStream, note: &mut impl FnMut(&[u8])) {
        for token in stream {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    note(open.as_bytes());
                    tokens(group.stream(), note);
                    note(close.as_bytes());
                }
                token => note(token.to_string().as_bytes()),
            }
        }
    }
    tokens(quote!(#sig #body), &mut note);
    hash
}

fn lifetime(model: &Model, lifetime: &Lifetime) -> TokenStream {
    let private = private(model);
    match lifetime {
        Lifetime::Literal(duration) => {
            let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
            quote!(#private::Duration::new(#seconds, #nanos))
        }
        Lifetime::Expr(expr) => quote!(#expr),
    }
}

/// A bare integer is a `u64`; what else an expression is, its type says.
fn count(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => {
            let int = LitInt::new(&format!("{}u64", int.base10_digits()), int.span());
            quote!(#int)
        }
        expr => quote!(#expr),
    }
}

/// The function that adds what looks at keys and results.
pub(super) fn hooks(model: &Model) -> TokenStream {
    let options = &model.options;
    let hooks = hidden_at("hooks", model.output.span());
    let given = [("weigh", &options.weigh), ("ttl_of", &options.ttl_of), ("cache_if", &options.cache_if)];
    let mut calls: Vec<_> = given
        .into_iter()
        .filter_map(|(name, callback)| {
            let (name, callback) = (quote::format_ident!("{name}"), callback.as_ref()?);
            Some(quote_spanned!(callback.span()=> .#name(#callback)))
        })
        .collect();
    if !options.cache_none {
        calls.push(quote_spanned!(hooks.span()=> .skip_none()));
    }
    if options.engine.is_far() {
        let private = private(model);
        let arguments = model.args.iter().find(|arg| !arg.skipped).map(|arg| arg.ty.span());
        let receiver = model.receiver.as_ref().map(|receiver| receiver.span);
        let key = model.options.key.as_ref().map(Spanned::span).or(arguments).or(receiver);
        let key = pointing_at(key.unwrap_or_else(|| model.sig.ident.span()));
        let key = at(key, quote!(#private::far_key));
        let value = at(pointing_at(model.output.span()), quote!(#private::far_value));
        calls.push(quote!(.far(#key, #value)));
    }
    let mut asked = Vec::new();
    if model.traced {
        let shown = hidden_at("shown", model.output.span());
        let answer = shows(model, &shown, &hooks);
        asked.push(quote!(let #shown = #answer;));
        calls.push(quote!(.shown(#shown)));
    }
    if model.may_outlive() {
        let types = hidden_at("types", model.output.span());
        let answers = answers(model, &types, &quote!(#hooks.types()));
        asked.push(quote!(let #types = #answers;));
        calls.push(quote!(.able(#types)));
    }
    if options.engine.is_far() || model.may_outlive() {
        let equal = hidden_at("equal", model.output.span());
        let answer =
            asking(model, &quote!(able), &equal, &quote!(#hooks.types()), &quote!(#equal.value_equal()));
        asked.push(quote!(let #equal = #answer;));
        calls.push(quote!(.equal(#equal)));
    }
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

/// The expression that asks the type of keys whether it can be shown.
fn shows(model: &Model, shown: &Ident, hooks: &Ident) -> TokenStream {
    asking(model, &quote!(show), shown, &quote!(#hooks.keys()), &quote!(#shown.shown()))
}

/// The expression that asks the types of keys and results what they can.
pub(super) fn answers(model: &Model, types: &Ident, expr: &TokenStream) -> TokenStream {
    let answers = quote!((#types.key_bytes(), #types.value_bytes(), #types.parts()));
    asking(model, &quote!(able), types, expr, &answers)
}

/// The expression that finds `answer` by the traits of the module `ways`, asking what `expr` gives by the name `asked`. In
/// a block of its own: what it imports is not to be seen by the author's expressions.
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
