//! From a path to a [`Summary`], in two memoized steps.
//!
//! [`parse()`] asks *has this file changed?* and is keyed by what the file system says about it;
//! [`summarise()`] asks *has this text been seen?* and is keyed by the text's hash. A file that was touched
//! but not edited misses the first and hits the second, and so does a copy of a file.

use std::{fmt, fs, io, path::Path, str, sync::Arc};

use memo::memoize;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::{
    ask,
    summary::{Function, ItemKind, Lines, Summary},
    walk::Stamp,
};

/// Larger files are refused: nobody wrote them.
const MAX_SIZE: u64 = 8 << 20;

/// Parsers of Rust recurse into expressions, so the depth of what they are given must be bounded by
/// someone. This is far above what people write and well within the stacks of the threads that parse (see
/// [`crate::STACK_SIZE`]).
const MAX_DEPTH: usize = 500;

/// As [`MAX_DEPTH`], for nesting without brackets (`!!!!x`, `a + b + c`): the longest run of tokens with
/// neither a comma, a semicolon nor the end of a block in it.
const MAX_RUN: usize = 20_000;

/// Why a file has no [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    /// It could not be read.
    Io(io::ErrorKind),
    /// It is larger than this program reads.
    TooLarge(u64),
    /// It is not UTF-8 from this byte on.
    NotUtf8(usize),
    /// Its expressions nest deeper than this program follows.
    TooDeep,
    /// It is not Rust, at this line.
    Syntax(usize, String),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => write!(f, "cannot be read: {kind}"),
            Self::TooLarge(size) => write!(f, "too large: {size} bytes"),
            Self::NotUtf8(at) => write!(f, "not UTF-8 from byte {at} on"),
            Self::TooDeep => write!(f, "nested too deeply"),
            Self::Syntax(line, message) => write!(f, "line {line}: {message}"),
        }
    }
}

impl std::error::Error for ParseError {}

/// The hash of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "disk", derive(serde::Serialize))]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// The summary of the file at `path`, which had this `stamp` when it was listed.
///
/// The stamp is no more than a part of the key: while it stays the same the file is not read again. A
/// failure to read may pass, and errors are not stored unless one asks for it, so the next call tries
/// again.
///
/// # Errors
///
/// Where the file cannot be read, or [`summarise()`] fails.
#[memoize(capacity = 200_000)]
pub(crate) fn parse(path: &Path, stamp: Stamp) -> Result<Arc<Summary>, ParseError> {
    if stamp.size > MAX_SIZE {
        return Err(ParseError::TooLarge(stamp.size));
    }
    let source = fs::read(path).map_err(|error| ParseError::Io(error.kind()))?;
    ask::summarise(Digest::of(&source), &source)
}

/// The summary of a source. The digest stands for the text: the text itself is no part of the key, and
/// so is not kept.
///
/// A text that does not parse will not parse tomorrow either, hence `cache_err`.
///
/// # Errors
///
/// Where the text is not Rust.
#[memoize(key = digest, cache_err = true, capacity = 200_000)]
pub(crate) fn summarise(digest: Digest, source: &[u8]) -> Result<Arc<Summary>, ParseError> {
    let text = str::from_utf8(source).map_err(|error| ParseError::NotUtf8(error.valid_up_to()))?;
    let summary = if ask::keeps_on_disk() { kept(digest, text) } else { summary_of(text) };
    summary.map(Arc::new)
}

/// The same on disk, for the next run of this program: the text's digest is the same then.
///
/// An edit of this function is no edit of what it calls: raise `version` when summaries change.
///
/// # Errors
///
/// Where the text is not Rust.
#[cfg_attr(feature = "disk", memoize(key = digest, engine = "disk", version = 1))]
pub(crate) fn kept(digest: Digest, text: &str) -> Result<Summary, ParseError> {
    let _ = digest;
    summary_of(text)
}

