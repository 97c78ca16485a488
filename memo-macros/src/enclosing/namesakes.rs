//! Whether another function has the path of this one.
//!
//! The path of a function within a function leaves blocks and closures out, so two functions of one name in two blocks have
//! the same path. Engines that outlive the process know a function by its path. There the two would share results.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::Signature;
use syn::ext::IdentExt;

use super::bare::is_word;
use super::header::{Header, kind};
use super::path::item;
use super::source::Source;

/// Whether a function is the only one with its path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Namesakes {
    /// No other one can be seen.
    #[default]
    None,
    /// There is another one.
    Some,
    /// It stands in the definition of a macro, so each call of the macro may make one.
    Unknown,
}

impl Namesakes {
    /// The namesakes of the function with this signature.
    pub(crate) fn of(sig: &Signature) -> Self {
        in_source(sig.fn_token.span, &sig.ident.unraw().to_string()).unwrap_or_default()
    }
}

/// The namesakes of the function `name` with this `fn` token. `None` if the source cannot be read.
fn in_source(fn_token: Span, name: &str) -> Option<Namesakes> {
    let (source, offset) = Source::of(fn_token)?;
    source.namesakes(offset, name)
}

/// A pair of braces around a function.
#[derive(Debug, PartialEq)]
struct Braces {
    /// Where the opening one is.
    open: usize,
    /// What the item in front of them adds to the path. A block or a closure adds nothing.
    item: Option<String>,
}

impl Source {
    /// The namesakes of the function `name` whose `fn` is at the offset.
    pub(super) fn namesakes(&self, offset: usize, name: &str) -> Option<Namesakes> {
        let own = match self.braces(offset)? {
            Around::Braces(braces) => braces,
            Around::Macro => return Some(Namesakes::Unknown),
        };
        let functions = self.functions.get_or_init(|| self.functions());
        let mut others = functions.get(name).into_iter().flatten().copied().filter(|at| *at != offset);
        let has_its_path = |at| {
            let around = self.braces(at);
            matches!(around, Some(Around::Braces(other)) if share_a_path(&own, &other))
        };
        Some(if others.any(has_its_path) { Namesakes::Some } else { Namesakes::None })
    }

    /// All functions with an attribute, by their names.
    fn functions(&self) -> HashMap<String, Vec<usize>> {
        let mut functions: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, _) in self.bare.match_indices("fn") {
            if let Some(name) = self.declared(at) {
                functions.entry(name.to_owned()).or_default().push(at);
            }
        }
        functions
    }

    /// The name of the function, with an attribute, that is declared by the `fn` at the offset.
    fn declared(&self, at: usize) -> Option<&str> {
        let (before, after) = (&self.bare[..at], &self.bare[at + "fn".len()..]);
        if before.ends_with(is_word) || !after.starts_with(char::is_whitespace) {
            return None;
        }
        let after = after.trim_start();
        let after = after.strip_prefix("r#").unwrap_or(after);
        let name = after.split(|c| !is_word(c)).next()?;
        // A memoized function has an attribute.
        let header = before.rfind([';', '{', '}']).map_or(0, |end| end + 1);
        (!name.is_empty() && before[header..].contains('#')).then_some(name)
    }

    /// What stands around the offset. `None` if it cannot be told.
    fn braces(&self, offset: usize) -> Option<Around> {
        let mut braces = Vec::new();
        for opening in self.brackets.open_at(offset)? {
            let header = &self.bare[opening.header..opening.at];
            let words = || header.split(|c| !is_word(c));
            if matches!(kind(header), Some(Header::Macro)) && words().any(|word| word.starts_with("macro")) {
                return Some(Around::Macro);
            }
            if self.bare[opening.at..].starts_with('{') {
                braces.push(Braces { open: opening.at, item: item(header) });
            }
        }
        Some(Around::Braces(braces))
    }
}

/// What stands around a function.
enum Around {
    /// Braces, the innermost last.
    Braces(Vec<Braces>),
    /// The definition of a macro.
    Macro,
}

