//! How results of a function are stored.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::names::{hidden_at, pointing_at, private};
use super::plain;
use crate::model::Model;

/// How results of the function are stored.
pub(super) fn outcome(model: &Model) -> TokenStream {
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
    // the author's type stands outside of the block whose imports it could meet
    quote!({
        let #of = &&&#private::Shape::<#output>::NEW;
        {
            use #private::#shape::*;
            #outcome
        }
    })
}