/// The work itself; nothing memoized from here on.
fn summary_of(text: &str) -> Result<Summary, ParseError> {
    // Spans are offsets into a list of all that this thread has lexed. None outlives this function, so
    // the list may as well start anew.
    proc_macro2::extra::invalidate_current_thread_spans();

    let (text, skipped) = without_shebang(text.strip_prefix('\u{feff}').unwrap_or(text));
    let line_of = |span: Span| span.start().line + skipped;

    let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
        ParseError::Syntax(line_of(error.span()), error.to_string())
    })?;
    let mut has_code = vec![false; text.lines().count()];
    mark_code(&tokens, text, &mut has_code)?;
    let file: syn::File =
        syn::parse2(tokens).map_err(|error| ParseError::Syntax(line_of(error.span()), error.to_string()))?;

    let mut visitor = Visitor { summary: Summary::default(), owners: Vec::new(), mods: Vec::new(), skipped };
    visitor.visit_file(&file);
    let mut summary = visitor.summary;
    // `use tree::Leaf` below `mod tree` names the module.
    for name in visitor.mods {
        summary.crates.remove(&name);
    }
    summary.lines = count_lines(text, &has_code);
    summary.lines.comment += skipped as u64;
    Ok(summary)
}

/// The text after a first line such as `#!/usr/bin/env run-cargo-script`, and how many lines that took.
fn without_shebang(text: &str) -> (&str, usize) {
    let is_shebang = text.strip_prefix("#!").is_some_and(|rest| !rest.trim_start().starts_with('['));
    if is_shebang { (text.split_once('\n').map_or("", |(_, rest)| rest), 1) } else { (text, 0) }
}

/// Marks the lines that hold a token, comments left out; and refuses what nests too deeply to parse.
fn mark_code(tokens: &TokenStream, text: &str, has_code: &mut [bool]) -> Result<(), ParseError> {
    // A doc comment is lexed to an attribute all of whose tokens span the comment.
    let is_comment = |span: Span| {
        text.get(span.byte_range()).is_some_and(|text| text.starts_with("//") || text.starts_with("/*"))
    };
    // A string can take many lines.
    let mut mark = |span: Span| has_code[span.start().line - 1..span.end().line].fill(true);

    let mut stack = vec![Level::new(tokens)];
    while let Some(level) = stack.last_mut() {
        let Some(token) = level.rest.next() else {
            stack.pop();
            continue;
        };
        level.step(&token);
        if level.run > MAX_RUN || stack.len() > MAX_DEPTH {
            return Err(ParseError::TooDeep);
        }
        let is_comment = is_comment(token.span());
        match token {
            _ if is_comment => {}
            TokenTree::Group(group) => {
                mark(group.span_open());
                mark(group.span_close());
                stack.push(Level::new(&group.stream()));
            }
            token => mark(token.span()),
        }
    }
    Ok(())
}

/// What is between two brackets: the tokens yet to be seen, and how long a run they continue.
struct Level {
    rest: proc_macro2::token_stream::IntoIter,
    run: usize,
    after_block: bool,
}

impl Level {
    fn new(tokens: &TokenStream) -> Self {
        Self { rest: tokens.clone().into_iter(), run: 0, after_block: false }
    }

    /// Counts this token to the run, or begins a new one where an item, statement or element ends.
    fn step(&mut self, token: &TokenTree) {
        let ends = match token {
            TokenTree::Punct(punct) => {
                matches!(punct.as_char(), ',' | ';') || (self.after_block && punct.as_char() == '#')
            }
            TokenTree::Ident(word) => self.after_block && word != "else" && word != "as",
            _ => false,
        };
        self.run = if ends { 0 } else { self.run + 1 };
        self.after_block = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    }
}

fn count_lines(text: &str, has_code: &[bool]) -> Lines {
    let mut lines = Lines::default();
    for (line, has_code) in text.lines().zip(has_code) {
        *match (has_code, line.trim().is_empty()) {
            (true, _) => &mut lines.code,
            (false, true) => &mut lines.blank,
            (false, false) => &mut lines.comment,
        } += 1;
    }
    lines
}

/// Collects a [`Summary`] from a syntax tree.
struct Visitor {
    summary: Summary,
    /// The types and traits whose bodies the visitor is in.
    owners: Vec<String>,
    /// The modules declared in the file.
    mods: Vec<String>,
    /// Lines that stand before the text which was parsed.
    skipped: usize,
}

