//! Arguments, and what their patterns bind.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Ident, Pat, Type};

use crate::types::impl_trait;

/// One argument with a type.
#[derive(Debug, Clone)]
pub(crate) struct Arg {
    /// The pattern, as written.
    pub(crate) pat: Pat,
    /// The type, as written.
    pub(crate) ty: Type,
    /// The names that the pattern binds, in order, each once.
    pub(crate) bindings: Vec<Ident>,
    /// Whether `skip` leaves it out of the key.
    pub(crate) skipped: bool,
    /// The name to pass it on by: its own if the pattern is nothing but a name (`x` or `mut x`). Otherwise it is `argN` with our
    /// hygiene, where N counts the arguments with a type from 0.
    pub(crate) forward: Ident,
    /// Whether `impl Trait` is somewhere in the type, so that the type cannot be named.
    pub(crate) is_impl_trait: bool,
}

impl Arg {
    /// The argument that stands at `index` among those with a type. `skipped` is what `skip` names.
    pub(super) fn new(index: usize, pat: &Pat, ty: &Type, skipped: &[Ident]) -> Self {
        let mut bindings = Bindings::default();
        bindings.visit_pat(pat);
        let bindings = bindings.0;
        let forward = match pat {
            Pat::Ident(name) if is_name(pat) => name.ident.clone(),
            _ => Ident::new(&format!("arg{index}"), Span::mixed_site().located_at(pat.span())),
        };
        Arg {
            pat: pat.clone(),
            ty: ty.clone(),
            skipped: !bindings.is_empty() && bindings.iter().all(|binding| skipped.contains(binding)),
            bindings,
            forward,
            is_impl_trait: impl_trait(ty).is_some(),
        }
    }

    /// Whether its pattern is nothing but its name.
    pub(crate) fn is_whole(&self) -> bool {
        is_name(&self.pat)
    }
}

/// Whether the pattern is nothing but a name (`x` or `mut x`).
fn is_name(pat: &Pat) -> bool {
    matches!(pat, Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none())
}

/// The names that a pattern binds.
#[derive(Default)]
struct Bindings(Vec<Ident>);

impl<'ast> Visit<'ast> for Bindings {
    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        // The branches of `(A(x) | B(x))` bind the same names.
        if !self.0.contains(&pat.ident) {
            self.0.push(pat.ident.clone());
        }
        visit::visit_pat_ident(self, pat);
    }

    // A const block or the length of an array may hold patterns of their own.
    fn visit_expr(&mut self, _: &'ast Expr) {}
    fn visit_block(&mut self, _: &'ast syn::Block) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use crate::model::tests::model;

    #[test]
    fn arguments() {
        let function = "fn f(mut a: u8, (b, ref c): (u8, &impl Tr), d @ [e, ..]: [u8; 2], _: u8, ref g: u8, \
                        P { h, i: (A(j) | B(j)) }: P) -> u8 { 1 }";
        let Model { args, .. } = model("skip(a, b, c)", function);
        let bindings = |arg: &Arg| arg.bindings.iter().map(Ident::to_string).collect::<Vec<_>>().join(" ");
        let seen: Vec<_> =
            args.iter().map(|arg| (arg.forward.to_string(), bindings(arg), arg.skipped)).collect();
        let expected = [
            ("a", "a", true),
            ("arg1", "b c", true),
            ("arg2", "d e", false),
            ("arg3", "", false),
            ("arg4", "g", false),
            ("arg5", "h j", false),
        ];
        assert_eq!(
            seen,
            expected.map(|(name, bindings, skipped)| (name.to_owned(), bindings.to_owned(), skipped))
        );
        assert_eq!(
            args.iter().map(|arg| arg.is_impl_trait).collect::<Vec<_>>(),
            [false, true, false, false, false, false]
        );
    }
}
