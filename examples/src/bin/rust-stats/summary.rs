//! What there is to say about one source, and how such statements add up.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
    path::PathBuf,
};

use crate::parse::ParseError;

/// How many lines there are of which kind. A line with code and a comment is a line of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "disk", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Lines {
    pub(crate) code: u64,
    /// Comments, documentation included.
    pub(crate) comment: u64,
    pub(crate) blank: u64,
}

impl Lines {
    /// All of them.
    pub(crate) fn total(self) -> u64 {
        self.code + self.comment + self.blank
    }
}

impl AddAssign for Lines {
    fn add_assign(&mut self, other: Self) {
        self.code += other.code;
        self.comment += other.comment;
        self.blank += other.blank;
    }
}

/// The kinds of items that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "disk", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum ItemKind {
    Const,
    Enum,
    ExternBlock,
    ExternCrate,
    Fn,
    Impl,
    Macro,
    Mod,
    Static,
    Struct,
    Trait,
    Type,
    Union,
    Use,
    Other,
}

impl ItemKind {
    /// The word for it in Rust.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Const => "const",
            Self::Enum => "enum",
            Self::ExternBlock => "extern block",
            Self::ExternCrate => "extern crate",
            Self::Fn => "fn",
            Self::Impl => "impl",
            Self::Macro => "macro",
            Self::Mod => "mod",
            Self::Static => "static",
            Self::Struct => "struct",
            Self::Trait => "trait",
            Self::Type => "type",
            Self::Union => "union",
            Self::Use => "use",
            Self::Other => "other",
        }
    }
}

/// A function or method with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "disk", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Function {
    /// Its name, after the type whose method it is: `Tree::walk`.
    pub(crate) name: String,
    /// The line of its `fn`.
    pub(crate) line: usize,
    /// From its `fn` to its closing brace.
    pub(crate) lines: usize,
}

/// What there is to say about one source.
///
/// Only what can be seen without expanding macros: what stands inside a macro's call is tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "disk", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Summary {
    pub(crate) lines: Lines,
    pub(crate) items: BTreeMap<ItemKind, u64>,
    /// Functions and methods with a body.
    pub(crate) functions: Vec<Function>,
    /// Items with type or const parameters.
    pub(crate) generics: u64,
    pub(crate) unsafe_blocks: u64,
    /// Crates named by `use` and `extern crate`.
    pub(crate) crates: BTreeSet<String>,
}

/// A file that could not be summarised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) path: PathBuf,
    pub(crate) error: ParseError,
}

/// The sum over many sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Files that were summarised.
    pub(crate) files: u64,
    pub(crate) lines: Lines,
    pub(crate) items: BTreeMap<ItemKind, u64>,
    pub(crate) functions: u64,
    pub(crate) generics: u64,
    pub(crate) unsafe_blocks: u64,
    /// The lines of the longest function.
    pub(crate) longest: usize,
    /// How many files use which crate.
    pub(crate) crates: BTreeMap<String, u64>,
    /// Files that were not summarised.
    pub(crate) failures: Vec<Failure>,
}

impl AddAssign<&Summary> for Totals {
    fn add_assign(&mut self, file: &Summary) {
        self.files += 1;
        self.lines += file.lines;
        add_counts(&mut self.items, &file.items);
        self.functions += file.functions.len() as u64;
        self.generics += file.generics;
        self.unsafe_blocks += file.unsafe_blocks;
        self.longest = self.longest.max(file.functions.iter().map(|f| f.lines).max().unwrap_or(0));
        for name in &file.crates {
            *self.crates.entry(name.clone()).or_default() += 1;
        }
    }
}

impl AddAssign<&Totals> for Totals {
    fn add_assign(&mut self, other: &Totals) {
        self.files += other.files;
        self.lines += other.lines;
        add_counts(&mut self.items, &other.items);
        self.functions += other.functions;
        self.generics += other.generics;
        self.unsafe_blocks += other.unsafe_blocks;
        self.longest = self.longest.max(other.longest);
        add_counts(&mut self.crates, &other.crates);
        self.failures.extend_from_slice(&other.failures);
    }
}

fn add_counts<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_file() -> Summary {
        Summary {
            lines: Lines { code: 10, comment: 2, blank: 1 },
            items: BTreeMap::from([(ItemKind::Fn, 2), (ItemKind::Use, 1)]),
            functions: vec![
                Function { name: "a".into(), line: 1, lines: 3 },
                Function { name: "b".into(), line: 5, lines: 4 },
            ],
            generics: 1,
            unsafe_blocks: 2,
            crates: BTreeSet::from(["std".to_owned()]),
        }
    }

    #[test]
    fn totals_add_up() {
        let mut part = Totals::default();
        part += &one_file();
        let mut all = part.clone();
        all += &part;

        assert_eq!((all.files, all.lines.total(), all.functions), (2, 26, 4));
        assert_eq!((all.generics, all.unsafe_blocks, all.longest), (2, 4, 4));
        assert_eq!(all.items[&ItemKind::Fn], 4);
        assert_eq!(all.crates["std"], 2);
    }

    #[test]
    fn adding_nothing_changes_nothing() {
        let mut all = Totals::default();
        all += &one_file();
        let before = all.clone();
        all += &Totals::default();
        assert_eq!(all, before);
    }
}
