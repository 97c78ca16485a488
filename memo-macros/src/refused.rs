//! What comes out where something was refused: the errors, and beside them the function, not memoized. So one mistake is one
//! message, and the callers of the function still compile.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::crate_path;
use crate::errors::Error;
use crate::item::{Function, is_memoize};

/// The errors beside the item. A second `#[memoize]` is taken from its attributes, because it would report the same errors
/// again.
pub(crate) fn refused(errors: Error, item: TokenStream) -> TokenStream {
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
