//! How results of a function are stored.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::names::{hidden_at, pointing_at, private};
use super::plain;
use crate::model::{LimitWait, Model};

/// The expression for how results of the function are stored. If the name of their type does not tell it, it is found by the
/// traits of the type.
pub(super) fn outcome(model: &Model) -> TokenStream {
    let mut outcome = stored(model);
    if model.options.timeout.is_some() {
        outcome = telling(model, "times_out", &outcome);
    }
    if model.options.limit_wait == Some(LimitWait::None) {
        outcome = telling(model, "turns_away", &outcome);
    }
    outcome
}

/// The outcome `within`, with the error that says why a body has no result. `way` names the ways to it, and their method.
fn telling(model: &Model, way: &str, within: &TokenStream) -> TokenStream {
    let (private, output) = (private(model), &model.output);
    let of = hidden_at("gives", output.span());
    let way = Ident::new(way, of.span());
    let outcome = quote_spanned!(of.span()=> #of.#way(#within));
    quote!({
        let #of = &#private::Shape::<#output>::NEW;
        {
            use #private::#way::*;
            #outcome
        }
    })
}

/// The expression for what is stored of results.
fn stored(model: &Model) -> TokenStream {
    let (private, output) = (private(model), &model.output);
    if plain::is_primitive(output) && !model.options.cache_err.is_on() {
        let span = pointing_at(output.span());
        return quote_spanned!(span=> #private::whole::<#output>());
    }
    let shape = match (model.options.cache_err.is_on(), model.on_thread()) {
        (false, false) => quote!(shape),
        (true, false) => quote!(shape_with_errors),
        (false, true) => quote!(shape_here),
        (true, true) => quote!(shape_with_errors_here),
    };
    let of = hidden_at("shape", output.span());
    let outcome = quote_spanned!(of.span()=> #of.outcome());
    // The author's type stands outside of the block, since what the block imports could hide its name.
    quote!({
        let #of = &&&#private::Shape::<#output>::NEW;
        {
            use #private::#shape::*;
            #outcome
        }
    })
}
