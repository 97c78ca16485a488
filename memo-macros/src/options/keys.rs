//! `key`, `skip` and `receiver`: what enters the key.

use std::borrow::Cow;

use memo_text::Row;
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
    fn takes() -> Cow<'static, str> {
        "an expression over the arguments and `self`, without quotes, such as `key = (user.id, page)`".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(row, value))?;
        Ok(Key(expr.clone()))
    }
}

/// The names of the arguments that are left out of the key, in the order written. `validate` checks that they exist.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skip(pub(crate) Vec<Ident>);

impl Value for Skip {
    fn takes() -> Cow<'static, str> {
        "the names of arguments in brackets, such as `skip(a, b)`".into()
    }

    fn parse(row: &Row, _: &Expr) -> Result<Self> {
        Err(takes::<Self>(row))
    }

    fn parse_list(row: &Row, tokens: &TokenStream) -> Result<Self> {
        let parser = Punctuated::<Ident, Token![,]>::parse_terminated_with;
        let parser = |input: syn::parse::ParseStream<'_>| parser(input, Ident::parse_any);
        let names = match parser.parse2(tokens.clone()) {
            Ok(names) if !names.is_empty() => names,
            Ok(_) => return Err(takes::<Self>(row)),
            Err(error) => return Err(takes::<Self>(row).at(&error.span())),
        };
        Ok(Skip(names.into_iter().collect()))
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
    fn takes() -> Cow<'static, str> {
        "\"instance\", \"value\", \"skip\", or an expression such as `self.id`".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        if string(value).is_none() {
            let expr = expression(value).ok_or_else(|| takes_not::<Self>(row, value))?;
            return Ok(ReceiverKey::Expr(expr.clone()));
        }
        let words =
            [("instance", ReceiverKey::Instance), ("value", ReceiverKey::Value), ("skip", ReceiverKey::Skip)];
        word::<Self, _>(row, value, &words).map(|(_, receiver)| receiver)
    }
}

/// An expression over the arguments that is true or false.
#[derive(Debug, Clone)]
pub(crate) struct Condition(pub(crate) Expr);

impl Value for Condition {
    fn takes() -> Cow<'static, str> {
        "an expression over the arguments, without quotes".into()
    }

    fn parse(row: &Row, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(row, value))?;
        Ok(Condition(expr.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tests::{bad, means, text};

    #[test]
    fn keys() {
        assert_eq!(text(means("key = (user.id, page)").key.expect("given").0), "(user . id , page)");
        assert_eq!(text(means("key = self.id, ttl = \"1s\"").key.expect("given").0), "self . id");
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
        let names = means("skip(a, r#type, self,)").skip.0;
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
        assert!(matches!(means("receiver = \"instance\"").receiver, ReceiverKey::Instance));
        assert!(matches!(means("receiver = \"value\"").receiver, ReceiverKey::Value));
        assert!(matches!(means("receiver = \"skip\"").receiver, ReceiverKey::Skip));
        assert!(matches!(means("receiver = self.id").receiver, ReceiverKey::Expr(_)));
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
