//! Functions whose control is written in the runtime, so that nothing of it has to be generated for each.
//!
//! The arguments' types stand in a type alias there. A lifetime that is not written cannot be in one, and a name may hide
//! one, so these are functions of types that the standard library names. A type of the author's that has such a name and
//! hides a lifetime does not compile.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{GenericArgument, Path, PathArguments, Safety, Type, TypeArray};

use super::kind::is_single;
use super::plain;
use crate::model::Model;

/// Companions are written for as many arguments.
const MOST: usize = 8;

/// Types of one parameter.
const CONTAINERS: &[&str] = &["Vec", "Option", "Box", "Arc", "Rc"];

/// Types that are only lent.
const UNSIZED: &[&str] = &["str", "Path"];

/// How the arguments of such a function are passed.
pub(super) struct Thin(Vec<Passed>);

enum Passed {
    Owned(Type),
    Lent(Type),
}

impl Thin {
    /// None for any other function.
    pub(super) fn of(model: &Model) -> Option<Self> {
        if is_single(model) { Self::arguments(model) } else { None }
    }

    /// The arguments of a function whose types are plain, wherever its record is.
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
        (!lent || has_no_lifetime(&model.output)).then_some(Thin(passed))
    }

    /// The type that tells it to the runtime.
    pub(super) fn passed(&self, private: &Path) -> TokenStream {
        let passed = self.0.iter().map(|passed| match passed {
            Passed::Owned(ty) => quote!(#private::Owned<#ty>),
            Passed::Lent(ty) => quote!(#private::Lent<#ty>),
        });
        quote!((#(#passed,)*))
    }
}

/// The type that stands for the function called as its companion is.
pub(super) fn name(companion: &Ident) -> Ident {
    format_ident!("__{}_memo", companion.unraw())
}

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

fn is_unsized(ty: &Type) -> bool {
    match ty {
        Type::Slice(slice) => has_no_lifetime(&slice.elem),
        Type::Path(path) => path.qself.is_none() && UNSIZED.iter().any(|name| path.path.is_ident(name)),
        _ => false,
    }
}

/// Whether it is certain that values of the type have few bytes: it is named by the standard library, and no array.
pub(super) fn is_small(ty: &Type) -> bool {
    struct Large(bool);
    impl Visit<'_> for Large {
        fn visit_type_array(&mut self, _: &TypeArray) {
            self.0 = true;
        }
    }
    let mut large = Large(false);
    large.visit_type(ty);
    !large.0 && has_no_lifetime(ty)
}

/// Whether it is certain that no lifetime is left out in the type.
fn has_no_lifetime(ty: &Type) -> bool {
    match ty {
        Type::Path(path) if path.qself.is_none() && path.path.leading_colon.is_none() => {
            let mut segments = path.path.segments.iter();
            let (Some(segment), None) = (segments.next(), segments.next()) else { return false };
            let named = |names: &[&str]| names.iter().any(|name| segment.ident == name);
            match &segment.arguments {
                PathArguments::None => plain::is_primitive(ty) || named(&["String"]),
                PathArguments::AngleBracketed(arguments) if named(CONTAINERS) => {
                    arguments.args.len() == 1
                        && matches!(&arguments.args[0], GenericArgument::Type(inner) if has_no_lifetime(inner))
                }
                _ => false,
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter().all(has_no_lifetime),
        Type::Array(array) => has_no_lifetime(&array.elem),
        Type::Reference(reference) => {
            reference.mutability.is_none()
                && reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
                && (has_no_lifetime(&reference.elem) || is_unsized(&reference.elem))
        }
        Type::Paren(inner) => has_no_lifetime(&inner.elem),
        Type::Group(inner) => has_no_lifetime(&inner.elem),
        _ => false,
    }
}
