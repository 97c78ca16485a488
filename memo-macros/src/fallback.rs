//! What comes out where there was a mistake: the errors, and beside them the function as if it were not
//! memoized, so that one mistake is one message and its callers still compile.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::crate_path;
use crate::errors::Error;
use crate::item::{Function, is_memoize};

/// The errors beside the item. Of its attributes only a second `#[memoize]` is left out, which would
/// say the same again.
pub(crate) fn fallback(errors: Error, item: TokenStream) -> TokenStream {
    let errors = errors.into_compile_errors();
    let item = match syn::parse2::<Function>(item.clone()) {
        Ok(mut function) => {
            function.attrs.retain(|attribute| !is_memoize(attribute, &crate_path::default()));
            function.into_token_stream()
        }
        Err(_) => item,
    };
    quote!(#errors #item)
}
