//! The control item: whether there is room for it, and whether it can name its arguments.

use super::rules::Rules;
use crate::model::{Companion, Place};
use crate::options::CompanionName;
use crate::types::impl_trait;

impl Rules<'_> {
    /// What the control item needs.
    pub(super) fn companion(&mut self) {
        self.companion_name();
        self.companion_types();
    }

    /// A companion that was asked for by name needs room, and a name of its own.
    fn companion_name(&mut self) {
        let CompanionName::Name(name) = &self.model.options.companion else { return };
        match &self.model.companion {
            None if self.model.place == Place::Trait => {
                let message = "a trait and its impls have no room for a companion: remove `companion`, and use \
                               `memo::function(\"path::to::Type::method\")`";
                self.refuse(name.span(), message);
            }
            Some(Companion::Function(companion)) if *companion == self.model.sig.ident => {
                self.refuse(name.span(), "the companion of a method needs a name of its own: choose another");
            }
            _ => {}
        }
    }

    /// The companion of a method is an associated function, whose result names the types of all arguments.
    fn companion_types(&mut self) {
        let Some(Companion::Function(companion)) = &self.model.companion else { return };
        // What is not covered is refused by a rule of its own.
        let covered = self.model.args.iter().filter(|arg| self.covered(arg));
        let Some(opaque) = covered.filter_map(|arg| impl_trait(&arg.ty)).next() else { return };
        let function = &self.model.sig.ident;
        let message = format!(
            "`{companion}`, which controls this method, cannot name the type of an `impl Trait` argument: write a type \
             parameter instead, as in `fn {function}<T: Trait>(..)`, or leave the control out with `companion = false`"
        );
        self.refuse(opaque.impl_token.span, message);
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::errors::{Error, Errors};
    use crate::model::Model;
    use crate::options::GivenOptions;
    use crate::validate::tests::{FUNCTION, accepts, errors, refuses};
    use crate::validate::validate;

    #[test]
    fn companions_need_room() {
        accepts("companion = \"g\"", FUNCTION);
        accepts("companion = \"g\"", "fn f(&self) -> u8 { 1 }");
        accepts("companion = false", "fn f(&self) -> u8 { 1 }");
        refuses(
            "companion = \"f\"",
            "pub fn f(&self) -> u8 { 1 }",
            "the companion of a method needs a name of its own: choose another",
        );
    }

    #[test]
    fn companions_of_methods_name_their_arguments() {
        let message = "`f_memo`, which controls this method, cannot name the type of an `impl Trait` argument: write a \
                       type parameter instead, as in `fn f<T: Trait>(..)`, or leave the control out with \
                       `companion = false`";
        for ty in ["impl Tr", "&mut impl Tr", "Vec<impl Tr>"] {
            let method = format!("pub fn f(&self, a: {ty}) -> u8 {{ 1 }}");
            refuses("skip(a)", &method, message);
            refuses("key = a.id()", &method, message);
            accepts("skip(a), companion = false", &method);
            // In a trait there is no companion, and a free function has one without such a result.
            accepts("skip(a)", &format!("fn f(&self, a: {ty}) -> u8 {{ 1 }}"));
            accepts("skip(a)", &format!("fn f(a: {ty}) -> u8 {{ 1 }}"));
        }
        accepts("skip(a)", "pub fn f<T: Tr>(&self, a: T) -> u8 { 1 }");
        // An argument that is neither skipped nor covered by a key is refused once.
        assert_eq!(errors("", "pub fn f(&self, a: impl Tr) -> u8 { 1 }").len(), 1);
    }

    #[test]
    fn companions_have_no_room_in_traits() {
        // Unit tests have no source to look at, so the place is put in by hand.
        let mut errors = Errors::default();
        let given = GivenOptions::parse("companion = \"g\"".parse().expect("tokens"), &mut errors);
        let mut model = Model::new(&given, syn::parse_str("fn f(&self) -> u8 { 1 }").expect("a function"));
        (model.place, model.companion) = (Place::Trait, None);
        validate(&given, &model, &mut errors);
        let errors = Error::from(errors).messages();
        let message = "a trait and its impls have no room for a companion: remove `companion`, and use \
                       `memo::function(\"path::to::Type::method\")`";
        assert_eq!(errors, [message]);
    }
}
