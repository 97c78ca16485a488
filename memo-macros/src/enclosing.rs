//! Where a function stands: an attribute is shown the function alone, so this looks at the source.
//!
//! The span of the `fn` token tells file, line and column. There the innermost open brace is found, and
//! the words before it tell an `impl` from a `trait` from all the rest. The file is not parsed: a small
//! lexer takes comments and literals out, and brackets are counted. Where the source does not tell (a
//! macro wrote the function, the file cannot be read) the function itself is asked, and the answer is
//! one that compiles.

mod namesakes;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, ItemImpl, Signature, Visibility};

pub(crate) use namesakes::Namesakes;

/// Where a function stands, which decides what may stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a module or in a block: other items may stand beside it.
    Free,
    /// In an `impl Type`: associated functions may stand beside it.
    Inherent,
    /// In an `impl Trait for Type`, in a `trait`, or nobody can tell: nothing may stand beside it.
    Trait,
}

/// Where the function stands. `explicit` is whether the author gave the companion a name, and so says
/// that there is room for one, where that cannot be seen.
pub(crate) fn place(vis: &Visibility, sig: &Signature, body: &TokenStream, explicit: bool) -> Place {
    let associated =
        || sig.receiver().is_some() || names_self(sig.to_token_stream()) || names_self(body.clone());
    match in_source(sig.fn_token.span) {
        // A `self` that stands in no `impl` has been put there by a macro.
        Some(Place::Free) if sig.receiver().is_some() => guess(vis, associated(), explicit),
        Some(place) => place,
        None => guess(vis, associated(), explicit),
    }
}

/// The place to take where the source does not tell.
fn guess(vis: &Visibility, associated: bool, explicit: bool) -> Place {
    match vis {
        _ if !associated => Place::Free,
        // In a trait and in its impls no visibility is allowed, so there may or may not be room here.
        Visibility::Inherited if !explicit => Place::Trait,
        _ => Place::Inherent,
    }
}

/// Whether `Self` is among the tokens.
fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => names_self(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// What the source says of the place of this `fn` token.
fn in_source(fn_token: Span) -> Option<Place> {
    // Unit tests run outside of the compiler.
    if !proc_macro::is_available() {
        return None;
    }
    let span = fn_token.unwrap();
    let source = Source::read(&span.local_file()?)?;
    source.place(source.offset(span.line(), span.column())?)
}

/// A source file. What is asked about each of its functions is found out once, so that a file of many functions is not read
/// from its beginning for each.
struct Source {
    /// As it is on disk.
    text: String,
    /// The same, with a blank for each byte of a comment and `0` for each byte of a literal.
    bare: String,
    /// Where each line begins.
    lines: Vec<usize>,
    brackets: Brackets,
    /// Functions with an attribute, by their names: where the `fn` is.
    functions: OnceCell<HashMap<String, Vec<usize>>>,
}

thread_local! {
    /// The files read so far: a compiler does not outlive its sources, and where a language server does,
    /// a function that has moved is noticed by the `fn` that is not found in its place.
    static SOURCES: RefCell<HashMap<PathBuf, Option<Rc<Source>>>> = RefCell::default();
}

impl Source {
    fn read(path: &Path) -> Option<Rc<Source>> {
        SOURCES.with_borrow_mut(|sources| {
            let read = || std::fs::read_to_string(path).ok().map(|text| Rc::new(Source::new(text)));
            sources.entry(path.to_owned()).or_insert_with(read).clone()
        })
    }

    fn new(text: String) -> Self {
        // The compiler counts columns without the byte order mark.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let bare = bare(&text);
        let ends = text.match_indices('\n').map(|(at, end)| at + end.len());
        let lines = std::iter::once(0).chain(ends).collect();
        let brackets = Brackets::of(&bare);
        Source { text, bare, lines, brackets, functions: OnceCell::new() }
    }

    /// The offset of a line and a column, in characters, both from 1; `None` if there is no `fn`.
    fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let line = line.checked_sub(1)?;
        let begin = *self.lines.get(line)?;
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        let (within, _) = self.text[begin..end].char_indices().nth(column.checked_sub(1)?)?;
        let offset = begin + within;
        let word = self.bare[offset..].split(|c: char| !is_word(c)).next();
        (word == Some("fn")).then_some(offset)
    }

    /// The place of what stands at the offset.
    fn place(&self, offset: usize) -> Option<Place> {
        let groups = self.brackets.open_at(offset)?;
        for (depth, group) in groups.iter().enumerate().rev() {
            let header = &self.bare[group.header..group.open];
            if self.bare[group.open..].starts_with('{') {
                return match kind(header)? {
                    Header::Impl(place) => Some(place),
                    Header::Other => Some(Place::Free),
                    // An arm of a `match` is a block; an arm of a macro may end up anywhere.
                    Header::Arm => {
                        let headers =
                            groups[..depth].iter().map(|group| &self.bare[group.header..group.open]);
                        let in_macro =
                            headers.map(kind).any(|kind| matches!(kind, None | Some(Header::Macro)));
                        (!in_macro).then_some(Place::Free)
                    }
                    Header::Macro => None,
                };
            }
            // `$( .. )*` in a macro adds nothing; the arguments of a macro may end up anywhere.
            if !header.trim_end().ends_with('$') {
                return None;
            }
        }
        Some(Place::Free)
    }
}

