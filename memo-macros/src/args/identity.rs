//! `name`, `version`, `companion` and `crate`: what the function, its results and its control are called.

use syn::{Expr, Ident, Lit, LitStr, Path};

use super::forms::{literal, peel, string};
use super::given::{Value, takes_not};
use crate::crate_path;
use crate::errors::Result;

/// The function's identity.
#[derive(Debug, Clone)]
pub(crate) struct Name(pub(crate) LitStr);

impl Value for Name {
    const TAKES: &'static str = "a string that is not empty, without white space or `*`";
    type Meaning = Option<LitStr>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.map(|name| name.0)
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let text = string(value).ok_or_else(|| takes_not::<Self>(name, value))?;
        // `*` is for patterns over names, in the configuration and in scopes.
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '*';
        if text.value().is_empty() || text.value().contains(bad) {
            return Err(takes_not::<Self>(name, value));
        }
        Ok(Name(text.clone()))
    }
}

/// A part of the identity of stored results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version(pub(crate) u64);

impl Value for Version {
    const TAKES: &'static str = "an integer from 0 up";
    type Meaning = u64;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.map_or(0, |version| version.0)
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let number = match literal(value) {
            Some(Lit::Int(number)) => number.base10_parse().ok(),
            _ => None,
        };
        number.map(Version).ok_or_else(|| takes_not::<Self>(name, value))
    }
}

/// What `companion` says of the control item.
#[derive(Debug, Clone)]
pub(crate) enum CompanionName {
    /// There is none.
    Off,
    /// It has this name.
    Name(Ident),
}

impl Value for CompanionName {
    const TAKES: &'static str = "`false`, or a name such as \"fib_control\"";
    type Meaning = Option<Self>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let wrong = || takes_not::<Self>(name, value);
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

impl Value for Path {
    const TAKES: &'static str = "a path, such as `crate = crate::reexports::memo`";
    type Meaning = Self;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.unwrap_or_else(crate_path::default)
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        crate_path::parse(value).ok_or_else(|| takes_not::<Self>(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::tests::{bad, good, text, value};

    #[test]
    fn identities() {
        assert_eq!(value(good("name = \"app::rates::rate\"").name).0.value(), "app::rates::rate");
        let takes = "`name` takes a string that is not empty, without white space or `*`";
        bad("name = \"\"", takes);
        bad("name = \"a b\"", takes);
        bad("name = \"a::*\"", takes);
        bad("name = rate", takes);
        assert_eq!(value(good("version = 3").version).0, 3);
        for wrong in ["-1", "1.0", "\"1\"", "VERSION", "99999999999999999999"] {
            bad(&format!("version = {wrong}"), "`version` takes an integer from 0 up");
        }
    }

    #[test]
    fn companions() {
        assert!(matches!(value(good("companion = false").companion), CompanionName::Off));
        for options in ["companion = \"fib_control\"", "companion = fib_control"] {
            let CompanionName::Name(name) = value(good(options).companion) else { panic!("a name") };
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
            assert_eq!(text(value(good(options).krate)), expected);
        }
        for wrong in ["1", "\"a b\"", "memo<u8>", "f()", "memo::<u8>"] {
            bad(
                &format!("crate = {wrong}"),
                "`crate` takes a path, such as `crate = crate::reexports::memo`",
            );
        }
    }
}
