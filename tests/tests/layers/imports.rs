//! Which files of a crate a file names in its code: by `use`, and by paths that begin with `crate`, `super`, `self`
//! or a module of the file itself.
//!
//! A `mod` declaration names nothing, and neither do visibilities, comments or code that only tests have. A path
//! counts for the file of the last module in it: who imports `super::Error` imports the parent, also where the parent has
//! it from somewhere else.

use std::collections::{BTreeMap, BTreeSet};

use crate::tokens::{Token, tokens};

/// The files of a crate, by the module that each is: `""` for the root, `disk/index` for `crate::disk::index`.
pub(crate) type Files = BTreeMap<String, String>;

/// For each file those that it names, without itself.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

type Module = Vec<String>;

/// Reads the files that the root leads to. Those that only tests have are left out. Of two files for one module, which is
/// chosen by a `cfg`, the one in the usual place counts as the module.
///
/// # Panics
/// Where a module has no file.
pub(crate) fn imports(files: &Files) -> Imports {
    let mut modules = BTreeMap::new();
    let mut open = vec![(Module::new(), String::new())];
    let mut readers = Vec::new();
    while let Some((module, file)) = open.pop() {
        let text = files.get(&file).unwrap_or_else(|| panic!("the module `{file}` has no file"));
        let mut reader = Reader { tokens: tokens(text), at: 0, found: Vec::new(), file: file.clone() };
        if file == module.join("/") || !modules.contains_key(&module) {
            modules.insert(module.clone(), file);
        }
        reader.items(&module);
        for found in &reader.found {
            match found {
                Found::Declared(module, file) => open.push((module.clone(), file.clone())),
                Found::Inline(module) => drop(modules.insert(module.clone(), reader.file.clone())),
                Found::Path(..) => {}
            }
        }
        readers.push(reader);
    }
    readers.into_iter().map(|reader| (reader.file.clone(), reader.imports(&modules))).collect()
}

/// What is found in a file.
enum Found {
    /// A module with a file of its own.
    Declared(Module, String),
    /// A module written out in the file.
    Inline(Module),
    /// A path, as it is written in a module.
    Path(Module, Vec<String>),
}

/// What an attribute says, as far as it matters here.
enum Attribute {
    /// What it stands on is only for tests.
    Test,
    /// The module that it stands on has another file.
    Path(String),
    Other,
}

/// Whether an attribute is about all but tests.
fn denies_tests(attribute: &[Token<'_>]) -> bool {
    attribute.windows(3).any(|three| three == [Token::Word("not"), Token::Mark('('), Token::Word("test")])
}

struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    found: Vec<Found>,
    file: String,
}

impl<'t> Reader<'t> {
    fn imports(self, modules: &BTreeMap<Module, String>) -> BTreeSet<String> {
        let resolved = self.found.iter().filter_map(|found| match found {
            Found::Path(module, path) => resolve(modules, module, path),
            Found::Declared(..) | Found::Inline(_) => None,
        });
        resolved.filter(|file| *file != self.file).collect()
    }

    fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn is(&self, ahead: usize, mark: char) -> bool {
        self.peek(ahead) == Some(Token::Mark(mark))
    }

    fn is_separator(&self, ahead: usize) -> bool {
        self.is(ahead, ':') && self.is(ahead + 1, ':')
    }

