//! What the author has set, as expressions for the runtime.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitInt};

use super::{has_self, hidden_at, private};
use crate::model::{CacheErr, Capacity, Engine, Lifetime, MaxWeight, Model, SingleFlight};

/// The expression of type `Settings`: what does not depend on the types of keys and results.
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
    match options.engine {
        Engine::Auto => {}
        Engine::Memory => calls.push(quote!(.memory())),
        Engine::Moka => calls.push(quote!(.moka())),
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
    if options.single_flight == SingleFlight::Off {
        calls.push(quote!(.no_single_flight()));
    }
    quote!(#private::Settings::new() #(#calls)*)
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
    quote!(|#hooks| #hooks #(#calls)*)
}
