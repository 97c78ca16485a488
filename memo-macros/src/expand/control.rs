//! The control of a function: which of its three forms a function has.

mod called;
mod companion;
mod hidden_items;
mod method;
mod plan;
mod thin_companion;

use proc_macro2::TokenStream;

use super::site::Shared;
use super::thin::Thin;
use crate::model::{Companion, Model};

/// The control of the function: a companion type beside a free function, `<method>_memo()` beside a method. Empty if the
/// function has none.
pub(super) fn control(model: &Model) -> TokenStream {
    let (Some(companion), Some(shared)) = (&model.companion, Shared::of(model)) else {
        return TokenStream::new();
    };
    match companion {
        Companion::Type(name) => match Thin::of(model) {
            Some(thin) => thin_companion::thin_companion(model, name, &thin),
            None => companion::companion(model, name, &shared),
        },
        Companion::Function(name) => method::method_control(model, name, &shared),
    }
}
