//! Types that the macro knows by their names, so that no traits have to be probed for them.
//!
//! The code for the name of a primitive type compiles for that type only. If the author has a type of the same name, it is a
//! compile error, and never a wrong key.

use syn::visit::Visit;
use syn::{GenericArgument, Path, PathArguments, Type, TypeArray};

/// Types that are copied into a key.
const COPIED: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize",
];

/// Types of the standard library with one type parameter.
const CONTAINERS: &[&str] = &["Vec", "Option", "Box", "Arc", "Rc"];

/// Types without a size, which are only lent.
const UNSIZED: &[&str] = &["str", "Path"];

/// Whether this is the name of a primitive type that has values.
pub(super) fn is_primitive(ty: &Type) -> bool {
    name(ty).is_some_and(|path| COPIED.iter().any(|name| path.is_ident(name)))
}

/// Whether this is `str`, behind a reference without a lifetime, or with one.
pub(super) fn is_str(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) if reference.mutability.is_none() => {
            name(&reference.elem).is_some_and(|path| path.is_ident("str"))
        }
        Type::Paren(inner) => is_str(&inner.elem),
        Type::Group(inner) => is_str(&inner.elem),
        _ => false,
    }
}

/// The path that the type is, if it is nothing else.
fn name(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(path) if path.qself.is_none() => Some(&path.path),
        Type::Paren(inner) => name(&inner.elem),
        Type::Group(inner) => name(&inner.elem),
        _ => None,
    }
}

/// Whether this is the name of a type without a size, and no lifetime is left out in it.
pub(super) fn is_unsized(ty: &Type) -> bool {
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
pub(super) fn has_no_lifetime(ty: &Type) -> bool {
    match ty {
        Type::Path(path) if path.qself.is_none() && path.path.leading_colon.is_none() => {
            let mut segments = path.path.segments.iter();
            let (Some(segment), None) = (segments.next(), segments.next()) else { return false };
            let named = |names: &[&str]| names.iter().any(|name| segment.ident == name);
            match &segment.arguments {
                PathArguments::None => is_primitive(ty) || named(&["String"]),
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
