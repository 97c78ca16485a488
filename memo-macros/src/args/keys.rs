//! `key`, `skip` and `receiver`: what enters the key.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token};

use super::forms::{expression, string};
use super::given::{Value, takes, takes_not};
use super::words::word;
use crate::errors::Result;

/// The expression that is the key.
#[derive(Debug, Clone)]
pub(crate) struct Key(pub(crate) Expr);

impl Value for Key {
    const TAKES: &'static str =
        "an expression over the arguments and `self`, without quotes, such as `key = (user.id, page)`";
    type Meaning = Option<Expr>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.map(|key| key.0)
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
        Ok(Key(expr.clone()))
    }
}

/// The arguments that are left out of the key.
#[derive(Debug, Clone)]
pub(crate) struct Skip {
    /// Their names, in the order written. `validate` checks that they exist.
    pub(crate) names: Vec<Ident>,
}

impl Value for Skip {
    const TAKES: &'static str = "the names of arguments in brackets, such as `skip(a, b)`";
    type Meaning = Vec<Ident>;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.map_or_else(Vec::new, |skip| skip.names)
    }

    fn parse(name: &str, _: &Expr) -> Result<Self> {
        Err(takes::<Self>(name))
    }

    fn parse_list(name: &str, tokens: &TokenStream) -> Result<Self> {
        let parser = Punctuated::<Ident, Token![,]>::parse_terminated_with;
        let parser = |input: syn::parse::ParseStream<'_>| parser(input, Ident::parse_any);
        let names = match parser.parse2(tokens.clone()) {
            Ok(names) if !names.is_empty() => names,
            Ok(_) => return Err(takes::<Self>(name)),
            Err(error) => return Err(takes::<Self>(name).at(&error.span())),
        };
        Ok(Skip { names: names.into_iter().collect() })
    }
}

/// How a receiver enters the key.
#[derive(Debug, Clone, Default)]
pub(crate) enum ReceiverKey {
    /// By what `Instance::instance` returns. The default.
    #[default]
    Instance,
    /// By the value of `self`.
    Value,
    /// Not at all: by `receiver = "skip"`, or because there is a `key`.
    Skip,
    /// By an expression over `self`.
    Expr(Expr),
}

impl Value for ReceiverKey {
    const TAKES: &'static str = "\"instance\", \"value\", \"skip\", or an expression such as `self.id`";
    type Meaning = Self;

    fn meaning(given: Option<Self>) -> Self::Meaning {
        given.unwrap_or_default()
    }

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        if string(value).is_none() {
            let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
            return Ok(ReceiverKey::Expr(expr.clone()));
        }
        Ok(match word::<Self>(name, value, &["instance", "value", "skip"])? {
            "instance" => ReceiverKey::Instance,
            "value" => ReceiverKey::Value,
            _ => ReceiverKey::Skip,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::tests::{bad, good, text, value};

    #[test]
    fn keys() {
        assert_eq!(text(value(good("key = (user.id, page)").key).0), "(user . id , page)");
        assert_eq!(text(value(good("key = self.id, ttl = \"1s\"").key).0), "self . id");
        let takes = "`key` takes an expression over the arguments and `self`, without quotes, \
                     such as `key = (user.id, page)`";
        bad("key = \"user.id\"", takes);
        bad("key = 1", takes);
        bad("key", takes);
        bad("key(user)", takes);
        bad("key = pub", takes);
    }

    #[test]
    fn skips() {
        let names = value(good("skip(a, r#type, self,)").skip).names;
        assert_eq!(names.iter().map(Ident::to_string).collect::<Vec<_>>(), ["a", "r#type", "self"]);
        let takes = "`skip` takes the names of arguments in brackets, such as `skip(a, b)`";
        bad("skip", takes);
        bad("skip()", takes);
        bad("skip = a", takes);
        bad("skip(\"a\")", takes);
        bad("skip(a b)", takes);
        bad("skip(a.b)", takes);
    }

    #[test]
    fn receivers() {
        assert!(matches!(value(good("receiver = \"instance\"").receiver), ReceiverKey::Instance));
        assert!(matches!(value(good("receiver = \"value\"").receiver), ReceiverKey::Value));
        assert!(matches!(value(good("receiver = \"skip\"").receiver), ReceiverKey::Skip));
        assert!(matches!(value(good("receiver = self.id").receiver), ReceiverKey::Expr(_)));
        let takes = "`receiver` takes \"instance\", \"value\", \"skip\", or an expression such as `self.id`";
        bad("receiver = 1", takes);
        bad("receiver", takes);
        bad("receiver = ", takes);
        bad(
            "receiver = \"skipped\"",
            "`receiver` does not take \"skipped\": it takes \"instance\", \"value\", \"skip\"",
        );
        bad("receiver = \"vaule\"", "`receiver` does not take \"vaule\": did you mean \"value\"?");
    }
}
