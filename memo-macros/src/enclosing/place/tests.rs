//! Places of functions in sources of all kinds.

use super::*;

/// The place of the `fn` that `@` stands before.
fn place_in(text: &str) -> Option<Place> {
    let (before, after) = text.split_once('@').expect("the text has a mark");
    let line = before.matches('\n').count() + 1;
    let counted = before.trim_start_matches('\u{feff}');
    let column = counted.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let source = Source::new(format!("{before}{after}"));
    source.place(source.offset(line, column).expect("`fn` is found at the mark"))
}

#[track_caller]
fn free(text: &str) {
    assert_eq!(place_in(text), Some(Place::Free), "{text}");
}

#[track_caller]
fn inherent(text: &str) {
    assert_eq!(place_in(text), Some(Place::Inherent), "{text}");
}

#[track_caller]
fn of_trait(text: &str) {
    assert_eq!(place_in(text), Some(Place::Trait), "{text}");
}

#[track_caller]
fn unknown(text: &str) {
    assert_eq!(place_in(text), None, "{text}");
}

#[test]
fn items_and_blocks_are_free() {
    free("#[memoize] @fn f() {}");
    free("mod m { use a::{b, c}; #[memoize] pub(crate) async @fn f() {} }");
    free("fn outer() { struct X { a: u8 } #[memoize] @fn f() {} }");
    free("fn outer() { let f = move || { @fn f() {} }; }");
    free("fn outer() { match x { X { a } => { @fn f() {} } } }");
    free("fn outer() { match x { A => {}, B if c => { @fn f() {} } } }");
    free("fn outer() -> impl Fn() { if !ready { @fn f() {} } }");
    free("fn outer() { 'a: loop { @fn f() {} } }");
    free("const _: () = { @fn f() {} };");
}

#[test]
fn inherent_impls() {
    inherent("impl X { #[memoize] @fn f(&self) {} }");
    inherent("struct X; impl X { fn a() {} const B: u8 = { 1 }; #[memoize] @fn f() {} }");
    inherent("#![allow(a)] //! docs {\n#[cfg(feature = \"}\")] impl<'a, T: 'a> X<'a, T> { @fn f() {} }");
    inherent("fn outer() { struct X; impl X { @fn f() {} } }");
    inherent("const _: () = { impl X { @fn f() {} } };");
    inherent("enum E { A { x: u8 }, B } impl E { @fn f() {} }");
    inherent("m! { a {}\n } unsafe impl X { @fn f() {} }");
    inherent("cfg_if! { if #[cfg(a)] { impl X { @fn f() {} } } }");
}

#[test]
fn traits_and_their_impls() {
    of_trait("trait T { #[memoize] @fn f(&self) {} }");
    of_trait("pub(in a::b) unsafe trait T<X>: A + B where X: C { @fn f(&self) {} }");
    of_trait("impl T for X { @fn f(&self) {} }");
    of_trait("unsafe impl<T> a::Tr<T> for dyn Fn(T) -> u8 { @fn f(&self) {} }");
    of_trait("impl X { fn outer() { impl T for X { fn a() {} @fn f(&self) {} } } }");
    of_trait("#[doc = r#\"impl X {\"#] impl T for X { @fn f(&self) {} }");
}

#[test]
fn nested_generics_and_const_arguments() {
    inherent("impl<T: Into<Vec<Option<u8>>>> X<Vec<Vec<T>>> { @fn f() {} }");
    inherent("impl<const N: usize> X<{ N }> { @fn f() {} }");
    of_trait("impl<const N: usize> T<{ N }, 3> for X<{ N + 1 }> { @fn f() {} }");
    inherent("impl<const N: usize> X<N> where A<{ N > 1 }>: B, [(); { N }]: Sized { @fn f() {} }");
    inherent("impl<F> X<F> where F: for<'a> Fn(&'a str) -> Box<dyn T + 'a> { @fn f() {} }");
    of_trait("impl<T> A for X<T> where T: Iterator<Item = (u8, [u8; 3])> { @fn f() {} }");
}

