//! What a memoized function becomes.
//!
//! The function keeps its signature. Its body finds the function's record (a *site*), looks up with a borrowed key,
//! and on a miss runs the author's body as a closure or an `async` block. Beside it stands its control: the companion
//! type of a free function, or `<method>_memo()`. No logic of caching is in generated code: it names what is in
//! `memo::__private`, and hands it the pieces.

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
mod settings;
mod site;
#[cfg(test)]
mod tests;
mod thin;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

use self::kind::is_single;
use self::names::{hidden, private};
use self::outcome::outcome;
use self::site::{Shared, own_unnamed, site};
use crate::model::Model;

/// The function and its control.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { attrs, vis, sig, .. } = model;
    let body = body(model);
    let sig = if is_applied(model) { &plain::immutable(sig) } else { sig };
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
    let (outcome, told) = (hidden("outcome"), hidden("told"));
    // without a function beside it, the types are those around
    let told_expr = own_unnamed(model).filter(|_| model.companion.is_some());
    let site = site(model, told_expr.as_ref().map(|_| told.to_token_stream()).as_ref());
    // the function that gives the site has no size
    let (told, site) = match told_expr {
        Some(expr) => (quote!(let #told = #expr;), quote!(move || #site)),
        None => (TokenStream::new(), quote!(|| #site)),
    };
    let call = match model.sig.asyncness {
        Some(_) => asynchronous(model, &outcome, &site),
        None => synchronous(model, &outcome, &site),
    };
    quote! {
        // what it imports may be of no use to this type
        #[allow(unused_imports, clippy::all)]
        let #outcome = #outcome_of;
        #told
        #call
    }
}

/// The call of the runtime that is the first part of a call, with the key `key`. `way` names it there.
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
        return quote!(#private::#way::<_, #output, _, _>(#site, #hooks, #key, #outcome));
    }
    let way = format_ident!("{way}");
    let callee = match Shared::of(model) {
        Some(Shared { owner, site, .. }) if is_single(model) => quote!(#owner::#site),
        _ => site.clone(),
    };
    quote!(#private::#way::<_, #output, _, _>(&#callee, #hooks, #key, #outcome))
}

/// The first part of a call, which returns a result if there is one: the expression for what the call goes on with. `way` names
/// it in the runtime.
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
    let (declared, finished) = finished(model, &result);
    let computed = match thin::is_small(output) {
        true => quote!(let #declared = (move || -> #output #body)();),
        false => quote! {
            let #computed = move || -> #output #body;
            if const { #private::is_large::<#output>() } {
                return #running.run(#outcome, &mut #private::Option::Some(#computed));
            }
            // by a name of its own, so that the author's body is still told of a `mut` that it does not need
            #[allow(unused_mut)]
            let mut #computed = #computed;
            let #declared = #computed();
        },
    };
    quote! {
        let #running = #begin;
        #computed
        #running.finish(#outcome, #finished);
        #result
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
    let enter = first_part(model, "enter", outcome, site);
    let (result, acquire, computing) = (hidden("result"), hidden("acquire"), hidden("computing"));
    quote! {
        let #acquire = #enter;
        let #computing = match #acquire.await {
            #private::Result::Ok(#result) => return #result,
            #private::Result::Err(#computing) => #computing,
        };
        // the body's own braces stand within those of the block
        #[allow(unused_braces)]
        let mut #result = #computing
            .compute(async move {
                // tells the type of the block, which `?` needs to know
                #[allow(unreachable_code, clippy::all)]
                if false {
                    let #result: #output = loop {};
                    return #result;
                }
                #body
            })
            .await;
        #computing.finish(#outcome, &mut #result);
        #result
    }
}

/// Whether the body can be a function of the arguments, to which nothing of the call is lent by then.
fn is_applied(model: &Model) -> bool {
    // a large result would stand in one frame more where code is not optimized
    thin::is_small(&model.output)
        && (is_single(model) || model.on_thread())
        && model.companion.is_some()
        && thin::Thin::arguments(model).is_some()
        && key::is_free(model)
        && !plain::has_inner_attribute(&model.body)
}

/// The body of such a function, between two calls. The author's body is an item, which costs less than a closure does where
/// there are many.
///
/// In optimized code the second call takes the place of the function, whose frame is gone by then: a hit in it needs next to
/// none. Unoptimized code would keep both frames.
fn applied(model: &Model, site: &TokenStream) -> TokenStream {
    let (private, outcome_of) = (private(model), outcome(model));
    let outcome = hidden("outcome");
    let (result, running, computed) = (hidden("result"), hidden("running"), hidden("computed"));
    let (body, output) = (&model.body, &model.output);
    let (pats, types): (Vec<_>, Vec<_>) = model.args.iter().map(|arg| (&arg.pat, &arg.ty)).unzip();
    let names: Vec<_> = model.args.iter().map(|arg| &arg.forward).collect();
    // an argument that the body does not use is used by the key
    let body = plain::after(&quote!(let _ = (#(&#names,)*);), body);
    let begin = first_call(model, "begin", &key::free(model), &outcome, &quote!(|| #site));
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
