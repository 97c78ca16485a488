//! What there is within a type: `impl Trait`, `&mut`, borrows.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, TraitBound, Type, TypeFnPtr,
    TypeImplTrait, TypeReference,
};

/// The type itself, without brackets.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}

/// The first `&mut` in a type. One in the signature of a function pointer or a closure does not count, because that one's calls
/// borrow by it.
pub(crate) fn mutable(ty: &Type) -> Option<Span> {
    struct First(Option<Span>);
    impl<'ast> Visit<'ast> for First {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if let Some(mutability) = reference.mutability {
                self.0.get_or_insert(mutability.span);
            }
            visit::visit_type_reference(self, reference);
        }
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
    }
    let mut first = First(None);
    first.visit_type(ty);
    first.0
}

/// The first borrow in a type that is not `'static`. One in the signature of a function pointer or a closure, or under a
/// `for<'a>`, does not count, because it holds for any lifetime.
pub(crate) fn borrow(ty: &Type) -> Option<Span> {
    struct First(Option<Span>);
    impl<'ast> Visit<'ast> for First {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
                self.0.get_or_insert(reference.and_token.span);
            }
            visit::visit_type_reference(self, reference);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.0.get_or_insert(lifetime.span());
            }
        }
        fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
            if bound.lifetimes.is_none() {
                visit::visit_trait_bound(self, bound);
            }
        }
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut first = First(None);
    first.visit_type(ty);
    first.0
}

/// The first borrow in an argument's type that cannot become owned in a stored key. Those that can are references, `Cow`, and
/// tuples, slices, `Vec` and `Option` of these.
pub(crate) fn buried(ty: &Type) -> Option<Span> {
    match ty {
        Type::Group(group) => buried(&group.elem),
        Type::Paren(paren) => buried(&paren.elem),
        Type::Reference(reference) => buried(&reference.elem),
        Type::Slice(slice) => buried(&slice.elem),
        Type::Array(array) => buried(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(buried),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let within = match last.ident.to_string().as_str() {
                "Option" | "Vec" => buried,
                "Cow" => borrow,
                _ => return borrow(ty),
            };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => within(ty),
                _ => None,
            })
        }
        _ => borrow(ty),
    }
}

/// The first `impl Trait` in a type.
pub(crate) fn impl_trait(ty: &Type) -> Option<&TypeImplTrait> {
    struct First<'ast>(Option<&'ast TypeImplTrait>);
    impl<'ast> Visit<'ast> for First<'ast> {
        fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
            self.0.get_or_insert(ty);
        }
    }
    let mut first = First(None);
    first.visit_type(ty);
    first.0
}
