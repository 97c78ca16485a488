//! A source file: its text without comments and literals, its lines, its brackets.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use proc_macro2::Span;

use super::bare::{bare, is_word};
use super::brackets::Brackets;

/// A source file. Its lines, brackets and functions are found once, because a file may hold many functions that ask.
pub(super) struct Source {
    /// As it is on disk.
    text: String,
    /// The text with a blank for each byte of a comment and `0` for each byte of a literal.
    pub(super) bare: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Its brackets.
    pub(super) brackets: Brackets,
    /// The offsets of the `fn` of all functions with an attribute, by the names of the functions.
    pub(super) functions: OnceCell<HashMap<String, Vec<usize>>>,
}

thread_local! {
    /// The files read so far. A compiler does not outlive its sources. A language server does, but if a function has moved,
    /// there is no `fn` in its place, and nothing is said about it.
    static SOURCES: RefCell<HashMap<PathBuf, Option<Rc<Source>>>> = RefCell::default();
}

impl Source {
    /// The source of a function, and the offset of its `fn` token in it. `None` if the source cannot be read.
    pub(super) fn of(fn_token: Span) -> Option<(Rc<Source>, usize)> {
        // Unit tests run outside of the compiler.
        if !proc_macro::is_available() {
            return None;
        }
        let span = fn_token.unwrap();
        let source = Source::read(&span.local_file()?)?;
        let offset = source.offset(span.line(), span.column())?;
        Some((source, offset))
    }

    /// The source file, read once. `None` if it cannot be read.
    fn read(path: &Path) -> Option<Rc<Source>> {
        SOURCES.with_borrow_mut(|sources| {
            let read = || std::fs::read_to_string(path).ok().map(|text| Rc::new(Source::new(text)));
            sources.entry(path.to_owned()).or_insert_with(read).clone()
        })
    }

    /// The source file with this text.
    pub(super) fn new(text: String) -> Self {
        // The compiler counts columns without the byte order mark.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let bare = bare(&text);
        let ends = text.match_indices('\n').map(|(at, end)| at + end.len());
        let lines = std::iter::once(0).chain(ends).collect();
        let brackets = Brackets::of(&bare);
        Source { text, bare, lines, brackets, functions: OnceCell::new() }
    }

    /// The offset of a line and a column, in characters, both from 1. `None` if no `fn` begins there.
    pub(super) fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let line = line.checked_sub(1)?;
        let begin = *self.lines.get(line)?;
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        let (within, _) = self.text[begin..end].char_indices().nth(column.checked_sub(1)?)?;
        let offset = begin + within;
        let word = self.bare[offset..].split(|c: char| !is_word(c)).next();
        (word == Some("fn")).then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_found() {
        let source = Source::new("fn f() {}\n".to_owned());
        assert_eq!(source.offset(1, 1), Some(0));
        for (line, column) in [(0, 0), (0, 1), (1, 0), (1, 2), (1, 11), (2, 1), (9, 9)] {
            assert_eq!(source.offset(line, column), None, "{line}:{column}");
        }
        let comment = Source::new("// fn\n".to_owned());
        assert_eq!(comment.offset(1, 4), None);
    }
}
