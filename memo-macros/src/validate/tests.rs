//! What is accepted; how the tests of rules ask.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::pipeline::{memoized, try_expand};

/// A function that nothing is wrong with.
pub(super) const FUNCTION: &str = "pub fn f(a: u8) -> u8 { a }";

/// The errors of `#[memoize(options)] function`.
pub(super) fn errors(options: &str, function: &str) -> Vec<String> {
    let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
    match try_expand(tokens(options), tokens(function)) {
        Ok(_) => Vec::new(),
        Err(error) => {
            // Beside the errors stands the function, as it was.
            let refused = memoized(tokens(options), tokens(function)).to_string();
            let dense = |text: &str| text.replace(' ', "");
            assert!(dense(&refused).ends_with(&dense(&tokens(function).to_string())), "{refused}");
            assert_eq!(refused.matches("compile_error").count(), error.messages().len(), "{refused}");
            error.messages()
        }
    }
}

#[track_caller]
pub(super) fn accepts(options: &str, function: &str) {
    assert_eq!(errors(options, function), [""; 0], "#[memoize({options})] {function}");
}

#[track_caller]
pub(super) fn refuses(options: &str, function: &str, expected: &str) {
    assert_eq!(errors(options, function), [expected], "#[memoize({options})] {function}");
}

#[test]
fn all_of_the_contract_is_accepted() {
    for function in [
        "fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }",
        "/// Docs.\n #[inline] pub(crate) async unsafe fn f<'a, T: Clone, const N: usize>(a: &'a [T; N], _: u8) \
         -> Result<Vec<T>, E> where T: 'static { body! { } }",
        "fn f((a, b): (u32, u32), [c, ..]: [u8; 3], P { d, e: (f, _) }: P) -> u8 { a }",
        "fn f(&self) -> u8 { 1 }",
        "fn f(self: Arc<Self>, a: &str) -> Option<&'static str> { None }",
        "fn f(self: Pin<&Self>) -> u8 { 1 }",
        "fn f() -> fn(&u8) -> &u8 { g }",
        "fn f(g: fn(&mut u8) -> &mut u8) -> Arc<dyn for<'a> Tr<'a> + Send> { g }",
        "fn f() -> Box<dyn Fn(&mut u8) -> &u8> { g }",
        "fn f() -> Cow<'static, str> { g }",
        "fn f() -> [u8; { let _: &u8 = &1; 2 }] { g }",
        "fn f() -> Result<(), E> { g }",
    ] {
        accepts("", function);
    }
    accepts(
        "capacity = 10_000, ttl = \"5m\", tti = T, ttl_of = |v| None, cache_if = Option::is_some",
        FUNCTION,
    );
    accepts("weigh = |k, v| 1, max_weight = \"64MiB\", cache_err = \"5s\", cache_none = false", FUNCTION);
    accepts(
        "engine = [\"memory\"], single_flight = false, on_error = \"all\", name = \"f\", version = 2, crate = other",
        FUNCTION,
    );
}

#[test]
fn bodies_and_items_that_are_no_functions() {
    let body = "this function has no body to memoize: put `#[memoize]` where it is implemented";
    refuses("", "fn f(&self) -> u8;", body);
    let cases = [
        ("pub struct X { a: u8 }", "put it on the one that computes this type"),
        ("enum X { A }", "put it on the one that computes this type"),
        ("union X { a: u8 }", "put it on the one that computes this type"),
        ("impl X { fn f() {} }", "put it on each method to memoize, not on the `impl`"),
        ("unsafe impl T for X {}", "put it on each method to memoize, not on the `impl`"),
        ("mod m { fn f() {} }", "put it on each one to memoize, not on the module"),
        ("|a| a", "write the closure as a `fn`, with what it captures as arguments"),
        ("move || a", "write the closure as a `fn`, with what it captures as arguments"),
        ("async move |a| a", "write the closure as a `fn`, with what it captures as arguments"),
        ("let f = |a| a;", "write the closure as a `fn`, with what it captures as arguments"),
    ];
    for (item, instead) in cases {
        refuses("", item, &format!("`#[memoize]` goes on a function: {instead}"));
    }
    refuses(
        "",
        "trait T { }",
        "`#[memoize]` goes on a function with a body: put it on methods, not on the `trait`",
    );
    for item in ["const A: u8 = 1;", "static A: u8 = 1;", "use a::b;", "extern \"C\" { fn f(); }", "f()"] {
        refuses("", item, "`#[memoize]` goes on a function with a body: there is none here");
    }
    refuses("", "fn f() -> u8 { 1 } fn g() {}", "unexpected tokens after the body of the function");
    refuses("", "fn f() -> u8", "expected the body of the function, in braces");
    refuses("", "fn f() -> u8 = 1;", "expected the body of the function, in braces");
}

#[test]
fn independent_mistakes_are_reported_together() {
    let found = errors("ttl = 5, skip(b), tll = 1", "const fn f(a: &mut u8) {}");
    assert_eq!(found.len(), 6, "{found:#?}");
    assert_eq!(errors("ttl = 5", "struct X;").len(), 2);
}

#[test]
fn the_function_is_expanded_as_written() {
    let function: TokenStream = FUNCTION.parse().expect("tokens");
    let model = crate::model::Model::new(&Default::default(), syn::parse2(function).expect("a function"));
    assert_eq!(model.body.to_token_stream().to_string(), "{ a }");
}
