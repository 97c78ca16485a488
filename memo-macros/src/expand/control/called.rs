//! How a control calls the memoized function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Safety;

use crate::expand::arguments::Arguments;
use crate::expand::site::turbofish;
use crate::model::{Companion, Model};

/// The call of the function with these arguments, by our names for them. An `async fn` is not awaited yet.
pub(super) fn called(model: &Model, arguments: &Arguments<'_>) -> TokenStream {
    let (function, turbofish, names) = (&model.sig.ident, turbofish(model), arguments.names());
    let owner = match model.companion {
        Some(Companion::Function(_)) => quote!(Self::),
        _ => TokenStream::new(),
    };
    quote!(#owner #function #turbofish (#(#names),*))
}

/// `call` in an `unsafe` block if the function is an `unsafe fn`. What calls it in the control is an `unsafe fn` as well, so
/// its caller has promised what the function asks for.
pub(super) fn as_promised(model: &Model, call: TokenStream) -> TokenStream {
    match model.sig.safety {
        Safety::Unsafe(_) => quote!(unsafe { #call }),
        _ => call,
    }
}
