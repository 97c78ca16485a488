//! What is read of whole attributes; how the tests of single options read theirs.

use quote::ToTokens;

use super::*;
use crate::errors::{Error, Errors};

pub(super) fn parse(options: &str) -> (GivenOptions, Vec<String>) {
    let mut errors = Errors::default();
    let given = GivenOptions::parse(options.parse().expect("tokens"), &mut errors);
    (given, Error::from(errors).messages())
}

#[track_caller]
pub(super) fn good(options: &str) -> GivenOptions {
    let (given, errors) = parse(options);
    assert_eq!(errors, [""; 0], "{options}");
    given
}

#[track_caller]
pub(super) fn bad(options: &str, expected: &str) {
    assert_eq!(parse(options).1, [expected], "{options}");
}

#[track_caller]
pub(super) fn means(options: &str) -> Options {
    good(options).options()
}

pub(super) fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

#[test]
fn nothing_is_fine() {
    assert!(good("").engine.is_none());
    assert!(good("ttl = \"1s\",").ttl.is_some());
}

#[test]
fn names_are_checked() {
    bad("tll = \"5m\"", "unknown option `tll`: did you mean `ttl`?");
    bad("cahce_if = |v| true", "unknown option `cahce_if`: did you mean `cache_if`?");
    bad("max_wieght = 1", "unknown option `max_wieght`: did you mean `max_weight`?");
    bad("convert = { a }", &format!("unknown option `convert`: the options are {}", list(names(), '`')));
    bad("memo::ttl = \"5m\"", &format!("unknown option `memo::ttl`: the options are {}", list(names(), '`')));
    bad("ttl = \"5m\", ttl = \"6m\"", "`ttl` is given twice: keep one");
    bad("skip(a), skip(b)", "`skip` is given twice: name all arguments in one, as in `skip(a, b)`");
    bad("\"5m\"", "expected an option, such as `ttl = \"5m\"`: a value needs its option's name");
}

#[test]
fn every_mistake_is_reported_at_once() {
    let (given, errors) = parse("ttl = 5, tll = 6, engine = \"redsi\", version = 7, version = 8, cache_none");
    assert_eq!(
        errors,
        [
            "`ttl` takes a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`",
            "unknown option `tll`: did you mean `ttl`?",
            "unknown engine \"redsi\": did you mean \"redis\"?",
            "`version` is given twice: keep one",
            "`cache_none` takes `false`, or a duration such as \"5s\" for which a `None` is stored",
        ]
    );
    assert!(given.ttl.as_ref().is_some_and(|ttl| ttl.value.is_none()));
    assert_eq!(given.options().version.0, 7);
}

#[test]
fn tokens_that_are_no_list_are_one_error() {
    bad("ttl \"5m\"", "expected `,`");
}

#[test]
fn expressions_out_of_macros_are_looked_into() {
    use proc_macro2::{Delimiter, Group};
    let inner = quote::quote!("5m");
    let group = Group::new(Delimiter::None, inner);
    let mut errors = Errors::default();
    let given = GivenOptions::parse(quote::quote!(ttl = #group, version = 1), &mut errors);
    errors.finish().expect("no errors");
    assert!(matches!(given.options().ttl, Some(Length::Literal(_))));
}
