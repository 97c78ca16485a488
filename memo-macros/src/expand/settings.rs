//! The settings of a function, as the expression that makes them: what does not depend on the types of keys and results.

use memo_text::Rate;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Expr, ExprLit, GenericParam, Lit, LitInt};

use super::digest::digest;
use super::kind::{has_self, is_far};
use super::names::{hidden, private, quiet};
use super::renewal::Renewal;
use crate::enclosing::Namesakes;
use crate::model::{
    CacheErr, CacheNone, Capacity, Code, Codec, Count, Jitter, Length, Limit, LimitWait, MaxWeight, Model,
    Name, OnError, Patience, Place, RefreshAhead, SingleFlight, Version,
};

/// The function that gives `Settings`. Without options it is the runtime's own, which is compiled once.
pub(super) fn settings(model: &Model) -> TokenStream {
    let private = private(model);
    let mut calls = identity(model);
    calls.extend(engines(model));
    if is_far(model) {
        calls.extend(far(model));
    }
    calls.extend(lifetimes(model));
    calls.extend(freshness(model));
    calls.extend(sparing(model));
    calls.extend(bounds(model));
    calls.extend(flights(model));
    match calls[..] {
        [] => quote!(#private::Settings::new),
        _ => quote!(|| #private::Settings::new() #(#calls)*),
    }
}

/// What the function and its results are known by.
fn identity(model: &Model) -> Vec<TokenStream> {
    let (private, options) = (private(model), &model.options);
    let owner = has_self(model).then(|| quote!(.owner(#private::type_name::<Self>())));
    let name = options.name.as_ref().map(|Name(name)| quote!(.name(#name)));
    let version = (options.version != Version::default()).then(|| {
        let Version(version) = options.version;
        quote!(.version(#version))
    });
    owner.into_iter().chain(name).chain(version).collect()
}

/// Where results live, if the author says it.
fn engines(model: &Model) -> Option<TokenStream> {
    let names = model.options.engine.names();
    match names[..] {
        _ if model.on_thread() => Some(quote!(.on_thread())),
        [] => None,
        _ => Some(quote!(.engines(&[#(#names),*]))),
    }
}

/// How long entries live.
fn lifetimes(model: &Model) -> Vec<TokenStream> {
    let options = &model.options;
    let error_ttl = match &options.cache_err {
        CacheErr::For(ttl) => Some(ttl),
        CacheErr::Yes | CacheErr::No => None,
    };
    let none_ttl = match &options.cache_none {
        CacheNone::For(ttl) => Some(ttl),
        CacheNone::Yes | CacheNone::No => None,
    };
    let calls = [
        options.ttl.as_ref().map(|ttl| set_duration(model, "ttl", ttl)),
        options.tti.as_ref().map(|tti| set_duration(model, "tti", tti)),
        options.ttl_of.as_ref().map(|_| quote!(.ttl_of())),
        error_ttl.map(|ttl| set_duration(model, "error_ttl", ttl)),
        none_ttl.map(|ttl| set_duration(model, "none_ttl", ttl)),
    ];
    calls.into_iter().flatten().collect()
}

/// What is said of results that are no longer fresh, or soon will not be.
fn freshness(model: &Model) -> Vec<TokenStream> {
    let options = &model.options;
    let calls = [
        options.stale.as_ref().map(|stale| set_duration(model, "stale", stale)),
        options.wait.as_ref().map(|wait| set_duration(model, "wait", wait)),
        options.stale_if_error.as_ref().map(|stale| set_duration(model, "stale_if_error", stale)),
        options.refresh_ahead.map(|ahead| match ahead {
            RefreshAhead::From(part) => quote!(.refresh_ahead(#part)),
            RefreshAhead::Auto => quote!(.refresh_by_chance()),
        }),
        options.jitter.map(|Jitter(part)| quote!(.jitter(#part))),
        Renewal::of(model).map(|renewal| {
            let can = renewal.can();
            quote!(.renewed_behind(#can))
        }),
    ];
    calls.into_iter().flatten().collect()
}

/// How what the function asks is spared.
fn sparing(model: &Model) -> Vec<TokenStream> {
    let options = &model.options;
    let calls = [
        options.timeout.as_ref().map(|timeout| set_duration(model, "timeout", timeout)),
        options.limit.map(|Limit(rate)| {
            let Rate { count, per, burst } = rate;
            let (private, seconds, nanos) = (private(model), per.as_secs(), per.subsec_nanos());
            quote!(.limit(#count, #private::Duration::new(#seconds, #nanos), #burst))
        }),
        options.at_once.as_ref().map(|at_once| set_count("at_once", at_once)),
        options.limit_wait.map(|wait| {
            let turns_away = wait == LimitWait::None;
            quote!(.turns_away(#turns_away))
        }),
    ];
    calls.into_iter().flatten().collect()
}

/// How much is held in memory.
fn bounds(model: &Model) -> Vec<TokenStream> {
    let capacity = model.options.capacity.as_ref().map(|capacity| match capacity {
        Capacity::Unbounded => quote!(.unbounded()),
        Capacity::Of(count) => set_count("capacity", count),
    });
    let max_weight = model.options.max_weight.as_ref().map(|max_weight| match max_weight {
        MaxWeight::Bytes(bytes) => quote!(.max_weight(#bytes)),
        MaxWeight::Expr(weight) => quote!(.max_weight(#weight)),
    });
    capacity.into_iter().chain(max_weight).collect()
}

/// How calls at the same time share a flight.
fn flights(model: &Model) -> Vec<TokenStream> {
    let options = &model.options;
    let single_flight = options.single_flight.map(|single_flight| match single_flight {
        SingleFlight::Off => quote!(.no_single_flight()),
        SingleFlight::Process => quote!(.one_per_process()),
        SingleFlight::Machine => quote!(.one_per_machine()),
        SingleFlight::Fleet => quote!(.one_per_fleet()),
    });
    let on_error = options.on_error.map(|on_error| {
        let all = on_error == OnError::All;
        quote!(.all_on_error(#all))
    });
    let patience = options.patience.as_ref().map(|patience| match patience {
        Patience::For(length) => set_duration(model, "patience", length),
        Patience::Never => quote!(.endless_patience()),
    });
    single_flight.into_iter().chain(on_error).chain(patience).collect()
}

/// What the strategy and engines that outlive the process have to know.
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
        // Parameters of the `impl` that only its trait uses cannot be listed here. The path of a closure holds them.
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

/// Where the function stands, by the path of an item within it. Unlike the path of the function, that one has neither type
/// parameters nor closures of ours in it.
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

/// The call of the settings' method `name` with a length of time.
fn set_duration(model: &Model, name: &str, length: &Length) -> TokenStream {
    let (private, name) = (private(model), format_ident!("{name}"));
    match length {
        Length::Literal(duration) => {
            let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
            quote!(.#name(#private::Duration::new(#seconds, #nanos)))
        }
        Length::Expr(expr) => quote!(.#name(#expr)),
    }
}

/// The call of the settings' method `name` with a number. An integer literal without a type is a `u64`. Any other expression
/// has a type of its own.
fn set_count(name: &str, Count(number): &Count) -> TokenStream {
    let name = format_ident!("{name}");
    match number {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => {
            let int = LitInt::new(&format!("{}u64", int.base10_digits()), int.span());
            quote!(.#name(#int))
        }
        expr => quote!(.#name(#expr)),
    }
}
