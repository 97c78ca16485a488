//! `name`, `version`, `companion` and `crate`: what the function, its results and its control are called.

use std::borrow::Cow;

use memo_text::Row;
use syn::{Expr, Ident, Lit, LitStr, Path};

use super::forms::{literal, peel, string};
use super::given::{Value, takes_not};
use crate::crate_path;
use crate::errors::Result;

/// The function's identity.
#[derive(Debug, Clone)]
pub(crate) struct Name(pub(crate) LitStr);

impl Value for Name {
    fn takes() -> Cow<'static, str> {
        "a string that is not empty, without white space or `*`".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let text = string(value).ok_or_else(|| takes_not::<Self>(row, value))?;
        // `*` is for patterns over names, in the configuration and in scopes.
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '*';
        if text.value().is_empty() || text.value().contains(bad) {
            return Err(takes_not::<Self>(row, value));
        }
        Ok(Name(text.clone()))
    }
}

/// A part of the identity of stored results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Version(pub(crate) u64);

impl Value for Version {
    fn takes() -> Cow<'static, str> {
        "an integer from 0 up".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let number = match literal(value) {
            Some(Lit::Int(number)) => number.base10_parse().ok(),
            _ => None,
        };
        number.map(Version).ok_or_else(|| takes_not::<Self>(row, value))
    }
}

/// What `companion` says of the control item.
#[derive(Debug, Clone, Default)]
pub(crate) enum CompanionName {
    /// It is named after the function.
    #[default]
    OfFunction,
    /// There is none.
    Off,
    /// It has this name.
    Name(Ident),
}

impl Value for CompanionName {
    fn takes() -> Cow<'static, str> {
        "`false`, or a name such as \"fib_control\"".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let wrong = || takes_not::<Self>(row, value);
        match (literal(value), peel(value)) {
            (Some(Lit::Bool(switch)), _) if !switch.value => Ok(CompanionName::Off),
            (Some(Lit::Str(text)), _) => text.parse().map(CompanionName::Name).map_err(|_| wrong()),
            (None, Expr::Path(path)) => {
                path.path.require_ident().map(|name| CompanionName::Name(name.clone())).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }
}

/// Where generated code finds `memo`.
#[derive(Debug, Clone)]
pub(crate) struct CratePath(pub(crate) Path);

impl Default for CratePath {
    fn default() -> Self {
        CratePath(crate_path::default())
    }
}

impl Value for CratePath {
    fn takes() -> Cow<'static, str> {
        "a path, such as `crate = crate::reexports::memo`".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        crate_path::parse(value).map(CratePath).ok_or_else(|| takes_not::<Self>(row, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means, text};

    #[test]
    fn identities() {
        assert_eq!(means("name = \"app::rates::rate\"").name.expect("given").0.value(), "app::rates::rate");
        let takes = "`name` takes a string that is not empty, without white space or `*`";
        bad("name = \"\"", takes);
        bad("name = \"a b\"", takes);
        bad("name = \"a::*\"", takes);
        bad("name = rate", takes);
        assert_eq!(means("version = 3").version.0, 3);
        for wrong in ["-1", "1.0", "\"1\"", "VERSION", "99999999999999999999"] {
            bad(&format!("version = {wrong}"), "`version` takes an integer from 0 up");
        }
    }

    #[test]
    fn companions() {
        assert!(matches!(means("companion = false").companion, CompanionName::Off));
        for options in ["companion = \"fib_control\"", "companion = fib_control"] {
            let CompanionName::Name(name) = means(options).companion else { panic!("a name") };
            assert_eq!(name, "fib_control");
        }
        let takes = "`companion` takes `false`, or a name such as \"fib_control\"";
        for wrong in ["true", "\"\"", "\"a b\"", "\"fn\"", "a::b", "1", "f()"] {
            bad(&format!("companion = {wrong}"), takes);
        }
        bad("companion", takes);
    }

    #[test]
    fn crate_paths() {
        for (options, expected) in [
            ("crate = crate", "crate"),
            ("crate = ::other::memo", ":: other :: memo"),
            ("crate = \"crate::memo\"", "crate :: memo"),
            ("crate = self::memo", "self :: memo"),
        ] {
            assert_eq!(text(means(options).krate.0), expected);
        }
        for wrong in ["1", "\"a b\"", "memo<u8>", "f()", "memo::<u8>"] {
            bad(
                &format!("crate = {wrong}"),
                "`crate` takes a path, such as `crate = crate::reexports::memo`",
            );
        }
    }
}