/// Whether two functions of one name have the same path and can exist together, if these braces stand around each.
fn share_a_path(one: &[Braces], other: &[Braces]) -> bool {
    let common = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[common..], &other[common..]);
    let names = |all: &[Braces]| all.iter().filter_map(|braces| braces.item.clone()).collect::<Vec<_>>();
    // Two items of one name in the same braces cannot exist together: a `cfg` leaves one of them out.
    let is_in_block = |all: &[Braces]| all.first().is_some_and(|braces| braces.item.is_none());
    (is_in_block(one) || is_in_block(other)) && names(one) == names(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The namesakes of the function `f` whose `fn` stands behind `@`.
    #[track_caller]
    fn namesakes(text: &str) -> Namesakes {
        let (before, after) = text.split_once('@').expect("the text has a mark");
        let source = Source::new(format!("{before}{after}"));
        source.namesakes(before.len(), "f").expect("the source can be read")
    }

    #[track_caller]
    fn some(text: &str) {
        assert_eq!(namesakes(text), Namesakes::Some, "{text}");
    }

    #[track_caller]
    fn none(text: &str) {
        assert_eq!(namesakes(text), Namesakes::None, "{text}");
    }

    #[test]
    fn blocks_of_one_function_are_not_in_the_path() {
        some("fn outer() { { #[memoize] @fn f() {} } { #[memoize] fn f() {} } }");
        some("fn outer() { #[memoize] fn f() {} { #[memoize] @fn f() {} } }");
        some("fn outer() { #[memoize] @fn f() {} { #[memoize] fn f() {} } }");
        some("fn outer() { if a { #[memoize] fn f() {} } else { #[memoize] pub async @fn f() {} } }");
        some("fn outer() { match x { A => { #[m] fn f() {} } B => { #[m] @fn f() {} } } }");
        some("fn outer() { let a = || { #[m] fn f() {} }; let b = move || { #[m] @fn f() {} }; }");
        some("fn outer() { { fn inner() { #[m] fn f() {} } } { fn inner() { #[m] @fn f() {} } } }");
        some(
            "fn outer() { { struct T; impl T { #[m] fn f() {} } } { struct T; impl  T { #[m] @fn f() {} } } }",
        );
        some("const _: () = { #[m] fn f() {} }; const _: () = { #[m] @fn f() {} };");
        some("impl X { fn outer() { { #[m] fn r#f() {} } { #[m] @fn f() {} } } }");
    }

    #[test]
    fn items_are_in_the_path() {
        none("#[m] @fn f() {}");
        none("fn one() { #[m] fn f() {} } fn other() { #[m] @fn f() {} }");
        none("mod a { #[m] fn f() {} } mod b { #[m] @fn f() {} } #[m] fn f() {}");
        none("impl X { #[m] fn f() {} } impl Y { #[m] @fn f() {} }");
        none("fn outer() { { impl X { #[m] fn f() {} } } { impl Y { #[m] @fn f() {} } } }");
        none("fn outer() { #[m] fn f() {} impl X { #[m] @fn f() {} } }");
        none("const A: u8 = { #[m] fn f() {} 1 }; static mut B: u8 = { #[m] @fn f() {} 1 };");
        none("fn outer() { { #[m] fn g() {} } { #[m] @fn f() {} } }");
        none("fn outer() { { #[m] fn ff() {} } { #[m] @fn f() {} } let f: fn (u8) = x; }");
        none("pub(in a::b) unsafe extern \"C\" fn one() { #[m] fn f() {} } fn two() { #[m] @fn f() {} }");
    }

    #[test]
    fn of_two_items_with_one_name_in_the_same_braces_one_is_there() {
        none("#[cfg(unix)] mod a { #[m] fn f() {} } #[cfg(not(unix))] mod a { #[m] @fn f() {} }");
        none("fn outer() { #[cfg(unix)] #[m] fn f() {} #[cfg(not(unix))] #[m] @fn f() {} }");
    }

    #[test]
    fn what_is_not_memoized_is_no_namesake() {
        none("fn outer() { { fn f() {} } { #[m] @fn f() {} } }");
        none("fn outer() { { /* #[m] */ fn f() {} } { #[m] @fn f() {} } }");
    }

    #[test]
    fn a_macro_may_be_called_in_several_places() {
        let defined = [
            "macro_rules! m { () => { #[m] @fn f() {} } }",
            "macro_rules! m { () => {{ #[m] @fn f() {} }} }",
            "pub macro m() { #[m] @fn f() {} }",
        ];
        for text in defined {
            assert_eq!(namesakes(text), Namesakes::Unknown, "{text}");
        }
        none("called! { { #[m] @fn f() {} } }");
        some("called! { { #[m] @fn f() {} } { #[m] fn f() {} } }");
    }
}
