//! What a memoized function becomes.
//!
//! The function keeps its signature. Its body finds the function's record (a *site*), looks up with a borrowed key,
//! and on a miss runs the author's body as a closure or an `async` block. Beside it stands its control: the companion
//! type of a free function, or `<method>_memo()`. No logic of caching is in generated code: it names what is in
//! `memo::__private`, and hands it the pieces.

mod control;
mod key;
mod plain;
mod settings;
#[cfg(test)]
mod tests;
mod thin;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::{Arg, Companion, Model, Place};

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

/// The path of the module that generated code may name.
fn private(model: &Model) -> Path {
    let krate = &model.krate;
    syn::parse_quote!(#krate::__private)
}

/// What the author's lints may not find in items of ours.
fn quiet() -> TokenStream {
    quote!(#[allow(
        dead_code, deprecated, missing_docs, unused_imports, unused_variables,
        clippy::all, clippy::pedantic, clippy::nursery
    )])
}

/// A name that meets none of the author's: neither an argument, nor (which hygiene leaves visible) a constant.
fn hidden(name: &str) -> Ident {
    hidden_at(name, Span::call_site())
}

/// The same, with errors about it pointing at `span`.
fn hidden_at(name: &str, span: Span) -> Ident {
    format_ident!("__{name}", span = pointing_at(span))
}

/// The span for a call of ours on a name of ours, whose errors are the author's. It has to have the hygiene of the
/// name: where the two differ, the compiler points at the attribute.
fn pointing_at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The names of the hidden items that a function and its control share.
struct Shared {
    /// Where they are found: the companion type, or `Self`.
    owner: TokenStream,
    function: Option<Ident>,
    site: Ident,
    control: Ident,
    /// What tells of the types, where the strategy wants to know them and the arguments can be named.
    types: Option<Ident>,
}

