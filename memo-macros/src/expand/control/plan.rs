//! What `plan()` of a control evaluates.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::arguments::Arguments;
use crate::expand::names::private;
use crate::expand::site;
use crate::expand::site::{HiddenNames, own_unnamed, turbofish};
use crate::model::Model;

/// The expression for where results live. If the strategy wants to know the types, the compiler infers them from a call that
/// never runs.
pub(super) fn plan(model: &Model, names: &HiddenNames) -> TokenStream {
    let private = private(model);
    let site = match own_unnamed(model) {
        // there are no arguments here that tell the types without names
        Some(_) => {
            let any = site::site(model, Some(&quote!(#private::unnamed(&()))));
            quote!(#any.any())
        }
        None => site::site(model, None),
    };
    let HiddenNames { owner, types: Some(types), .. } = names else {
        return quote!(#site.plan());
    };
    let turbofish = turbofish(model);
    let arguments = Arguments::of_key(model).names().into_iter().map(|_| quote!(loop {}));
    quote!({
        #[allow(unreachable_code, clippy::all)]
        #site.plan_of(if false {
            #private::Option::Some(#owner::#types #turbofish (#(#arguments),*))
        } else {
            #private::Option::None
        })
    })
}
