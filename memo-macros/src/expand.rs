//! What a memoized function becomes.
//!
//! The function keeps its signature. Its body finds the function's record (a *site*), looks up with a borrowed key,
//! and on a miss runs the author's body as a closure or an `async` block. Beside it stands its control: the companion
//! type of a free function, or `<method>_memo()`. No logic of caching is in generated code: it names what is in
//! `memo::__private`, and hands it the pieces.

mod control;
mod key;
mod kind;
mod names;
mod outcome;
mod plain;
mod settings;
mod site;
#[cfg(test)]
mod tests;
mod thin;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use self::kind::is_single;
use self::names::{hidden, private};
use self::outcome::outcome;
use self::site::{Shared, own_unnamed, site};
use crate::model::{Companion, Model};

/// The function and its control.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { attrs, vis, sig, .. } = model;
    let body = body(model);
    let sig = if is_applied(model) { &plain::immutable(sig) } else { sig };
    let function = quote!(#(#attrs)* #vis #sig { #body });
    let control = match &model.companion {
        Some(Companion::Type(name)) => match thin::Thin::of(model) {
            Some(thin) => control::thin_companion(model, name, &thin),
            None => control::companion(model, name),
        },
        Some(Companion::Function(name)) => control::method_control(model, name),
        None => TokenStream::new(),
    };
    quote!(#function #control)
}

/// The body of the memoized function: look up, else compute.
fn body(model: &Model) -> TokenStream {
    let private = private(model);
    let outcome_of = outcome(model);
    let (outcome, missed, key) = (hidden("outcome"), hidden("missed"), hidden("key"));
    let (result, computation) = (hidden("result"), hidden("computation"));
    let told = hidden("told");
    // without a function beside it, the types are those around
    let told_expr = own_unnamed(model).filter(|_| model.companion.is_some());
    let site = site(model, told_expr.as_ref().map(|_| told.to_token_stream()).as_ref());
    // the function that gives the site has no size
    let (told, site) = match told_expr {
        Some(expr) => (quote!(let #told = #expr;), quote!(move || #site)),
        None => (TokenStream::new(), quote!(|| #site)),
    };
    let hooks = settings::hooks(model);
    let (body, output) = (&model.body, &model.output);
    let look = match Shared::of(model) {
        Some(Shared { owner, site, .. }) if is_single(model) => {
            quote!(enter_single::<_, #output, _>(#owner::#site, #hooks, #key, #outcome))
        }
        _ if model.on_thread() => quote!(enter_here::<_, #output, _, _>(#site, #hooks, #key, #outcome)),
        _ => quote!(enter::<_, #output, _, _>(#site, #hooks, #key, #outcome)),
    };
    let enter = key::with_key(
        model,
        &key,
        &quote!(match #private::#look {
            #private::Result::Ok(#result) => return #result,
            #private::Result::Err(#missed) => #missed,
        }),
    );
    if is_applied(model) {
        return applied(model, &outcome_of);
    }
    // what it imports may be of no use to this type
    let outcome_of = quote! {
        #[allow(unused_imports, clippy::all)]
        let #outcome = #outcome_of;
    };
    if model.sig.asyncness.is_none() {
        let body = quote!(move || -> #output #body);
        let body = if model.on_thread() { body } else { quote!(&mut #private::Option::Some(#body)) };
        return quote! {
            #outcome_of
            #told
            let #missed = #enter;
            #missed.run(#outcome, #body)
        };
    }
    quote! {
        #outcome_of
        #told
        let #missed = #enter;
        let mut #computation = match #missed.acquire(#outcome).await {
            #private::Result::Ok(#result) => return #result,
            #private::Result::Err(#computation) => #computation,
        };
        // the body's own braces stand within those of the block
        #[allow(unused_braces)]
        let #result = #computation
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
        #computation.finish(#outcome, &#result);
        #result
    }
}

/// Whether the body can be a function of the arguments, to which nothing of the call is lent by then.
fn is_applied(model: &Model) -> bool {
    // a large result would stand in one frame more where code is not optimized
    thin::is_small(&model.output)
        && thin::Thin::of(model).is_some()
        && key::is_free(model)
        && !plain::has_inner_attribute(&model.body)
}

/// The body of such a function: what is not a hit is one call. The author's body is an item, which costs less than a closure
/// does where there are many.
fn applied(model: &Model, outcome_of: &TokenStream) -> TokenStream {
    let private = private(model);
    let (outcome, key) = (hidden("outcome"), hidden("key"));
    let (result, why, computed) = (hidden("result"), hidden("why"), hidden("computed"));
    let (body, output, hooks) = (&model.body, &model.output, settings::hooks(model));
    let Some(Shared { owner, site, .. }) = Shared::of(model) else { return TokenStream::new() };
    let (pats, types): (Vec<_>, Vec<_>) = model.args.iter().map(|arg| (&arg.pat, &arg.ty)).unzip();
    let names: Vec<_> = model.args.iter().map(|arg| &arg.forward).collect();
    // an argument that the body does not use is used by the key
    let body = plain::after(&quote!(let _ = (#(&#names,)*);), body);
    let then = quote!(match #private::look::<_, #output, _>(#owner::#site, #key, #outcome) {
        #private::Result::Ok(#result) => #result,
        #private::Result::Err(#why) => {
            #private::compute(#owner::#site, #hooks, #key, #outcome, #why, (#(#names,)*), #computed)
        }
    });
    let then = key::with_key(model, &key, &then);
    quote! {
        fn #computed((#(#pats,)*): (#(#types,)*)) -> #output #body
        #[allow(unused_imports, clippy::all)]
        let #outcome = #outcome_of;
        #then
    }
}
