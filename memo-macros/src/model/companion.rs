//! The control item that stands beside a function.

use quote::format_ident;
use syn::Ident;
use syn::ext::IdentExt;

use crate::enclosing::Place;
use crate::options::CompanionName;

/// The control item.
#[derive(Debug, Clone)]
pub(crate) enum Companion {
    /// A type of this name beside a free function.
    Type(Ident),
    /// An associated function of this name beside a method or an associated function.
    Function(Ident),
}

impl Companion {
    /// The control item that fits the place. `None` if the author has turned it off, or if there is no room.
    pub(super) fn of(named: &CompanionName, place: Place, function: &Ident) -> Option<Companion> {
        let name = match named {
            CompanionName::Off => return None,
            CompanionName::Name(name) => Some(name.clone()),
            CompanionName::OfFunction => None,
        };
        match place {
            Place::Free => Some(Companion::Type(name.unwrap_or_else(|| function.clone()))),
            Place::Inherent => {
                Some(Companion::Function(name.unwrap_or_else(|| format_ident!("{}_memo", function.unraw()))))
            }
            Place::Trait => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::model;

    #[test]
    fn companions() {
        let companion = |options: &str, function: &str| match model(options, function).companion {
            None => "none".to_owned(),
            Some(Companion::Type(name)) => format!("type {name}"),
            Some(Companion::Function(name)) => format!("fn {name}"),
        };
        assert_eq!(companion("", "fn f() {}"), "type f");
        assert_eq!(companion("companion = g", "fn f() {}"), "type g");
        assert_eq!(companion("companion = false", "fn f() {}"), "none");
        assert_eq!(companion("", "pub fn f(&self) {}"), "fn f_memo");
        assert_eq!(companion("", "pub fn r#type(&self) {}"), "fn type_memo");
        assert_eq!(companion("companion = \"g\"", "pub fn f(&self) {}"), "fn g");
        assert_eq!(companion("companion = false", "pub fn f(&self) {}"), "none");
        assert_eq!(companion("", "fn f(&self) {}"), "none");
        assert_eq!(companion("companion = \"g\"", "fn f(&self) {}"), "fn g");
    }
}
