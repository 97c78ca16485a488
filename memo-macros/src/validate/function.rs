//! Kinds of functions that cannot be memoized.

use syn::Signature;
use syn::spanned::Spanned;

use super::rules::Rules;
use crate::item::is_memoize;

impl Rules<'_> {
    /// Refuses kinds of functions that cannot be memoized, and a second `#[memoize]`.
    pub(super) fn function(&mut self) {
        let Signature { constness, abi, variadic, .. } = &self.model.sig;
        if let Some(again) =
            self.model.attrs.iter().find(|attribute| is_memoize(attribute, &self.model.options.krate.0))
        {
            self.refuse(again.path().span(), "`#[memoize]` is given twice: put all options into one");
        }
        if let Some(constness) = constness {
            let message =
                "a `const fn` cannot use a cache: remove `const`, or memoize a function that calls it";
            self.refuse(constness.span, message);
        }
        if let Some(variadic) = variadic {
            let message = "variadic arguments cannot be in the key: memoize a function that takes a slice";
            self.refuse(variadic.dots.spans[0], message);
        } else if let Some(abi) = abi {
            let message =
                "an `extern fn` cannot be memoized: memoize a plain function and call it from this one";
            self.refuse(abi.extern_token.span, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use crate::pipeline::memoized;
    use crate::validate::tests::{accepts, refuses};

    #[test]
    fn kinds_of_functions() {
        refuses(
            "",
            "const fn f() -> u8 { 1 }",
            "a `const fn` cannot use a cache: remove `const`, or memoize a function that calls it",
        );
        let abi = "an `extern fn` cannot be memoized: memoize a plain function and call it from this one";
        refuses("", "extern \"C\" fn f() -> u8 { 1 }", abi);
        refuses("", "pub unsafe extern fn f() -> u8 { 1 }", abi);
        refuses(
            "",
            "unsafe extern \"C\" fn f(a: u8, ...) -> u8 { 1 }",
            "variadic arguments cannot be in the key: memoize a function that takes a slice",
        );
    }

    #[test]
    fn a_second_memoize_is_refused_and_left_out() {
        let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
        for again in ["#[memoize(ttl = \"5m\")]", "#[memo::memoize]"] {
            let function = format!("#[inline] {again} fn f() -> u8 {{ 1 }}");
            let expanded = memoized(TokenStream::new(), tokens(&function)).to_string();
            assert!(expanded.contains("`#[memoize]` is given twice: put all options into one"), "{expanded}");
            assert!(expanded.ends_with(&tokens("#[inline] fn f() -> u8 { 1 }").to_string()), "{expanded}");
        }
        accepts("", "#[other::memoize] fn f() -> u8 { 1 }");
    }
}
