//! The hidden items that a companion type, `<method>_memo()` and the memoized function itself name: the function's `static`,
//! its site, how it is asked about a key, what its types can do.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::expand::arguments::Arguments;
use crate::expand::kind::is_single;
use crate::expand::names::{cfgs, hidden, private, quiet};
use crate::expand::outcome::outcome;
use crate::expand::site::{HiddenNames, new_site, own_unnamed, single_function};
use crate::expand::{hooks, key, site};
use crate::model::{Companion, Model};

/// All of them, for the `impl` that the control stands in.
pub(super) fn hidden_items(model: &Model, names: &HiddenNames) -> TokenStream {
    let types = names.types.as_ref().map(|name| types_item(model, names, name));
    let function = names.function.as_ref().map(|name| function_item(model, name));
    let site = match &model.companion {
        Some(Companion::Type(companion)) if is_single(model) => single_item(model, names, companion),
        _ => site_item(model, names),
    };
    let control = control_item(model, names);
    quote!(#types #function #site #control)
}

/// What the author's lints may not find in one of these items. A companion type says it once, for its whole `impl`.
fn quiet_item(names: &HiddenNames) -> TokenStream {
    if names.function.is_some() { TokenStream::new() } else { quiet() }
}

/// The function `name`, which returns the function's `static`. It has no type parameters.
fn function_item(model: &Model, name: &Ident) -> TokenStream {
    let (private, cfgs, body) = (private(model), cfgs(model), site::function(model));
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        fn #name() -> &'static #private::Family #body
    }
}

/// The constant that leads to the `static` of a function with one instantiation, for which its companion stands.
fn single_item(model: &Model, names: &HiddenNames, companion: &Ident) -> TokenStream {
    let (private, cfgs, site) = (private(model), cfgs(model), &names.site);
    let function = single_function(model, companion);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        const #site: &'static #private::Single = #function;
    }
}

/// The function that makes the site of an instantiation.
fn site_item(model: &Model, names: &HiddenNames) -> TokenStream {
    let (private, cfgs, quiet) = (private(model), cfgs(model), quiet_item(names));
    let HiddenNames { owner, site, .. } = names;
    let bounds = &model.sig.generics.where_clause;
    // the types that have no names are one type parameter more
    let unnamed = own_unnamed(model).map(|_| hidden("Unnamed").into_token_stream());
    let input = unnamed.as_ref().map(|unnamed| quote!(_: #private::Unnamed<#unnamed>));
    let params = model.sig.generics.params.iter().map(ToTokens::to_token_stream).chain(unnamed);
    let function = match &names.function {
        Some(function) => quote!(#owner::#function()),
        None => site::function(model),
    };
    let new_site = new_site(model, &function);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[inline(always)]
        #quiet
        fn #site <#(#params),*>(#input) -> #private::Site #bounds {
            #new_site
        }
    }
}

/// The function that asks about the key of these arguments: what stands behind `peek`, `insert` and `invalidate`.
fn control_item(model: &Model, names: &HiddenNames) -> TokenStream {
    let (private, cfgs, quiet) = (private(model), cfgs(model), quiet_item(names));
    let (control, output) = (&names.control, &model.output);
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (this, inputs) = Arguments::of_control(model).inputs();
    let this = this.iter();
    let (ask, key, outcome_name) = (hidden("ask"), hidden("key"), hidden("outcome"));
    let (outcome, hooks) = (outcome(model), hooks::hooks(model));
    let site = site::site(model, own_unnamed(model).as_ref());
    let way = if model.on_thread() { quote!(control_here) } else { quote!(control) };
    let asked = quote!(#private::#way::<_, #output, _>(#site, #hooks, &#key, #outcome_name, #ask));
    let asked = key::with_key(model, &key, &asked);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #quiet
        #[inline]
        fn #control <#params>(
            #(#this,)*
            #ask: #private::Ask<'_, #output>,
            #(#inputs),*
        ) #bounds {
            let #outcome_name = #outcome;
            #asked
        }
    }
}

/// The function `name`, which tells what the types of the key and the result can do.
fn types_item(model: &Model, names: &HiddenNames, name: &Ident) -> TokenStream {
    let (private, cfgs, quiet) = (private(model), cfgs(model), quiet_item(names));
    let output = &model.output;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (this, inputs) = Arguments::of_key(model).inputs();
    let this = this.iter();
    let (key, typed, outcome_name) = (hidden("key"), hidden("typed"), hidden("outcome"));
    let outcome = outcome(model);
    let answers = hooks::answers(model, &hidden("asked"), &quote!(#typed));
    let answered = quote!({
        let #typed = #private::types::<_, #output, _>(&#key, #outcome_name);
        #private::probed(#typed, #answers)
    });
    let answered = key::with_key(model, &key, &answered);
    let opaque = quote_spanned!(Span::mixed_site()=> impl);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #quiet
        fn #name <#params>(#(#this,)* #(#inputs),*) -> #opaque #private::Typed #bounds {
            let #outcome_name = #outcome;
            #answered
        }
    }
}
