//! The companion of a free function: a type with an associated function for each operation.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::called::{as_promised, called};
use super::hidden_items::hidden_items;
use super::plan::plan;
use crate::expand::arguments::Arguments;
use crate::expand::named_lifetimes::with_named_lifetimes;
use crate::expand::names::{cfgs, hidden, private, quiet};
use crate::expand::site;
use crate::expand::site::{HiddenNames, turbofish, unnamed};
use crate::model::{Arg, Model};

/// The type `name` and its associated functions.
pub(super) fn companion(model: &Model, name: &Ident, names: &HiddenNames) -> TokenStream {
    let (vis, function) = (&model.vis, &model.sig.ident);
    let (cfgs, quiet) = (cfgs(model), quiet());
    let hidden_items = hidden_items(model, names);
    let (on_calls, warm) = (operations_on_calls(model), warm(model));
    let (on_entries, on_all) = (operations_on_entries(model, names), operations_on_all(model, names));
    let doc = format!("Controls what the memoized function [`{function}()`] keeps.");
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(non_camel_case_types, missing_debug_implementations, clippy::all, clippy::pedantic)]
        #vis enum #name {}

        #(#cfgs)*
        #quiet
        impl #name {
            #hidden_items
            #on_calls
            #warm
            #on_entries
            #on_all
        }
    }
}

/// `uncached` and `refresh`: the function called under a directive.
fn operations_on_calls(model: &Model) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (asyncness, unsafety) = (&model.sig.asyncness, &model.sig.safety);
    let call = Arguments::of_call(model);
    let inputs = call.plain_inputs();
    let name = |arg: &Arg| {
        let place = call.args.iter().position(|other| other.forward == arg.forward).unwrap_or_default();
        call.arg_names().swap_remove(place)
    };
    let site = site::site(model, unnamed(model, name).as_ref());
    let called = as_promised(model, called(model, &call));
    let directed = |directive: &str| {
        let directive = format_ident!("{directive}");
        match asyncness {
            Some(_) => quote!(#private::Directed::new(#site, #private::Directive::#directive, #called).await),
            None => quote!(#private::direct(&#site, #private::Directive::#directive, || #called)),
        }
    };
    let (uncached, refresh) = (directed("Bypass"), directed("Refresh"));
    quote! {
        /// Runs the body: neither looks for a result of this call nor stores one. What it calls is memoized as ever.
        #[inline]
        #vis #asyncness #unsafety fn uncached <#params>(#(#inputs),*) -> #output #bounds { #uncached }

        /// Computes now, replaces what is stored, and returns the result.
        #[inline]
        #vis #asyncness #unsafety fn refresh <#params>(#(#inputs),*) -> #output #bounds { #refresh }
    }
}

/// `warm`: the function called with many arguments. Empty where their types cannot be named.
fn warm(model: &Model) -> TokenStream {
    let call = Arguments::of_call(model);
    if call.args.is_empty() || model.args.iter().any(|arg| arg.is_impl_trait) {
        return TokenStream::new();
    }
    let private = private(model);
    let vis = &model.vis;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (asyncness, unsafety) = (&model.sig.asyncness, &model.sig.safety);
    let pattern = call.tuple_pattern();
    let (lifetime, item) = with_named_lifetimes(&call.tuple_type());
    let lifetime = lifetime.iter();
    let calls = hidden("calls");
    let called = called(model, &call);
    let called = if asyncness.is_some() { quote!(#called.await) } else { called };
    let called = as_promised(model, called);
    quote! {
        /// Computes what is missing of these calls, one after the other.
        #[inline]
        #vis #asyncness #unsafety fn warm <#(#lifetime,)* #params>(
            #calls: impl #private::IntoIterator<Item = #item>
        ) #bounds {
            for #pattern in #calls {
                let _ = #called;
            }
        }
    }
}

