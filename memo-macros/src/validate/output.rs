//! Results have to be values that can be kept.

use syn::spanned::Spanned;
use syn::{ReturnType, Type};

use super::rules::Rules;
use crate::types::{borrow, impl_trait, peel};

impl Rules<'_> {
    /// Results have to be values that can be kept.
    pub(super) fn output(&mut self) {
        let message = "a function that returns nothing leaves nothing to store: return what it computes, \
                       or remove `#[memoize]`";
        let ReturnType::Type(_, output) = &self.model.sig.output else {
            return self.refuse(self.model.sig.ident.span(), message);
        };
        match peel(output) {
            Type::Tuple(tuple) if tuple.elems.is_empty() => return self.refuse(tuple.span(), message),
            Type::Never(never) => {
                let message = "a function that never returns leaves nothing to store: remove `#[memoize]`";
                return self.refuse(never.span(), message);
            }
            _ => {}
        }
        if let Some(opaque) = impl_trait(output) {
            let message = "a result of type `impl Trait` cannot be stored, because its type has no name: name the \
                           type, or return an `Arc<dyn Trait>`";
            self.refuse(opaque.impl_token.span, message);
        } else if let Some(borrow) = borrow(output) {
            let message = "a stored result outlives the call, so it cannot borrow: return an owned value such as \
                           `String` or `Arc<str>`, or a `&'static` one";
            self.refuse(borrow, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::refuses;

    #[test]
    fn results_that_are_nothing() {
        let nothing = "a function that returns nothing leaves nothing to store: return what it computes, \
                       or remove `#[memoize]`";
        refuses("", "fn f(a: u8) {}", nothing);
        refuses("", "async fn f(a: u8) -> () {}", nothing);
        refuses("", "fn f(a: u8) -> (()) {}", nothing);
        let never = "a function that never returns leaves nothing to store: remove `#[memoize]`";
        refuses("", "fn f(a: u8) -> ! { panic!() }", never);
    }

    #[test]
    fn results_without_a_name() {
        let opaque = "a result of type `impl Trait` cannot be stored, because its type has no name: name the type, \
                      or return an `Arc<dyn Trait>`";
        refuses("", "fn f() -> impl Iterator<Item = u8> { g() }", opaque);
        refuses("", "fn f() -> Option<(u8, impl Fn() -> &u8)> { g() }", opaque);
        refuses("", "fn f<'a>(a: &'a str) -> impl Iterator<Item = &'a str> + 'a { g() }", opaque);
    }

    #[test]
    fn results_that_borrow() {
        let borrows = "a stored result outlives the call, so it cannot borrow: return an owned value such as \
                       `String` or `Arc<str>`, or a `&'static` one";
        for output in [
            "&str",
            "&'a str",
            "&'_ str",
            "&'a mut u8",
            "Option<&str>",
            "(u8, [&str; 2])",
            "Result<u8, &'static &str>",
            "Cow<'a, str>",
            "Ref<'_, str>",
            "Arc<dyn Tr + 'a>",
            "Arc<dyn Tr<'a>>",
            "<Self as Tr<'a>>::Out",
            "Vec<&'a &'a str>",
        ] {
            refuses("", &format!("fn f<'a>(a: &'a str) -> {output} {{ a }}"), borrows);
        }
    }
}