/// An open bracket of any kind.
#[derive(Clone, Copy)]
struct Group {
    /// Where the bracket is.
    open: usize,
    /// Where that begins which the bracket belongs to: after the last `;` or item.
    header: usize,
}

/// The brackets of a file.
struct Brackets {
    /// In order.
    groups: Vec<Bracket>,
    /// Where there is a closing one that does not match; what comes after cannot be told.
    broken: Option<usize>,
}

struct Bracket {
    group: Group,
    /// Where it is closed, if it is.
    close: Option<usize>,
    /// The one around it.
    around: Option<usize>,
}

impl Brackets {
    fn of(bare: &str) -> Self {
        let mut groups: Vec<Bracket> = Vec::new();
        let mut open: Option<usize> = None;
        // Where the next header begins, at each depth.
        let mut begins = vec![0];
        for (at, byte) in bare.bytes().enumerate() {
            let header = begins.last_mut();
            match byte {
                b'{' | b'(' | b'[' => {
                    let group = Group { open: at, header: header.map_or(0, |header| *header) };
                    groups.push(Bracket { group, close: None, around: open });
                    open = Some(groups.len() - 1);
                    begins.push(at + 1);
                }
                b'}' | b')' | b']' => {
                    let Some(closed) = open.map(|open| &mut groups[open]) else {
                        return Brackets { groups, broken: Some(at) };
                    };
                    let opened = bare.as_bytes()[closed.group.open];
                    if !matches!((opened, byte), (b'{', b'}') | (b'(', b')') | (b'[', b']')) {
                        return Brackets { groups, broken: Some(at) };
                    }
                    (closed.close, open) = (Some(at), closed.around);
                    begins.pop();
                    // `X<{ N }>` and `X<{ N }, M>` go on after the brace; all else ends with it.
                    let goes_on = || bare[at + 1..].trim_start().starts_with(['>', ',']);
                    if byte == b'}'
                        && !goes_on()
                        && let Some(header) = begins.last_mut()
                    {
                        *header = at + 1;
                    }
                }
                b';' => header.into_iter().for_each(|header| *header = at + 1),
                _ => {}
            }
        }
        Brackets { groups, broken: None }
    }

    /// Those that are open at the offset, the innermost last; `None` if they do not match.
    fn open_at(&self, offset: usize) -> Option<Vec<Group>> {
        if self.broken.is_some_and(|broken| broken < offset) {
            return None;
        }
        let before = self.groups.partition_point(|bracket| bracket.group.open < offset);
        let last = before.checked_sub(1).map(|last| &self.groups[last]);
        let around = |bracket: &&Bracket| Some(&self.groups[bracket.around?]);
        let all = std::iter::successors(last, around);
        let open = all.filter(|bracket| bracket.close.is_none_or(|close| close >= offset));
        let mut open: Vec<_> = open.map(|bracket| bracket.group).collect();
        open.reverse();
        Some(open)
    }
}

/// What stands before an opening brace.
#[derive(Debug, PartialEq)]
enum Header {
    /// `impl ..` or `trait ..`.
    Impl(Place),
    /// `pattern =>`.
    Arm,
    /// A macro's call or definition.
    Macro,
    /// A module, a function, a block.
    Other,
}

