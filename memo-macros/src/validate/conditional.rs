//! Arguments and receivers that a `#[cfg]` may remove.

use syn::Attribute;
use syn::spanned::Spanned;

use super::rules::Rules;

impl Rules<'_> {
    /// Refuses an argument or receiver that a `#[cfg]` among its attributes may remove.
    pub(super) fn conditional(&mut self, attributes: &[Attribute]) {
        let conditional = |path: &&syn::Path| path.is_ident("cfg") || path.is_ident("cfg_attr");
        if let Some(path) = attributes.iter().map(Attribute::path).find(conditional) {
            let message = "an argument under `#[cfg]` cannot be in the key: write a function for each case, and put \
                           the `#[cfg]` on the functions";
            self.refuse(path.span(), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{accepts, refuses};

    #[test]
    fn conditional_arguments() {
        let message = "an argument under `#[cfg]` cannot be in the key: write a function for each case, and put the \
                       `#[cfg]` on the functions";
        refuses("", "fn f(#[cfg(unix)] a: u8) -> u8 { 1 }", message);
        refuses("", "fn f(#[cfg_attr(unix, allow(unused))] &self) -> u8 { 1 }", message);
        accepts("", "fn f(#[allow(unused)] a: u8) -> u8 { 1 }");
    }
}
