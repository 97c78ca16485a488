//! What one can ask about a [`Tree`]: memoized methods that call each other.
//!
//! The sum over a directory is made from the sums over its children, so whoever asks for the root has
//! asked for every directory below, and the next table finds its answers made. Each takes the tree's
//! identity and a directory as its key. Results are behind an `Arc`: a hit clones the result.
//!
//! Nothing in here runs in parallel by itself. The main program asks from many threads at once; where two
//! of them need the same sum, one computes it and the other waits.

use std::{cmp::Reverse, fs, path::PathBuf, sync::Arc};

use memo::memoize;

use crate::{
    ask,
    summary::{Failure, Totals},
    walk::{DirId, Tree},
};

/// A function and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) function: String,
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

impl Tree {
    /// The name of the package whose `Cargo.toml` is in this directory.
    ///
    /// None where there is no manifest, or one of a workspace only. A `None` is remembered like any other
    /// answer.
    #[memoize]
    pub(crate) fn package_name(&self, dir: DirId) -> Option<Arc<str>> {
        let manifest = self.dir(dir).manifest.as_ref()?;
        name_in_manifest(&fs::read_to_string(&manifest.path).ok()?).map(Arc::from)
    }

    /// The sum over the files right in this directory.
    #[memoize(capacity = 200_000)]
    pub(crate) fn own(&self, dir: DirId) -> Arc<Totals> {
        let mut sum = Totals::default();
        for file in &self.dir(dir).sources {
            match ask::parse(&file.path, file.stamp) {
                Ok(summary) => sum += &*summary,
                Err(error) => sum.failures.push(Failure { path: file.path.clone(), error }),
            }
        }
        Arc::new(sum)
    }

    /// The sum over this directory and all below.
    #[memoize(capacity = 200_000)]
    pub(crate) fn totals(&self, dir: DirId) -> Arc<Totals> {
        let mut sum = Totals::clone(&ask::own(self, dir));
        for &child in &self.dir(dir).children {
            sum += &*ask::totals(self, child);
        }
        Arc::new(sum)
    }

    /// The sum over this directory and those below that belong to the same package.
    #[memoize(capacity = 200_000)]
    pub(crate) fn package_totals(&self, dir: DirId) -> Arc<Totals> {
        let mut sum = Totals::clone(&ask::own(self, dir));
        for &child in &self.dir(dir).children {
            if ask::package_name(self, child).is_none() {
                sum += &*ask::package_totals(self, child);
            }
        }
        Arc::new(sum)
    }

    /// The longest functions in this directory and all below, at most `count`, the longest first.
    #[memoize(capacity = 200_000)]
    pub(crate) fn longest(&self, dir: DirId, count: usize) -> Arc<[Place]> {
        let mut places = Vec::new();
        for file in &self.dir(dir).sources {
            // A file that cannot be read is told of by `totals`.
            if let Ok(summary) = ask::parse(&file.path, file.stamp) {
                places.extend(summary.functions.iter().map(|function| Place {
                    function: function.name.clone(),
                    path: file.path.clone(),
                    line: function.line,
                    lines: function.lines,
                }));
            }
        }
        for &child in &self.dir(dir).children {
            places.extend_from_slice(&ask::longest(self, child, count));
        }
        places.sort_by_key(|place| Reverse(place.lines));
        places.truncate(count);
        places.into()
    }
}

/// The package's name in a `Cargo.toml`. Reads as much of TOML as such a line needs.
fn name_in_manifest(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let value = line.strip_prefix("name")?.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        value[1..].split_once(quote).map(|(name, _)| name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    /// Two packages, one inside the other, a directory outside of both, and a file that does not parse.
    fn tree() -> (Fixture, Tree) {
        let fixture = Fixture::new("queries")
            .file("outer/Cargo.toml", "[package]\nname = \"outer\"\n")
            .file("outer/src/lib.rs", "use serde::Serialize;\nfn a() {}\n")
            .file("outer/src/deep/b.rs", "fn b() {\n\n}\nfn bad() {}\n")
            .file("outer/inner/Cargo.toml", "[package]\nname = \"inner\"\n")
            .file("outer/inner/src/lib.rs", "fn c() { unsafe { d() } }\n")
            .file("loose/e.rs", "fn e( {\n");
        let tree = Tree::walk(fixture.path()).unwrap();
        (fixture, tree)
    }

    fn at(tree: &Tree, path: &str) -> DirId {
        tree.dir_ids().find(|&id| tree.relative(&tree.dir(id).path) == path).unwrap()
    }

    #[test]
    fn a_directory_is_the_sum_of_its_children() {
        let (_fixture, tree) = tree();
        let all = tree.totals(tree.root());
        assert_eq!((all.files, all.functions, all.failures.len()), (3, 4, 1));
        assert_eq!((all.unsafe_blocks, all.longest, all.crates["serde"]), (1, 3, 1));
        assert_eq!((all.lines.code, all.lines.blank), (6, 1));

        let deep = tree.totals(at(&tree, "outer/src/deep"));
        assert_eq!((deep.files, deep.functions), (1, 2));
        assert_eq!(tree.own(at(&tree, "outer/src")).files, 1);
    }

    #[test]
    fn a_package_ends_where_another_begins() {
        let (_fixture, tree) = tree();
        let sum = |path| tree.package_totals(at(&tree, path)).files;
        assert_eq!((sum("outer"), sum("outer/inner"), sum("loose")), (2, 1, 0));
        assert_eq!(tree.package_name(at(&tree, "outer/inner")).as_deref(), Some("inner"));
        assert_eq!(tree.package_name(at(&tree, "loose")), None);
    }

    #[test]
    fn the_longest_functions_first() {
        let (_fixture, tree) = tree();
        let longest = tree.longest(tree.root(), 2);
        assert_eq!(longest.len(), 2);
        assert_eq!((longest[0].function.as_str(), longest[0].line, longest[0].lines), ("b", 1, 3));
        assert_eq!(tree.longest(tree.root(), 100).len(), 4);
    }

    #[test]
    fn an_answer_is_made_once_for_each_tree() {
        let (fixture, tree) = tree();
        let first = tree.totals(tree.root());
        assert!(Arc::ptr_eq(&first, &tree.totals(tree.root())), "the same tree: the same answer");
        let again = Tree::walk(fixture.path()).unwrap();
        let second = again.totals(again.root());
        assert!(!Arc::ptr_eq(&first, &second), "another walk: another tree");
        assert_eq!(first, second);
    }

    #[test]
    fn names_in_manifests() {
        assert_eq!(name_in_manifest("[package]\nname = \"a-b\" # c\n"), Some("a-b"));
        assert_eq!(name_in_manifest("[lib]\nname='x'\n[package]\nversion='1'\nname='y'"), Some("y"));
        assert_eq!(name_in_manifest("[workspace]\nmembers = []\n"), None);
        assert_eq!(name_in_manifest("[package]\nname = 1\n[lib]\nname = \"z\"\n"), None);
        assert_eq!(name_in_manifest("[package]\nname.workspace = true"), None);
    }
}