/// Tells headers apart; `None` if there is an `impl` that cannot be read.
fn kind(header: &str) -> Option<Header> {
    let trimmed = header.trim_end();
    let word = |word: &str| trimmed.split(|c: char| !is_word(c)).any(|part| part == word);
    if trimmed.ends_with('!') || word("macro_rules") || word("macro") {
        Some(Header::Macro)
    } else if trimmed.ends_with("=>") {
        Some(Header::Arm)
    } else if word("impl") || word("trait") {
        // In the definition of a macro: `impl $name`. No keyword begins like this.
        let readable = format!("{} {{}}", trimmed.replace('$', "__"));
        parse_header.parse_str(&readable).ok()
    } else {
        Some(Header::Other)
    }
}

/// Reads an item with nothing in its braces.
fn parse_header(input: ParseStream<'_>) -> syn::Result<Header> {
    input.call(Attribute::parse_inner)?;
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    loop {
        let begin = input.fork();
        let word = input.call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
        let header = match word.as_str() {
            "unsafe" | "auto" | "default" | "const" => continue,
            "trait" => Header::Impl(Place::Trait),
            "impl" => {
                let item: ItemImpl = begin.parse()?;
                Header::Impl(if item.trait_.is_some() { Place::Trait } else { Place::Inherent })
            }
            _ => Header::Other,
        };
        // A parser has to come to the end.
        input.parse::<TokenStream>()?;
        return Ok(header);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The source with a blank for each byte of a comment and `0` for each byte of a string or character, so
/// that every bracket and every word that is left is one.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    // `#![..]` is an attribute; `#!/usr/bin/env` is for the shell.
    if rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[') {
        skip(&mut bare, &mut rest, text.find('\n').unwrap_or(text.len()), " ");
    }
    while let Some(c) = rest.chars().next() {
        let (len, filler) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), " ")
        } else if rest.starts_with("/*") {
            (block_comment(rest), " ")
        } else if c == '"' {
            (quoted(rest, '"'), "0")
        } else if c == '\'' && is_char(rest) {
            (quoted(rest, '\''), "0")
        } else if is_word(c) {
            let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            match raw_string(&rest[..word], &rest[word..]) {
                Some(len) => (word + len, "0"),
                None => {
                    bare.push_str(&rest[..word]);
                    rest = &rest[word..];
                    continue;
                }
            }
        } else {
            bare.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        skip(&mut bare, &mut rest, len, filler);
    }
    bare
}

fn skip(bare: &mut String, rest: &mut &str, len: usize, filler: &str) {
    bare.push_str(&filler.repeat(len));
    *rest = &rest[len..];
}

/// The length of the block comment at the beginning; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of the string or character at the beginning, with both quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// Whether a single quote begins a character rather than a lifetime or a label.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

/// The length of the raw string that follows a prefix, from its first `#` or quote.
fn raw_string(prefix: &str, text: &str) -> Option<usize> {
    if !matches!(prefix, "r" | "br" | "cr") {
        return None;
    }
    let hashes = text.len() - text.trim_start_matches('#').len();
    // `r#name` is a raw identifier.
    let inner = text[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let before = hashes + 1;
    Some(inner.find(&end).map_or(text.len(), |at| before + at + end.len()))
}

#[cfg(test)]
mod tests {
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
        inherent(
            "impl<'r> X<'r> { fn a(x: &'r str, y: &'_ str) -> &'static str { 'l: loop {} } @fn f() {} }",
        );
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
        let source = Source::new("fn f() {}\n".to_owned());
        assert_eq!(source.offset(1, 1), Some(0));
        for (line, column) in [(0, 0), (0, 1), (1, 0), (1, 2), (1, 11), (2, 1), (9, 9)] {
            assert_eq!(source.offset(line, column), None, "{line}:{column}");
        }
        let comment = Source::new("// fn\n".to_owned());
        assert_eq!(comment.offset(1, 4), None);
    }

    #[test]
    fn text_that_ends_early_is_no_panic() {
        for text in ["\"", "'", "'\\", "/*", "r#\"", "r#", "b'", "//", "#!", "/* /* */", "\"\\"] {
            assert_eq!(bare(text).len(), text.len(), "{text}");
        }
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
}
