//! Snapshots of what is generated, for people to read: a change of the expansion shows in review.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p memo-macros expand`.

use proc_macro2::TokenStream;

use super::expand;
use crate::model::Model;
use crate::options::GivenOptions;
use crate::validate::validate;

/// What `#[memoize(options)] function` becomes, with `private` for `::memo::__private`, to be read.
fn readable(options: &str, function: &str, outlives: bool) -> String {
    expanded(options, function, outlives).replace("::memo::__private", "private")
}

/// What `#[memoize(options)] function` becomes, formatted; `outlives` is whether the feature `engines` is on, and
/// `tracing` is off, whatever this is built with.
fn expanded(options: &str, function: &str, outlives: bool) -> String {
    let mut errors = crate::errors::Errors::default();
    let given = GivenOptions::parse(options.parse().expect("tokens"), &mut errors);
    let mut model = Model::new(&given, syn::parse_str(function).expect("a function"));
    (model.outlives, model.traced) = (outlives, false);
    validate(&given, &model, &mut errors);
    errors.finish().expect("nothing to refuse");
    let expanded: TokenStream = expand(&model);
    // a method is an item where there is an `impl` around it
    if let Ok(file) = syn::parse2(expanded.clone()) {
        return prettyplease::unparse(&file);
    }
    prettyplease::unparse(&syn::parse2(quote::quote!(impl Type { #expanded })).expect("items of an impl"))
}

macro_rules! snapshots {
    ($outlives:literal $($(#[$doc:meta])* $name:ident: $options:literal, $function:literal;)*) => {$(
        $(#[$doc])*
        #[test]
        fn $name() {
            let description = concat!("#[memoize(", $options, ")] ", $function);
            insta::with_settings!({ description => description, omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(stringify!($name), readable($options, $function, $outlives));
            });
        }
    )*};
}

snapshots! { true
    /// The strategy may choose an engine that outlives the process.
    function_that_may_outlive: "persist = true, fallback = \"none\"", "async fn double(a: u64) -> u64 { a * 2 }";
    method_that_may_outlive: "", "pub fn price(&self, sku: &str) -> Option<Money> { self.find(sku) }";
}

snapshots! { false
    function: "", "pub fn double(a: u64) -> u64 { a * 2 }";
    async_function: "", "async fn fetch(url: &str, retries: Option<u32>) -> Result<Page, Error> { get(url).await }";
    method: "", "pub fn price(&self, sku: &str) -> Option<Money> { self.find(sku) }";
    async_method: "", "pub async fn price(&self, sku: &str) -> Option<Money> { self.find(sku).await }";
    /// No control, and so nothing beside it.
    trait_method: "", "fn price(&self, sku: &str) -> Option<Money> { self.find(sku) }";
    generic_function: "companion = false",
        "fn sorted<'a, T: Key, const N: usize>(items: &'a [T; N]) -> Vec<T> where T: Ord { sort(items) }";
    /// Floats and references are parts of their own wherever they are written.
    forms_of_arguments: "companion = false",
        "fn area(path: &[(f64, f64)], name: Option<&str>, (left, right): (u8, u8), mut rest: Vec<u8>) -> f64 { sum(path) }";
    key_expression: "key = (user.id, page), companion = false",
        "fn feed(db: &Db, user: &User, page: u32) -> Vec<Post> { db.posts(user, page) }";
    all_options: "engine = \"memory\", ttl = \"90s\", tti = IDLE, ttl_of = |page| page.lifetime(), weigh = |_, page| page.len(), \
                  max_weight = \"64MiB\", cache_if = Page::is_public, cache_err = \"5s\", cache_none = false, \
                  single_flight = false, on_error = \"all\", patience = \"1m\", skip(db), name = \"pages\", version = 2, companion = false, crate = cache",
        "fn page(db: &Db, id: u64) -> Result<Option<Page>, Error> { db.page(id) }";
}

/// Every path into another crate, and every name that the prelude has, but for those that the author wrote.
#[test]
fn generated_code_names_only_what_is_private() {
    let functions = [
        ("", "pub async unsafe fn f<T: Key>(a: Pair, b: [f64; 2], c: T) -> Page { body }"),
        ("ttl = \"1s\", cache_err = true, cache_none = false", "fn f(a: &[f64]) -> Page { body }"),
        ("", "pub async fn f(&self, a: &str) -> Page { body }"),
        ("receiver = \"value\"", "pub fn f(&self, a: &str) -> Page { body }"),
    ];
    for ((options, function), outlives) in functions.into_iter().flat_map(|f| [(f, false), (f, true)]) {
        let text = expanded(options, function, outlives).replace("::memo::__private::", "private.");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for foreign in ["::memo", "core::", "std::", "alloc::"] {
            assert!(!code.contains(foreign), "{foreign} in {code}");
        }
        let words: Vec<_> = code.split(|c: char| !c.is_alphanumeric() && !"_.:".contains(c)).collect();
        for word in ["Some", "None", "Ok", "Err", "Fn", "Future", "Result", "Option", "IntoIterator", "Send"]
        {
            assert!(!words.contains(&word), "{word} in {code}");
        }
    }
}