impl Visitor {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let name = match self.owners.last() {
            Some(owner) => format!("{owner}::{}", signature.ident),
            None => signature.ident.to_string(),
        };
        self.summary.functions.push(Function { name, line: first + self.skipped, lines: last - first + 1 });
    }

    fn inside(&mut self, owner: String, visit: impl FnOnce(&mut Self)) {
        self.owners.push(owner);
        visit(self);
        self.owners.pop();
    }

    fn uses(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.uses_crate(&path.ident),
            syn::UseTree::Name(name) => self.uses_crate(&name.ident),
            syn::UseTree::Rename(rename) => self.uses_crate(&rename.ident),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.uses(tree)),
            _ => {}
        }
    }

    fn uses_crate(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        // `use Shape::Square` names a type.
        let is_crate = !matches!(name.as_str(), "crate" | "self" | "super" | "Self")
            && name.starts_with(|first: char| first.is_lowercase() || first == '_');
        if is_crate {
            self.summary.crates.insert(name);
        }
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        *self.summary.items.entry(kind_of(item)).or_default() += 1;
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        self.inside(owner.unwrap_or_else(|| "_".to_owned()), |this| visit::visit_item_impl(this, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.inside(item.ident.to_string(), |this| visit::visit_item_trait(this, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.mods.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.uses(&item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.uses_crate(&item.ident);
    }

    fn visit_generics(&mut self, generics: &'ast syn::Generics) {
        if generics.params.iter().any(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
            self.summary.generics += 1;
        }
        visit::visit_generics(self, generics);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.summary.unsafe_blocks += 1;
        visit::visit_expr_unsafe(self, block);
    }
}

fn kind_of(item: &syn::Item) -> ItemKind {
    match item {
        syn::Item::Const(_) => ItemKind::Const,
        syn::Item::Enum(_) => ItemKind::Enum,
        syn::Item::ExternCrate(_) => ItemKind::ExternCrate,
        syn::Item::Fn(_) => ItemKind::Fn,
        syn::Item::ForeignMod(_) => ItemKind::ExternBlock,
        syn::Item::Impl(_) => ItemKind::Impl,
        syn::Item::Macro(_) => ItemKind::Macro,
        syn::Item::Mod(_) => ItemKind::Mod,
        syn::Item::Static(_) => ItemKind::Static,
        syn::Item::Struct(_) => ItemKind::Struct,
        syn::Item::Trait(_) => ItemKind::Trait,
        syn::Item::Type(_) => ItemKind::Type,
        syn::Item::Union(_) => ItemKind::Union,
        syn::Item::Use(_) => ItemKind::Use,
        _ => ItemKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    fn lines(text: &str) -> (u64, u64, u64) {
        let Lines { code, comment, blank } = summary_of(text).unwrap().lines;
        (code, comment, blank)
    }

    fn names(text: &str) -> Vec<String> {
        summary_of(text).unwrap().crates.into_iter().collect()
    }

    #[test]
    fn lines_of_code_comments_and_blanks() {
        assert_eq!(lines(""), (0, 0, 0));
        assert_eq!(lines("fn f() {}\n\n// c\n"), (1, 1, 1));
        assert_eq!(lines("/// d\nfn f() {} // c\n"), (1, 1, 0));
        assert_eq!(lines("//! d\n/* a\n\n   b */\nfn f() {}"), (1, 3, 1));
        assert_eq!(lines("#[doc = \"d\"]\nfn f() {}"), (2, 0, 0), "an attribute is code");
    }

    #[test]
    fn comment_marks_in_strings_are_code() {
        assert_eq!(lines("const S: &str = \"\n// no\n/* no\n\";\n"), (4, 0, 0));
        assert_eq!(lines("const S: &str = r#\"\n\"// no\n\"#;\n"), (3, 0, 0));
    }

    #[test]
    fn a_byte_order_mark_and_a_shebang() {
        assert_eq!(lines("\u{feff}fn f() {}\n"), (1, 0, 0));
        assert_eq!(lines("#!/bin/x\nfn f() {}\n"), (1, 1, 0));
        assert_eq!(lines("#![allow(unused)]\nfn f() {}\n"), (2, 0, 0));
        assert_eq!(summary_of("#!/bin/x\n\nfn f() {}").unwrap().functions[0].line, 3);
    }

    #[test]
    fn functions_are_named_and_measured() {
        let text = "fn f() {\n}\nimpl<T> S<T> { fn g(&self) {} }\ntrait T { fn no(); fn h() {\n\n} }";
        let functions = summary_of(text).unwrap().functions;
        let seen: Vec<_> = functions.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(seen, [("f", 1, 2), ("S::g", 3, 1), ("T::h", 4, 3)]);
    }

    #[test]
    fn items_generics_and_unsafe_blocks() {
        let text = "struct S<T>(T); enum E<'a> { A(&'a u8) } mod m { const N: u8 = 1; }\n\
                    fn f<const N: usize>() { unsafe { g(); unsafe { g() } } } unsafe fn g() {}";
        let summary = summary_of(text).unwrap();
        assert_eq!(summary.items[&ItemKind::Fn], 2);
        assert_eq!(summary.items[&ItemKind::Const], 1);
        assert_eq!((summary.generics, summary.unsafe_blocks), (2, 2));
    }

    #[test]
    fn crates_are_the_roots_of_use() {
        assert_eq!(
            names("use std::{fmt, io}; use {serde::Serialize, tokio as t};"),
            ["serde", "std", "tokio"]
        );
        assert_eq!(names("extern crate alloc; use ::libc::c_int;"), ["alloc", "libc"]);
        assert_eq!(names("use crate::a; use self::b; use super::c; use Shape::Square;"), [""; 0]);
        assert_eq!(names("mod tree; use tree::Leaf;"), [""; 0]);
    }

    #[test]
    fn what_is_not_rust_is_an_error_with_its_line() {
        assert!(matches!(summary_of("\nfn f( {}"), Err(ParseError::Syntax(2, _))));
        assert!(matches!(summary_of("fn f() {}\n\n1"), Err(ParseError::Syntax(3, _))));
        assert!(matches!(summary_of("#!/bin/x\nfn"), Err(ParseError::Syntax(2, _))));
        assert!(matches!(summary_of("'"), Err(ParseError::Syntax(..))));
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let parse = |text: String| {
            let work = move || summary_of(&text).map(|_| ());
            std::thread::Builder::new().stack_size(crate::STACK_SIZE).spawn(work).unwrap().join().unwrap()
        };
        let brackets = |n: usize| format!("const X: u8 = {}1{};", "(".repeat(n), ")".repeat(n));
        assert_eq!(parse(brackets(MAX_DEPTH - 1)), Ok(()));
        assert_eq!(parse(brackets(MAX_DEPTH)), Err(ParseError::TooDeep));
        assert_eq!(parse(brackets(100_000)), Err(ParseError::TooDeep));
        for (open, close) in [("!", "1"), ("1 + ", "1"), ("&", "1"), ("a = ", "1"), ("if x {} else ", "{}")] {
            let chain = |n: usize| format!("fn f() {{ let x = {}{close}; }}", open.repeat(n));
            let longest = MAX_RUN / open.split_whitespace().count() - 10;
            assert_eq!(parse(chain(longest)), Ok(()), "{open}");
        }
        assert_eq!(parse(format!("const X: u8 = {}1;", "!".repeat(MAX_RUN))), Err(ParseError::TooDeep));
    }

    #[test]
    fn the_same_content_is_summarised_once() {
        let fixture = Fixture::new("same").file("a.rs", "fn same() {}").file("b.rs", "fn same() {}");
        let read = |name: &str| {
            let path = fixture.path().join(name);
            let stamp = Stamp::of(&path.metadata().unwrap()).unwrap();
            parse(&path, stamp).unwrap()
        };
        assert!(Arc::ptr_eq(&read("a.rs"), &read("b.rs")));
    }

    #[test]
    fn files_that_cannot_be_summarised() {
        let fixture = Fixture::new("bad").file("bytes.rs", b"fn f() {}\n\xff\xfe");
        let stamp = Stamp { modified: std::time::SystemTime::UNIX_EPOCH, size: 0 };
        let error = |name: &str, stamp| parse(&fixture.path().join(name), stamp).unwrap_err();
        assert_eq!(error("bytes.rs", stamp), ParseError::NotUtf8(10));
        assert_eq!(error("missing.rs", stamp), ParseError::Io(io::ErrorKind::NotFound));
        assert_eq!(error("bytes.rs", Stamp { size: 1 << 40, ..stamp }), ParseError::TooLarge(1 << 40));
    }
}