    fn word(&self, ahead: usize) -> Option<&'t str> {
        match self.peek(ahead)? {
            Token::Word(word) => Some(word),
            Token::Mark(_) | Token::Text(_) => None,
        }
    }

    /// Reads up to the brace that closes the module, or to the end.
    fn items(&mut self, module: &Module) {
        let mut depth = 0;
        // what a `path` attribute says of the module behind it
        let mut elsewhere = None;
        while let Some(token) = self.peek(0) {
            match token {
                Token::Mark('#') => {
                    match self.attribute() {
                        Attribute::Test => self.skip_item(),
                        Attribute::Path(path) => elsewhere = Some(path),
                        Attribute::Other => {}
                    }
                    continue;
                }
                Token::Mark('{') => depth += 1,
                Token::Mark('}') if depth == 0 => return,
                Token::Mark('}') => depth -= 1,
                Token::Mark(_) | Token::Text(_) => {}
                Token::Word("pub") if self.is(1, '(') => {
                    self.visibility();
                    continue;
                }
                Token::Word("mod") if self.word(1).is_some() => {
                    self.module(module, elsewhere.take());
                    continue;
                }
                Token::Word("use") => {
                    self.at += 1;
                    self.tree(module, &[]);
                    continue;
                }
                Token::Word(_) => self.path(module),
            }
            self.at += 1;
        }
    }

    /// Goes past an attribute.
    fn attribute(&mut self) -> Attribute {
        self.at += 1;
        if self.is(0, '!') {
            self.at += 1;
        }
        if !self.is(0, '[') {
            return Attribute::Other;
        }
        let begin = self.at;
        self.skip_brackets();
        let attribute = &self.tokens[begin..self.at];
        let has = |word| attribute.contains(&Token::Word(word));
        match attribute {
            [_, Token::Word("path"), _, Token::Text(path), _] => {
                Attribute::Path(path.trim_matches('"').trim_end_matches(".rs").to_owned())
            }
            [_, Token::Word("cfg"), ..] if has("test") && !has("any") && !denies_tests(attribute) => {
                Attribute::Test
            }
            _ => Attribute::Other,
        }
    }

    /// Goes past what is in brackets, and them.
    fn skip_brackets(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.peek(0) {
            self.at += 1;
            match token {
                Token::Mark('(' | '[' | '{') => depth += 1,
                Token::Mark(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Goes past an item, with its other attributes: to its `;` or the end of its block.
    fn skip_item(&mut self) {
        while let Some(token) = self.peek(0) {
            match token {
                Token::Mark('{') => {
                    self.skip_brackets();
                    // the end of a `use` or of an expression is a `;` behind the block
                    self.at += usize::from(self.is(0, ';'));
                    return;
                }
                Token::Mark('(' | '[') => self.skip_brackets(),
                Token::Mark(')' | ']' | '}') => return,
                Token::Mark(';') => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Goes past `pub(..)`, unless the parenthesis holds the field of a tuple.
    fn visibility(&mut self) {
        let restricts = match self.word(2) {
            Some("in") => true,
            Some("crate" | "super" | "self") => self.is(3, ')'),
            _ => false,
        };
        self.at += 1;
        if restricts {
            self.skip_brackets();
        }
    }

    fn module(&mut self, parent: &Module, elsewhere: Option<String>) {
        let mut module = parent.clone();
        module.extend(self.word(1).map(str::to_owned));
        self.at += 2;
        if self.is(0, '{') {
            self.at += 1;
            self.found.push(Found::Inline(module.clone()));
            self.items(&module);
        } else {
            let file = elsewhere.map_or_else(
                || module.join("/"),
                // from the directory of the file that says so
                |path| {
                    self.file
                        .rsplit_once('/')
                        .map_or(path.clone(), |(directory, _)| format!("{directory}/{path}"))
                },
            );
            self.found.push(Found::Declared(module, file));
        }
        self.at += 1;
    }

    /// Reads a path in code that stands here, if one does.
    fn path(&mut self, module: &Module) {
        let before = self.at.checked_sub(1).map(|at| self.tokens[at]);
        if matches!(before, Some(Token::Mark(':')))
            && self.at > 1
            && self.tokens[self.at - 2] == Token::Mark(':')
        {
            return;
        }
        let mut path = Vec::new();
        let mut ahead = 0;
        while let Some(word) = self.word(ahead) {
            path.push(word.to_owned());
            if !self.is_separator(ahead + 1) {
                break;
            }
            ahead += 3;
        }
        if path.len() > 1 {
            self.found.push(Found::Path(module.clone(), path));
        }
    }

    /// Reads what a `use` brings in, each name in it as a path.
    fn tree(&mut self, module: &Module, prefix: &[String]) {
        let mut path = prefix.to_owned();
        // from the root of all crates: none of ours
        let is_foreign = prefix.is_empty() && self.is_separator(0);
        loop {
            match self.peek(0) {
                Some(Token::Mark('{')) => {
                    self.at += 1;
                    while self.peek(0).is_some() && !self.is(0, '}') {
                        self.tree(module, &path);
                        self.at += usize::from(self.is(0, ','));
                    }
                    self.at += 1;
                    return;
                }
                Some(Token::Word("as")) => self.at += 2,
                // `self` in braces is what stands before them
                Some(Token::Word("self")) if !path.is_empty() => self.at += 1,
                Some(Token::Word(word)) => {
                    path.push(word.to_owned());
                    self.at += 1;
                }
                Some(Token::Mark(':' | '*')) => self.at += 1,
                _ => break,
            }
        }
        if !is_foreign {
            self.found.push(Found::Path(module.clone(), path));
        }
    }
}

/// The file of the last module in a path; `None` for a path that begins with no module of this crate.
fn resolve(modules: &BTreeMap<Module, String>, module: &Module, path: &[String]) -> Option<String> {
    let mut at = module.clone();
    let mut path = path.iter().map(String::as_str).peekable();
    match path.peek().copied()? {
        "crate" => {
            path.next();
            at.clear();
        }
        "self" => drop(path.next()),
        "super" => {
            while path.next_if_eq(&"super").is_some() {
                at.pop()?;
            }
        }
        name => {
            at.push(name.to_owned());
            if !modules.contains_key(&at) {
                return None;
            }
            path.next();
        }
    }
    for name in path {
        at.push(name.to_owned());
        if !modules.contains_key(&at) {
            at.pop();
            break;
        }
    }
    modules.get(&at).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `file` imports in a crate of these files.
    fn of(file: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        imports(&files)[file].iter().cloned().collect()
    }

    const EMPTY: [(&str, &str); 3] = [("a", ""), ("b", "mod c;"), ("b/c", "")];

    fn in_root(code: &str) -> Vec<String> {
        let root = format!("mod a; mod b; {code}");
        of("", &[&[("", root.as_str())][..], &EMPTY].concat())
    }

    #[test]
    fn names_are_found_in_uses_and_in_code() {
        assert_eq!(in_root(""), [""; 0], "a declaration imports nothing");
        assert_eq!(in_root("use a::X;"), ["a"]);
        assert_eq!(in_root("pub use self::{a::{X, Y as Z}, b::c::*};"), ["a", "b/c"]);
        assert_eq!(in_root("use crate::b::{self, c::{self, X}};"), ["b", "b/c"]);
        assert_eq!(in_root("fn f() -> crate::a::X { b::c::g::<u8>() }"), ["a", "b/c"]);
        assert_eq!(in_root("macro_rules! m { () => { $crate::a::X } }"), ["a"]);
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
        assert_eq!(in_root("use ::a::X; use std::a::Y; fn f() { ::b::g(); std::b::g(); x.a }"), [""; 0]);
        assert_eq!(in_root("// crate::a::X\nconst X: &str = \"crate::a::X\";"), [""; 0]);
        assert_eq!(of("b/c", &[("", "mod b;"), ("b", "mod c;"), ("b/c", "pub(super) fn f() {}")]), [""; 0]);
        assert_eq!(
            of("b/c", &[("", "mod b;"), ("b", "mod c;"), ("b/c", "pub(in super::super) fn f() {}")]),
            [""; 0]
        );
    }

    #[test]
    fn what_only_tests_have_does_not_count() {
        assert_eq!(in_root("#[cfg(test)] mod tests { use crate::a::X; } use b::X;"), ["b"]);
        assert_eq!(in_root("#[cfg(all(test, unix))] #[allow(x)] use a::{X, Y}; use b::X;"), ["b"]);
        assert_eq!(in_root("#[cfg(test)] mod tests; use b::X;"), ["b"]);
        assert_eq!(in_root("#[cfg(all(test, not(x)))] mod tests { use crate::a::X; } use b::X;"), ["b"]);
        assert_eq!(in_root("#[cfg(not(test))] use a::X;"), ["a"]);
    }

    #[test]
    fn a_module_may_have_another_file() {
        let files = [
            (
                "",
                "#[path = \"other/c.rs\"] mod a; #[cfg(x)] mod b; #[cfg(not(x))] #[path = \"other/d.rs\"] mod b;",
            ),
            ("other/c", "use crate::b::X;"),
            ("b", ""),
            ("other/d", "use crate::a::Y;"),
        ];
        assert_eq!(of("other/c", &files), ["b"]);
        assert_eq!(of("other/d", &files), ["other/c"]);
    }

    #[test]
    fn a_path_is_read_from_the_module_that_it_stands_in() {
        let from_c = |code| of("b/c", &[("", "mod a; mod b;"), ("a", ""), ("b", "mod c;"), ("b/c", code)]);
        assert_eq!(from_c("use super::X;"), ["b"]);
        assert_eq!(from_c("use super::super::a;"), ["a"]);
        assert_eq!(from_c("mod inner { use super::super::X; }"), ["b"]);
        assert_eq!(from_c("mod inner { use super::X; use crate::a::Y; } fn f(_: super::Z) {}"), ["a", "b"]);
        assert_eq!(from_c("use crate::X;"), [""], "the root");
        assert_eq!(from_c("struct S(pub(crate) u8, pub(crate::a::X)); "), ["a"]);
    }
}
