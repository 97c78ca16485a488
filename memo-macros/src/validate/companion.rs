//! A companion that was asked for by name.

use super::rules::Rules;
use crate::args::{CompanionName, Given};
use crate::model::{Companion, Place};

impl Rules<'_> {
    /// A companion that was asked for by name needs room, and a name of its own.
    pub(super) fn companion(&mut self) {
        let Some(Given { value: Some(CompanionName::Name(name)), .. }) = &self.args.companion else { return };
        match &self.model.companion {
            None if self.model.place == Place::Trait => {
                let message = "a trait and its impls have no room for a companion: remove it, \
                               and use `memo::function(\"path::to::Type::method\")`";
                self.refuse(name.span(), message);
            }
            Some(Companion::Function(companion)) if *companion == self.model.sig.ident => {
                self.refuse(name.span(), "the companion of a method needs a name of its own: choose another");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use darling::Error;

    use super::*;
    use crate::args::Args;
    use crate::model::Model;
    use crate::validate::tests::{PUT, accepts, refuses};
    use crate::validate::validate;

    #[test]
    fn companions_need_room() {
        accepts("companion = \"g\"", PUT);
        accepts("companion = \"g\"", "fn f(&self) -> u8 { 1 }");
        accepts("companion = false", "fn f(&self) -> u8 { 1 }");
        refuses(
            "companion = \"f\"",
            "pub fn f(&self) -> u8 { 1 }",
            "the companion of a method needs a name of its own: choose another",
        );
    }

    #[test]
    fn companions_have_no_room_in_traits() {
        // Unit tests have no source to look at, so the place is put in by hand.
        let mut errors = Error::accumulator();
        let args = Args::parse("companion = \"g\"".parse().expect("tokens"), &mut errors);
        let mut model = Model::new(&args, syn::parse_str("fn f(&self) -> u8 { 1 }").expect("a function"));
        (model.place, model.companion) = (Place::Trait, None);
        validate(&args, &model, &mut errors);
        let errors: Vec<_> = errors.into_inner().iter().map(Error::to_string).collect();
        let message = "a trait and its impls have no room for a companion: remove it, \
                       and use `memo::function(\"path::to::Type::method\")`";
        assert_eq!(errors, [message]);
    }
}