impl Shared {
    /// None for a function without a control.
    fn of(model: &Model) -> Option<Self> {
        let name = model.sig.ident.unraw();
        let named = model.args.iter().all(|arg| arg.skipped || !arg.is_impl_trait);
        let types = |name: Ident| (model.may_outlive() && named).then_some(name);
        match model.companion.as_ref()? {
            Companion::Type(companion) if thin::Thin::of(model).is_some() => {
                let controlled = thin::name(companion);
                let private = private(model);
                Some(Shared {
                    owner: quote!(<#controlled as #private::Controlled>),
                    function: None,
                    site: format_ident!("FUNCTION"),
                    control: format_ident!("ask"),
                    types: None,
                })
            }
            Companion::Type(companion) if is_single(model) => Some(Shared {
                owner: quote!(#companion),
                function: None,
                site: format_ident!("__FUNCTION"),
                control: format_ident!("__control"),
                types: None,
            }),
            Companion::Type(companion) => Some(Shared {
                owner: quote!(#companion),
                function: Some(format_ident!("__function")),
                site: format_ident!("__site"),
                control: format_ident!("__control"),
                types: types(format_ident!("__types")),
            }),
            Companion::Function(_) => Some(Shared {
                owner: quote!(Self),
                function: None,
                site: format_ident!("__{name}_memo_site"),
                control: format_ident!("__{name}_memo_control"),
                types: types(format_ident!("__{name}_memo_types")),
            }),
        }
    }

    /// The expression for the site, where `unnamed` tells the types that have no names.
    fn site(&self, model: &Model, unnamed: Option<&TokenStream>) -> TokenStream {
        let Shared { owner, site, .. } = self;
        if is_single(model) {
            return quote!(#owner::#site.site());
        }
        let inferred = unnamed.map(|_| quote!(_));
        let parameters: Vec<_> = parameters(model).into_iter().chain(inferred).collect();
        let turbofish = if parameters.is_empty() { TokenStream::new() } else { quote!(::<#(#parameters),*>) };
        quote!(#owner::#site #turbofish (#unnamed))
    }
}

/// `::<T, N>`: the function's type and const parameters.
fn turbofish(model: &Model) -> TokenStream {
    let names = parameters(model);
    if names.is_empty() { TokenStream::new() } else { quote!(::<#(#names),*>) }
}

/// The names of the function's type and const parameters. Lifetimes tell no instantiations apart.
fn parameters(model: &Model) -> Vec<TokenStream> {
    let names = model.sig.generics.params.iter().filter_map(|param| match param {
        syn::GenericParam::Type(param) => Some(param.ident.to_token_stream()),
        syn::GenericParam::Const(param) => Some(param.ident.to_token_stream()),
        syn::GenericParam::Lifetime(_) => None,
    });
    names.collect()
}

/// The expression for what tells the types that have no names, from the arguments of such types, by `names`. `None` where
/// there are none.
fn unnamed(model: &Model, names: impl Fn(&Arg) -> Ident) -> Option<TokenStream> {
    let private = private(model);
    let names: Vec<_> = model.unnamed().map(names).collect();
    (!names.is_empty()).then(|| quote!(#private::told(&(#(&#names,)*))))
}

/// The same, where the arguments have their own names.
fn own_unnamed(model: &Model) -> Option<TokenStream> {
    unnamed(model, |arg| arg.forward.clone())
}

/// The block that gives the function as written: a reference to a static.
fn function(model: &Model) -> TokenStream {
    let private = private(model);
    let name = model.sig.ident.unraw().to_string();
    quote!({
        static FUNCTION: #private::Family = #private::Family::new(#private::module_path!(), #name);
        &FUNCTION
    })
}

/// The same for a function with one instantiation, for which the type `marker` stands.
fn single_function(model: &Model, marker: &Ident) -> TokenStream {
    let private = private(model);
    let name = model.sig.ident.unraw().to_string();
    let settings = settings::settings(model);
    quote!({
        static FUNCTION: #private::Single =
            #private::Single::new::<#marker>(#private::module_path!(), #name, #settings);
        &FUNCTION
    })
}

/// Whether the function has one instantiation, and the runtime can do without code for each: it stands in a module or a
/// block, and neither its types nor engines that outlive the process have to be told of it.
fn is_single(model: &Model) -> bool {
    let free = matches!(model.companion, Some(Companion::Type(_)));
    let typed =
        model.sig.generics.params.iter().any(|param| !matches!(param, syn::GenericParam::Lifetime(_)));
    let opaque = model.args.iter().any(|arg| arg.is_impl_trait);
    free && !typed && !opaque && !is_far(model) && !model.on_thread()
}

/// The expression that makes a site of the function `function`.
fn new_site(model: &Model, function: &TokenStream) -> TokenStream {
    let private = private(model);
    let settings = settings::settings(model);
    quote!(#private::Site::new(#function, || (), #settings))
}

/// Whether results may outlive the process.
fn is_far(model: &Model) -> bool {
    model.options.engine.is_far() || model.may_outlive()
}

/// The expression that finds this instantiation. `unnamed` is what tells the types without names.
fn site(model: &Model, unnamed: Option<&TokenStream>) -> TokenStream {
    match Shared::of(model) {
        Some(shared) => shared.site(model, unnamed),
        None => new_site(model, &function(model)),
    }
}

/// How results of the function are stored.
fn outcome(model: &Model) -> TokenStream {
    let (private, output) = (private(model), &model.output);
    if plain::is_primitive(output) && model.options.cache_err.is_none() {
        let span = pointing_at(output.span());
        return quote_spanned!(span=> #private::whole::<#output>());
    }
    let shape = match (model.options.cache_err.is_some(), model.on_thread()) {
        (false, false) => quote!(shape),
        (true, false) => quote!(shape_with_errors),
        (false, true) => quote!(shape_here),
        (true, true) => quote!(shape_with_errors_here),
    };
    let of = hidden_at("shape", output.span());
    let outcome = quote_spanned!(of.span()=> #of.outcome());
    // the author's type stands outside of the block whose imports it could meet
    quote!({
        let #of = &&&#private::Shape::<#output>::NEW;
        {
            use #private::#shape::*;
            #outcome
        }
    })
}

/// The body of the memoized function: look up, else compute.
fn body(model: &Model) -> TokenStream {
    if is_applied(model) {
        return applied(model);
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

/// The first part of a call, which returns a result if there is one: the expression for what the call goes on with. `way` names
/// it in the runtime.
fn first_part(model: &Model, way: &str, outcome: &Ident, site: &TokenStream) -> TokenStream {
    let (private, output, key) = (private(model), &model.output, hidden("key"));
    let hooks = settings::hooks(model);
    let then = match Shared::of(model) {
        Some(Shared { owner, site, .. }) if is_single(model) => {
            let way = format_ident!("{way}_single");
            quote!(#way::<_, #output, _>(#owner::#site, #hooks, #key, #outcome))
        }
        _ => {
            let way = match model.on_thread() {
                true => format_ident!("{way}_here"),
                false => format_ident!("{way}"),
            };
            quote!(#way::<_, #output, _, _>(#site, #hooks, #key, #outcome))
        }
    };
    let (result, rest) = (hidden("result"), hidden("rest"));
    let then = quote!(match #private::#then {
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
    let computed = match thin::is_small(output) {
        true => quote!(let #result = (move || -> #output #body)();),
        false => quote! {
            let #computed = move || -> #output #body;
            if const { #private::is_large::<#output>() } {
                return #running.run(#outcome, &mut #private::Option::Some(#computed));
            }
            // by a name of its own, so that the author's body is still told of a `mut` that it does not need
            #[allow(unused_mut)]
            let mut #computed = #computed;
            let #result = #computed();
        },
    };
    quote! {
        let #running = #begin;
        #computed
        #running.finish(#outcome, &#result);
        #result
    }
}

/// An asynchronous call.
fn asynchronous(model: &Model, outcome: &Ident, site: &TokenStream) -> TokenStream {
    let (private, body, output) = (private(model), &model.body, &model.output);
    let enter = first_part(model, "enter", outcome, site);
    let (result, missed, computation) = (hidden("result"), hidden("missed"), hidden("computation"));
    quote! {
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

/// The body of such a function, between two calls. The author's body is an item, which costs less than a closure does where
/// there are many.
fn applied(model: &Model) -> TokenStream {
    let (private, outcome_of) = (private(model), outcome(model));
    let outcome = hidden("outcome");
    let (result, running, computed) = (hidden("result"), hidden("running"), hidden("computed"));
    let (body, output, hooks) = (&model.body, &model.output, settings::hooks(model));
    let Some(Shared { owner, site, .. }) = Shared::of(model) else { return TokenStream::new() };
    let (pats, types): (Vec<_>, Vec<_>) = model.args.iter().map(|arg| (&arg.pat, &arg.ty)).unzip();
    let names: Vec<_> = model.args.iter().map(|arg| &arg.forward).collect();
    // an argument that the body does not use is used by the key
    let body = plain::after(&quote!(let _ = (#(&#names,)*);), body);
    let key = key::free(model);
    quote! {
        fn #computed(#(#pats: #types),*) -> #output #body
        #[allow(unused_imports, clippy::all)]
        let #outcome = #outcome_of;
        match #private::begin_single::<_, #output, _>(#owner::#site, #hooks, #key, #outcome) {
            #private::Result::Ok(#result) => #result,
            #private::Result::Err(#running) => {
                let #result = #computed(#(#names),*);
                #running.finish(#outcome, &#result);
                #result
            }
        }
    }
}

/// Whether the function stands where `Self` means something.
fn has_self(model: &Model) -> bool {
    model.place != Place::Free
}
