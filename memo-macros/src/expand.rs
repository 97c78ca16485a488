//! What a memoized function becomes.
//!
//! The function keeps its signature. Its new body names its instantiation (the *site*), looks for a result by a borrowed key,
//! and on a miss runs the author's body. Beside the function stands its control: the companion type of a free function, or
//! `<method>_memo()`. Generated code decides nothing about caching: it hands what is particular to the function to
//! `memo::__private`.

mod amended;
mod arguments;
mod control;
mod digest;
mod hooks;
mod key;
mod kind;
mod named_lifetimes;
mod names;
mod outcome;
mod plain;
mod ready_made;
mod renewal;
mod settings;
mod site;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

use self::kind::is_single;
use self::names::{hidden, private};
use self::outcome::outcome;
use self::renewal::Renewal;
use self::site::{HiddenNames, own_unnamed, site};
use crate::model::{Condition, Model};

/// The function and its control.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { attrs, vis, sig, .. } = model;
    let body = body(model);
    let is_apart = is_applied(model) || Renewal::of(model).is_some();
    let sig = if is_apart { &amended::immutable(sig) } else { sig };
    let function = quote!(#(#attrs)* #vis #sig { #body });
    let control = control::control(model);
    quote!(#function #control)
}

/// The body of the memoized function: look up, else compute.
fn body(model: &Model) -> TokenStream {
    if is_applied(model) {
        return applied(model, &site(model, None));
    }
    let outcome_of = outcome(model);
    let (outcome, unnamed) = (hidden("outcome"), hidden("unnamed"));
    // A function with a control takes its site from a hidden item, to which the types without a name have to be handed. Without a
    // control the site is made here, where the compiler knows them.
    let unnamed_expr = own_unnamed(model).filter(|_| model.companion.is_some());
    let site = site(model, unnamed_expr.as_ref().map(|_| unnamed.to_token_stream()).as_ref());
    // The closure that gives the site captures nothing, or only what has no size.
    let (unnamed, site) = match unnamed_expr {
        Some(expr) => (quote!(let #unnamed = #expr;), quote!(move || #site)),
        None => (TokenStream::new(), quote!(|| #site)),
    };
    let call = match model.sig.asyncness {
        Some(_) => asynchronous(model, &outcome, &site),
        None => synchronous(model, &outcome, &site),
    };
    quote! {
        // of the traits that it imports, the type may need none
        #[allow(unused_imports, clippy::all)]
        let #outcome = #outcome_of;
        #unnamed
        #call
    }
}

/// The expression that begins a call with the key `key`, by the runtime's function `way` or its variant for this kind of
/// function.
fn first_call(
    model: &Model,
    way: &str,
    key: &TokenStream,
    outcome: &Ident,
    site: &TokenStream,
) -> TokenStream {
    let (private, output, hooks) = (private(model), &model.output, hooks::hooks(model));
    if model.on_thread() {
        let way = format_ident!("{way}_here");
        let call = quote!(#private::#way::<_, #output, _, _>(#site, #hooks, #key, #outcome));
        return anew(model, &quote!((#site)()), call);
    }
    let way = format_ident!("{way}");
    let (callee, site) = match HiddenNames::of(model) {
        Some(HiddenNames { owner, site, .. }) if is_single(model) => {
            (quote!(#owner::#site), quote!(#owner::#site.site()))
        }
        _ => (site.clone(), quote!((#site)())),
    };
    anew(model, &site, quote!(#private::#way::<_, #output, _, _>(&#callee, #hooks, #key, #outcome)))
}

/// The call, which computes anew where the author's condition holds.
fn anew(model: &Model, site: &TokenStream, call: TokenStream) -> TokenStream {
    let Some(Condition(condition)) = &model.options.refresh_if else { return call };
    let private = private(model);
    quote!(#private::anew_if(#condition, || #site, || #call))
}

/// The expression that begins a call by the runtime's function `way`. If there is a result, it returns that from the memoized
/// function. Otherwise its value is what the call goes on with.
fn first_part(model: &Model, way: &str, outcome: &Ident, site: &TokenStream) -> TokenStream {
    let (private, key) = (private(model), hidden("key"));
    let call = first_call(model, way, &key.to_token_stream(), outcome, site);
    let (result, rest) = (hidden("result"), hidden("rest"));
    let then = quote!(match #call {
        #private::Result::Ok(#result) => return #result,
        #private::Result::Err(#rest) => #rest,
    });
    key::with_key(model, &key, &then)
}

/// A synchronous call: the body runs in the frame of the function, unless its result is large.
fn synchronous(model: &Model, outcome: &Ident, site: &TokenStream) -> TokenStream {
    let (private, body, output) = (private(model), &model.body, &model.output);
    let begin = first_part(model, "begin", outcome, site);
    let (result, running, computed) = (hidden("result"), hidden("running"), hidden("computed"));
    let behind = renewal::behind(model, &running, outcome, &computed);
    let (apart, call) = match Renewal::of(model) {
        Some(renewal) => (renewal.body(&computed), renewal.call(&computed)),
        None => (TokenStream::new(), quote!((move || -> #output #body)())),
    };
    let (declared, finished) = finished(model, &result);
    let catches = model.options.stale_if_error.is_some();
    let body = match (catches, plain::is_small(output)) {
        (false, true) => quote!(let #declared = #call;),
        (true, _) => quote! {
            return #running.run(#outcome, &mut #private::Option::Some(move || -> #output { #call }));
        },
        (false, false) if behind.is_empty() => quote! {
            let #computed = move || -> #output #body;
            if const { #private::is_large::<#output>() } {
                return #running.run(#outcome, &mut #private::Option::Some(#computed));
            }
            // declared twice, since on the closure itself the attribute would hide what the compiler says of the author's body
            #[allow(unused_mut)]
            let mut #computed = #computed;
            let #declared = #computed();
        },
        (false, false) => quote! {
            if const { #private::is_large::<#output>() } {
                return #running.run(#outcome, &mut #private::Option::Some(move || -> #output { #call }));
            }
            let #declared = #call;
        },
    };
    let end = match catches {
        true => TokenStream::new(),
        false => quote! {
            #running.finish(#outcome, #finished);
            #result
        },
    };
    quote! {
        #apart
        let #running = #begin;
        #behind
        #body
        #end
    }
}

/// How the result of the body is declared, and how the runtime gets it: it may put another one in the place of a failure, unless
/// results stay on their threads.
fn finished(model: &Model, result: &Ident) -> (TokenStream, TokenStream) {
    match model.on_thread() {
        true => (quote!(#result), quote!(&#result)),
        false => (quote!(mut #result), quote!(&mut #result)),
    }
}

/// An asynchronous call.
fn asynchronous(model: &Model, outcome: &Ident, site: &TokenStream) -> TokenStream {
    let (private, body, output) = (private(model), &model.body, &model.output);
    let begin = first_part(model, "begin_async", outcome, site);
    let (result, acquire, computing) = (hidden("result"), hidden("acquire"), hidden("computing"));
    let computed = hidden("computed");
    let behind = renewal::behind(model, &computing, outcome, &computed);
    let (apart, future) = match Renewal::of(model) {
        Some(renewal) => (renewal.body(&computed), renewal.call(&computed)),
        None => (
            TokenStream::new(),
            quote!(async move {
                // never runs: it tells the compiler the type of the block, which `?` in the body needs
                #[allow(unreachable_code, clippy::all)]
                if false {
                    let #result: #output = loop {};
                    return #result;
                }
                #body
            }),
        ),
    };
    let rest = match model.options.stale_if_error.is_some() || model.options.timeout.is_some() {
        true => quote!(#computing.run(#outcome, #future).await),
        false => quote! {
            // the body's own braces stand within those of the block
            #[allow(unused_braces)]
            let mut #result = #computing.compute(#future).await;
            #computing.finish(#outcome, &mut #result);
            #result
        },
    };
    quote! {
        #apart
        let #acquire = #begin;
        let #computing = match #acquire.await {
            #private::Result::Ok(#result) => return #result,
            #private::Result::Err(#computing) => #computing,
        };
        #behind
        #rest
    }
}

/// Whether the author's body becomes a function of its own, to which the arguments are moved on a miss. The key is made
/// without a probe then, and lends nothing of the call to what the call goes on with.
fn is_applied(model: &Model) -> bool {
    // in unoptimized code a large result would stand in one frame more
    plain::is_small(&model.output)
        && (is_single(model) || model.on_thread())
        && model.companion.is_some()
        && ready_made::ReadyMade::arguments(model).is_some()
        && key::needs_no_probe(model)
        && !model.may_be_stale()
        && model.options.refresh_if.is_none()
        && !amended::has_inner_attribute(&model.body)
}

/// The body of a memoized function whose author's body [becomes a function of its own](is_applied). That costs the compiler less
/// than a closure, of which a program may have many.
///
/// In optimized code a miss ends with the call of `apply`, which takes the place of the memoized function, so that a hit needs
/// next to no frame. Unoptimized code would keep both frames, so there the memoized function calls the author's body itself.
fn applied(model: &Model, site: &TokenStream) -> TokenStream {
    let (private, outcome_of) = (private(model), outcome(model));
    let outcome = hidden("outcome");
    let (result, running, computed) = (hidden("result"), hidden("running"), hidden("computed"));
    let (body, output) = (&model.body, &model.output);
    let (pats, types): (Vec<_>, Vec<_>) = model.args.iter().map(|arg| (&arg.pat, &arg.ty)).unzip();
    let names: Vec<_> = model.args.iter().map(|arg| &arg.forward).collect();
    // the key uses all arguments, so the compiler must not warn of one that the body does not use
    let body = amended::beginning_with(&quote!(let _ = (#(&#names,)*);), body);
    let begin = first_call(model, "begin", &key::without_probe(model), &outcome, &quote!(|| #site));
    let (declared, finished) = finished(model, &result);
    quote! {
        fn #computed(
            #(#[cfg(debug_assertions)] #pats: #types,)*
            #[cfg(not(debug_assertions))] (#(#pats,)*): (#(#types,)*)
        ) -> #output #body
        #[allow(unused_imports, clippy::all)]
        let #outcome = #outcome_of;
        match #begin {
            #private::Result::Ok(#result) => #result,
            #[cfg(debug_assertions)]
            #private::Result::Err(#running) => {
                let #declared = #computed(#(#names),*);
                #running.finish(#outcome, #finished);
                #result
            }
            #[cfg(not(debug_assertions))]
            #private::Result::Err(#running) => #running.apply(#outcome, #computed, (#(#names,)*)),
        }
    }
}
