//! Kinds of functions, which are expanded differently.

use syn::GenericParam;

use crate::model::{Companion, Model, Place};

/// Whether the function has one instantiation, in memory that threads share, so that its `static` leads straight to its record.
/// It stands in a module or a block, and has neither type parameters nor engines that outlive the process.
pub(super) fn is_single(model: &Model) -> bool {
    let free = matches!(model.companion, Some(Companion::Type(_)));
    let typed = model.sig.generics.params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_)));
    let opaque = model.args.iter().any(|arg| arg.is_impl_trait);
    free && !typed && !opaque && !is_far(model) && !model.on_thread()
}

/// Whether results may outlive the process.
pub(super) fn is_far(model: &Model) -> bool {
    model.options.engine.is_far() || model.may_outlive()
}

/// Whether the function stands in an `impl` or a trait, where `Self` is a type.
pub(super) fn has_self(model: &Model) -> bool {
    model.place != Place::Free
}