#[test]
fn functions_in_methods_are_free() {
    free("impl X { fn outer(&self) { #[memoize] @fn f() {} } }");
    free("impl T for X { fn outer<'a>(&'a self) -> impl A + 'a { fn b() {} @fn f() {} } }");
    free("trait T { fn outer(&self) -> u8 where Self: Sized { if a { @fn f() {} } } }");
}

#[test]
fn strings_characters_and_comments_hold_no_braces() {
    inherent("impl X { const A: &str = \"} \\\" }\"; @fn f() {} }");
    inherent("impl X { const A: &str = r##\"}\"# }\"##; const B: &[u8] = br\"}\"; @fn f() {} }");
    inherent("impl X { const A: &CStr = c\"}\"; const B: &CStr = cr#\"}\"}\"#; @fn f() {} }");
    inherent("impl X { const A: [char; 4] = ['}', '\\'', '\"', '\\u{7d}']; @fn f() {} }");
    inherent("impl X { const A: u8 = b'}'; const B: u8 = b'\\\\'; @fn f() {} }");
    inherent("impl X { // } it's \"\n /* } /* } */ } \" ' */ /// }\n @fn f() {} }");
    inherent("impl /* for */ X // for {\n { @fn f() {} }");
    free("/* impl X { */ @fn f() {}");
    free("fn a() { b(\"impl X {\"); } @fn f() {}");
}

#[test]
fn lifetimes_and_raw_identifiers() {
    inherent("impl<'r> X<'r> { fn a(x: &'r str, y: &'_ str) -> &'static str { 'l: loop {} } @fn f() {} }");
    inherent("impl r#impl { fn r#fn() {} fn r#type(r#in: u8) {} @fn f() {} }");
    inherent("impl X { fn a() { let r = 1; br(r) } fn b(c: char) -> bool { c == 'r' } @fn f() {} }");
}

#[test]
fn what_macros_write_is_unknown() {
    unknown("m! { @fn f() {} }");
    unknown("m! { a; pub @fn f() {} }");
    unknown("m!(@fn f() {});");
    unknown("macro_rules! m { ($t:ty) => { @fn f() {} }; }");
    unknown("macro_rules! m { ($($t:ty)*) => { $( @fn f() {} )* }; }");
    unknown("macro_rules! m { ($t:ident, $($g:tt)*) => { impl $($g)* $t { @fn f() {} } }; }");
    unknown("macro m($t:ty) { @fn f() {} }");
    unknown("impl X } { @fn f() {}");
    unknown("impl X ] { @fn f() {}");
}

#[test]
fn an_impl_in_a_macro_is_read() {
    inherent("macro_rules! m { ($t:ty) => { impl $t { $( #[memoize] @fn f() {} )* } }; }");
    of_trait("macro_rules! m { ($t:ty, $trait:path) => { impl $trait for $t { @fn f() {} } }; }");
    of_trait("paste! { impl $crate::T for X { @fn f() {} } }");
}

#[test]
fn lines_and_columns_are_found() {
    inherent("\u{feff}impl X { @fn f() {} }");
    inherent("#!/usr/bin/env {\r\nimpl X {\r\n\t/* ä€😀 */ @fn f() {}\r\n}");
}

#[test]
fn without_a_source_the_function_is_asked() {
    let cases = [
        ("fn f() {}", false, Place::Free),
        ("pub fn f() { use self::a; }", false, Place::Free),
        ("pub fn f(&self) {}", false, Place::Inherent),
        ("fn f(&self) {}", false, Place::Trait),
        ("fn f(&self) {}", true, Place::Inherent),
        ("pub fn f() -> Self {}", false, Place::Inherent),
        ("fn f() { g(|| Self::A) }", false, Place::Trait),
        ("fn f() { g(|| Self::A) }", true, Place::Inherent),
    ];
    for (text, explicit, expected) in cases {
        let function: crate::item::Function = syn::parse_str(text).expect("a function");
        let found = place(&function.vis, &function.sig, &function.body, explicit);
        assert_eq!(found, expected, "{text}");
    }
}