/// `peek`, `peek_entry`, `insert`, `invalidate` and `expire`: what is asked about the entry of some arguments.
fn operations_on_entries(model: &Model, names: &HiddenNames) -> TokenStream {
    let turbofish = turbofish(model);
    let known = Arguments::of_control(model);
    let (ask, control) = (hidden("ask"), &names.control);
    let asked = known.ask(&quote!(Self::#control #turbofish), &ask);
    let asked = quote!(|#ask| #asked);
    let settled = match model.sig.asyncness {
        Some(_) => quote!(.settled().await),
        None => quote!(.now()),
    };
    let (looks, changes) = (looks(model, &known, &asked, &settled), changes(model, &known, &asked, &settled));
    quote!(#looks #changes)
}

/// `peek` and `peek_entry`. `asked` is the closure that asks about the entry, and `settled` gives the answer.
fn looks(model: &Model, known: &Arguments<'_>, asked: &TokenStream, settled: &TokenStream) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (asyncness, inputs) = (&model.sig.asyncness, known.plain_inputs());
    quote! {
        /// What is stored now. Computes nothing, and counts as no use.
        #[inline]
        #vis #asyncness fn peek <#params>(#(#inputs),*) -> #private::Option<#output> #bounds {
            #private::peek(#asked) #settled
        }

        /// What is stored now, be it stale, with how old it is, what it cost and which engine has it. Computes nothing, and
        /// counts as no use.
        #[inline]
        #vis #asyncness fn peek_entry <#params>(
            #(#inputs),*
        ) -> #private::Option<#private::Stored<#output>> #bounds {
            #private::peek_entry(#asked) #settled
        }
    }
}

/// `insert`, `invalidate` and `expire`. `asked` is the closure that asks about the entry, and `settled` gives the answer.
fn changes(model: &Model, known: &Arguments<'_>, asked: &TokenStream, settled: &TokenStream) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (asyncness, inputs, result) = (&model.sig.asyncness, known.plain_inputs(), known.unused("value"));
    let insert_errors = "# Errors\n\nIf the function's settings do not store this value.";
    quote! {
        /// Stores a result, as if it had just been computed.
        #[doc = ""]
        #[doc = #insert_errors]
        #[inline]
        #vis #asyncness fn insert <#params>(
            #(#inputs,)*
            #result: #output,
        ) -> #private::Result<(), #private::Error> #bounds {
            #private::insert(#result, #asked) #settled
        }

        /// Drops the entry of these arguments. What is being computed for them now is not stored.
        #[doc = ""]
        #[doc = #NOT_IN_EVERY_TIER]
        #[inline]
        #vis #asyncness fn invalidate <#params>(
            #(#inputs),*
        ) -> #private::Result<(), #private::Error> #bounds {
            #private::invalidate(#asked) #settled
        }

        /// Ends the freshness of the entry of these arguments: it is stale from now on, if it can be, and else dropped. What is
        /// being computed for them now is not stored.
        #[doc = ""]
        #[doc = #NOT_IN_EVERY_TIER]
        #[inline]
        #vis #asyncness fn expire <#params>(
            #(#inputs),*
        ) -> #private::Result<(), #private::Error> #bounds {
            #private::expire(#asked) #settled
        }
    }
}

/// When dropping entries fails, as documentation.
const NOT_IN_EVERY_TIER: &str = "# Errors\n\nIf it was not done in every tier.";

/// `clear`, `stats` and `plan`: what concerns all entries of the function.
fn operations_on_all(model: &Model, names: &HiddenNames) -> TokenStream {
    let (private, plan) = (private(model), plan(model, names));
    let vis = &model.vis;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let asyncness = &model.sig.asyncness;
    let function = match names {
        HiddenNames { function: Some(function), .. } => quote!(Self::#function()),
        HiddenNames { site, .. } => quote!(Self::#site),
    };
    let clear = match asyncness {
        Some(_) => quote!(#function.clear_async().await),
        None => quote!(#function.clear()),
    };
    quote! {
        /// Drops all entries, whatever the type parameters. What is being computed now is not stored.
        #[doc = ""]
        #[doc = #NOT_IN_EVERY_TIER]
        #[inline]
        #vis #asyncness fn clear() -> #private::Result<(), #private::Error> {
            #clear
        }

        /// What the function has counted, whatever the type parameters.
        #[inline]
        #vis fn stats() -> #private::Stats {
            #function.stats()
        }

        /// Where results live, and why.
        #[inline]
        #vis fn plan <#params>() -> #private::Plan #bounds {
            #plan
        }
    }
}
