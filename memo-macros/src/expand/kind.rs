//! Kinds of functions, which are expanded differently.

use syn::GenericParam;

use crate::model::{Companion, Model, Place};

/// Whether the function has one instantiation, and the runtime can do without code for each: it stands in a module or a
/// block, and neither its types nor engines that outlive the process have to be told of it.
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

/// Whether the function stands where `Self` means something.
pub(super) fn has_self(model: &Model) -> bool {
    model.place != Place::Free
}
