//! Functions whose companion is ready made: the runtime holds it, so that none has to be generated for each function.
//!
//! The companion is an alias for a type of the runtime, and the types of the arguments stand in it. An alias cannot leave a
//! lifetime out, as the signature of a function can, and the name of a type may hide that it has a lifetime. So these are
//! functions whose arguments have types that the standard library names. If the author has a type of such a name that hides
//! a lifetime, the generated code does not compile.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Path, Safety, Type};

use super::kind::is_single;
use super::plain::{has_no_lifetime, is_unsized};
use crate::model::Model;

/// The runtime holds companions of functions with at most as many arguments.
const MOST: usize = 8;

/// How the arguments of such a function are passed.
pub(super) struct ReadyMade(Vec<Passed>);

/// How one argument is passed.
enum Passed {
    /// By a value of this type.
    Owned(Type),
    /// By a reference to a value of this type, which lives as long as the call.
    Lent(Type),
}

impl ReadyMade {
    /// How the arguments are passed. `None` if the companion of this function is not ready made.
    pub(super) fn of(model: &Model) -> Option<Self> {
        if is_single(model) { Self::arguments(model) } else { None }
    }

    /// How the arguments are passed, if their types allow for a ready-made companion, whatever else the function is.
    pub(super) fn arguments(model: &Model) -> Option<Self> {
        let sig = &model.sig;
        let plain = sig.asyncness.is_none()
            && !matches!(sig.safety, Safety::Unsafe(_))
            && sig.generics.params.is_empty()
            && sig.generics.where_clause.is_none();
        if !plain || model.args.len() > MOST {
            return None;
        }
        let passed = model.args.iter().map(|arg| match arg.is_whole() && !arg.skipped {
            true => passed(&arg.ty),
            false => None,
        });
        let passed: Vec<_> = passed.collect::<Option<_>>()?;
        // the lifetime of an argument may be hidden in the result as well
        let lent = passed.iter().any(|passed| matches!(passed, Passed::Lent(_)));
        (!lent || has_no_lifetime(&model.output)).then_some(ReadyMade(passed))
    }

    /// The type that tells the runtime how they are passed.
    pub(super) fn passed(&self, private: &Path) -> TokenStream {
        let passed = self.0.iter().map(|passed| match passed {
            Passed::Owned(ty) => quote!(#private::Owned<#ty>),
            Passed::Lent(ty) => quote!(#private::Lent<#ty>),
        });
        quote!((#(#passed,)*))
    }
}

/// The name of the type that stands for the function in its companion, which is called `companion`.
pub(super) fn name(companion: &Ident) -> Ident {
    format_ident!("__{}_memo", companion.unraw())
}

/// How an argument of this type is passed. `None` if a lifetime may be left out in the type.
fn passed(ty: &Type) -> Option<Passed> {
    match ty {
        Type::Reference(reference) if reference.mutability.is_none() => {
            let lifetime = reference.lifetime.as_ref();
            let elem = &*reference.elem;
            let known = has_no_lifetime(elem) || is_unsized(elem);
            match lifetime {
                None => known.then(|| Passed::Lent(elem.clone())),
                Some(lifetime) => (known && lifetime.ident == "static").then(|| Passed::Owned(ty.clone())),
            }
        }
        ty => has_no_lifetime(ty).then(|| Passed::Owned(ty.clone())),
    }
}
