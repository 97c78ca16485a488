//! A type in which each lifetime has a name, for places where none may be left out.

use proc_macro2::Span;
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Type, TypeFnPtr, TypeReference};

/// `ty` with the name `'call` for each lifetime that has none, since `impl Trait` may have none such. The name comes with it
/// if it is used.
pub(super) fn with_named_lifetimes(ty: &Type) -> (Option<Lifetime>, Type) {
    let mut naming = Naming { name: Lifetime::new("'call", Span::mixed_site()), used: false };
    let mut ty = ty.clone();
    naming.visit_type_mut(&mut ty);
    (naming.used.then_some(naming.name), ty)
}

/// Gives lifetimes a name.
struct Naming {
    name: Lifetime,
    used: bool,
}

impl Naming {
    fn name(&mut self) -> Lifetime {
        self.used = true;
        self.name.clone()
    }
}

impl VisitMut for Naming {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.name());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.name();
        }
    }

    // The lifetimes within `fn(&A) -> &B` are bound by that type itself.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}
