//! Arguments that cannot enter a key.

use syn::{FnArg, Ident, Pat, PatIdent};

use super::rules::Rules;
use crate::model::Arg;
use crate::options::Given;
use crate::types::{buried, impl_trait, mutable};

impl Rules<'_> {
    /// Refuses arguments that cannot enter a key.
    pub(super) fn arguments(&mut self) {
        let typed = self.model.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(arg) => Some(arg),
            FnArg::Receiver(_) => None,
        });
        for (arg, written) in self.model.args.iter().zip(typed) {
            self.conditional(&written.attrs);
            if self.covered(arg) {
                continue;
            }
            let skip = match &arg.bindings[..] {
                [] => "give it a name and skip it".to_owned(),
                names => {
                    let names: Vec<_> = names.iter().map(Ident::to_string).collect();
                    format!("leave it out with `skip({})`", names.join(", "))
                }
            };
            if let Some(opaque) = impl_trait(&arg.ty) {
                let message =
                    format!("an `impl Trait` argument cannot enter the key: {skip}, or give a `key`");
                self.refuse(opaque.impl_token.span, message);
            } else if let Some(mutable) = mutable(&arg.ty) {
                let message = format!(
                    "a call answered from the cache would leave a `&mut` argument unchanged: \
                     take it by value or by `&`, {skip}, or give a `key`"
                );
                self.refuse(mutable, message);
            } else if let (Pat::Ident(PatIdent { subpat: None, .. }), Some(borrow)) =
                (&arg.pat, buried(&arg.ty))
            {
                let message = format!(
                    "the key outlives the call, so it cannot hold what this type borrows: take an owned type, {skip}, \
                     or say with `key = ..` what counts (if the type is an alias: write it out)"
                );
                self.refuse(borrow, message);
            }
        }
    }

    /// Whether the argument is out of the key, or would be without a mistake in the options.
    pub(super) fn covered(&self, arg: &Arg) -> bool {
        let meant = match &self.given.skip {
            Some(Given { value: Some(skip), .. }) => arg.bindings.iter().any(|name| skip.0.contains(name)),
            Some(_) => true,
            None => false,
        };
        self.given.key.is_some() || arg.skipped || meant
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{accepts, errors, refuses};

    #[test]
    fn borrows_in_arguments() {
        for ty in [
            "&str",
            "&'a [&'a str]",
            "Option<(f64, &str)>",
            "Vec<Cow<'_, str>>",
            "&(Option<&Path>, [&str; 2])",
            "Text<'static>",
            "fn(&str) -> &str",
            "Arc<dyn for<'a> Tr<'a>>",
        ] {
            accepts("", &format!("fn f<'a>(a: {ty}) -> u8 {{ 1 }}"));
        }
        let message = "the key outlives the call, so it cannot hold what this type borrows: take an owned type, leave it \
                       out with `skip(a)`, or say with `key = ..` what counts (if the type is an alias: write it out)";
        for ty in ["Text<'_>", "&[Text<'a>]", "BTreeMap<&str, u8>", "Option<Box<&str>>", "Cow<'_, [&str]>"] {
            let function = format!("fn f<'a>(a: {ty}) -> u8 {{ 1 }}");
            refuses("", &function, message);
            accepts("skip(a)", &function);
            accepts("key = a.id", &function);
        }
        accepts("", "fn f(Text { a, b }: Text<'_>) -> u8 { 1 }");
    }

    #[test]
    fn mutable_arguments() {
        let message = |skip: &str| {
            format!(
                "a call answered from the cache would leave a `&mut` argument unchanged: \
                 take it by value or by `&`, {skip}, or give a `key`"
            )
        };
        let by_name = message("leave it out with `skip(a)`");
        for ty in ["&mut u8", "&'a mut u8", "Option<&mut u8>", "Pin<&mut X>", "&mut dyn Tr", "&&mut u8"] {
            let function = format!("fn f<'a>(a: {ty}, b: u8) -> u8 {{ b }}");
            refuses("", &function, &by_name);
            refuses("skip(b)", &function, &by_name);
            accepts("skip(a)", &function);
            accepts("key = b", &function);
        }
        refuses("", "fn f(_: &mut u8) -> u8 { 1 }", &message("give it a name and skip it"));
        let pair = "fn f((a, b): (&mut u8, u8)) -> u8 { b }";
        refuses("", pair, &message("leave it out with `skip(a, b)`"));
        accepts("skip(b, a)", pair);
        assert_eq!(errors("", "fn f(a: &mut u8, b: &mut u8) -> u8 { 1 }").len(), 2);
        // What is wrong with `skip` and `key` is said once.
        assert_eq!(errors("skip = a", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
        assert_eq!(errors("key = \"a\"", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
        assert_eq!(errors("skp(a)", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
        assert_eq!(errors("ttl \"5m\", skip(a)", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
    }

    #[test]
    fn opaque_arguments() {
        let message =
            "an `impl Trait` argument cannot enter the key: leave it out with `skip(a)`, or give a `key`";
        for ty in ["impl Into<String>", "&impl AsRef<str>", "&mut impl Read", "Vec<impl Tr>"] {
            let function = format!("fn f(a: {ty}) -> u8 {{ 1 }}");
            refuses("", &function, message);
            accepts("skip(a)", &function);
            accepts("key = a.id()", &function);
        }
        refuses(
            "",
            "fn f(_: impl Tr) -> u8 { 1 }",
            "an `impl Trait` argument cannot enter the key: give it a name and skip it, or give a `key`",
        );
    }
}
