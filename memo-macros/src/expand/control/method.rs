//! The control of a method: the associated function `<method>_memo()` beside it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Lifetime;

use super::called::{as_promised, called};
use super::hidden_items::hidden_items;
use super::plan::plan;
use crate::expand::arguments::Arguments;
use crate::expand::named_lifetimes::with_named_lifetimes;
use crate::expand::names::{cfgs, hidden, private, quiet};
use crate::expand::site;
use crate::expand::site::{HiddenNames, turbofish};
use crate::model::Model;

/// The associated function `name`, and the hidden functions that it names.
pub(super) fn method_control(model: &Model, name: &Ident, names: &HiddenNames) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let (cfgs, quiet) = (cfgs(model), quiet());
    let hidden_items = hidden_items(model, names);
    let (site, turbofish, plan) = (site::site(model, None), turbofish(model), plan(model, names));
    let (function, unsafety) = (&model.sig.ident, &model.sig.safety);
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);

    let call = Arguments::of_call(model);
    let call_pattern = call.tuple_pattern();
    let called = as_promised(model, called(model, &call));
    let Handle { name: handle, lifetime, call_type, caller } = Handle::of(model, &call);
    let lifetime = lifetime.iter();

    let known = Arguments::of_control(model);
    let (known_type, known_pattern) = (known.tuple_type(), known.tuple_pattern());
    let (ask, control) = (hidden("ask"), &names.control);
    let asked = known.ask(&quote!(Self::#control #turbofish), &ask);

    let opaque = opaque();
    let doc = format!("Controls what the memoized method [`{function}`](Self::{function}) keeps.");
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #quiet
        #vis #unsafety fn #name <#(#lifetime,)* #params>() -> #private::#handle<
            #output,
            #opaque #private::Fn(#known_type, #private::Ask<'_, #output>),
            #caller,
        > #bounds {
            #private::#handle::new(
                #site,
                |#known_pattern: #known_type, #ask: #private::Ask<'_, #output>| #asked,
                |#call_pattern: #call_type| #called,
                || #plan,
            )
        }

        #hidden_items
    }
}

/// The type of the runtime that `<method>_memo()` returns.
struct Handle {
    name: TokenStream,
    /// The lifetime that `call_type` names.
    lifetime: Option<Lifetime>,
    /// The method's arguments, as one type.
    call_type: syn::Type,
    /// The type parameters for the closure that calls the method.
    caller: TokenStream,
}

impl Handle {
    fn of(model: &Model, call: &Arguments<'_>) -> Self {
        let (private, output, opaque) = (private(model), &model.output, opaque());
        let call_type = call.tuple_type();
        match model.sig.asyncness {
            None => Handle {
                name: quote!(MethodControl),
                lifetime: None,
                caller: quote!(#opaque #private::Fn(#call_type) -> #output),
                call_type,
            },
            // the future of an `async` method has its arguments' lifetimes, which are named for it
            Some(_) => {
                let (lifetime, call_type) = with_named_lifetimes(&call_type);
                let caller = quote!(#call_type, #opaque #private::Future<Output = #output>);
                Handle { name: quote!(AsyncMethodControl), lifetime, call_type, caller }
            }
        }
    }
}

/// The keyword of `impl Trait`, with our hygiene.
fn opaque() -> TokenStream {
    quote_spanned!(Span::mixed_site()=> impl)
}
