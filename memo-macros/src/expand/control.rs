//! The control of a function: which of its three forms a function has.

mod called;
mod companion;
mod hidden_items;
mod method;
mod plan;
mod ready_made;

use proc_macro2::TokenStream;

use super::ready_made::ReadyMade;
use super::site::HiddenNames;
use crate::model::{Companion, Model};

/// The control of the function: a companion type beside a free function, `<method>_memo()` beside a method. Empty if the
/// function has none.
pub(super) fn control(model: &Model) -> TokenStream {
    let (Some(companion), Some(names)) = (&model.companion, HiddenNames::of(model)) else {
        return TokenStream::new();
    };
    match companion {
        Companion::Type(name) => match ReadyMade::of(model) {
            Some(arguments) => ready_made::companion(model, name, &arguments),
            None => companion::companion(model, name, &names),
        },
        Companion::Function(name) => method::method_control(model, name, &names),
    }
}
