//! Finds the Rust sources below a directory.
//!
//! A [`Tree`] is a snapshot: the directories, their `.rs` files and what the file system said about each
//! file when it was listed. Nothing is read yet. The questions one can ask about a tree stand in
//! [`crate::queries`].

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Directories that hold build products or a version control system's own files.
const SKIPPED: [&str; 4] = ["target", ".git", ".hg", ".svn"];

/// What tells one state of a file from the next without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    /// When the file was last written.
    pub(crate) modified: SystemTime,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl Stamp {
    /// The stamp of the file these metadata belong to.
    ///
    /// # Errors
    ///
    /// Where the platform keeps no modification time.
    pub(crate) fn of(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self { modified: metadata.modified()?, size: metadata.len() })
    }
}

/// A file as it was when the tree was walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileEntry {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

/// Which directory of a [`Tree`]: an index, cheap to copy and to use in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DirId(usize);

/// One directory of a [`Tree`].
#[derive(Clone, Debug)]
pub(crate) struct Dir {
    pub(crate) path: PathBuf,
    /// The `Cargo.toml` in it, if there is one.
    pub(crate) manifest: Option<FileEntry>,
    /// The `.rs` files right in it, by name.
    pub(crate) sources: Vec<FileEntry>,
    /// The directories right in it, by name.
    pub(crate) children: Vec<DirId>,
}

/// A snapshot of a directory tree.
///
/// Each walk gives a tree with an identity of its own: answers that are memoized for one tree are never
/// mistaken for answers about another.
#[derive(Debug, memo::Instance)]
pub(crate) struct Tree {
    instance: memo::InstanceId,
    dirs: Vec<Dir>,
    unreadable: Vec<(PathBuf, String)>,
}

impl Tree {
    /// Lists everything below `root`. Symbolic links are not followed.
    ///
    /// What cannot be listed is left out and told by [`Tree::unreadable`].
    ///
    /// # Errors
    ///
    /// Where `root` itself cannot be listed.
    pub(crate) fn walk(root: &Path) -> io::Result<Self> {
        fs::read_dir(root)?;
        let mut tree = Self { instance: memo::InstanceId::new(), dirs: Vec::new(), unreadable: Vec::new() };
        tree.add(root);
        Ok(tree)
    }

    /// The directory the walk began at.
    pub(crate) fn root(&self) -> DirId {
        DirId(0)
    }

    /// One directory.
    pub(crate) fn dir(&self, id: DirId) -> &Dir {
        &self.dirs[id.0]
    }

    /// All directories, the root first.
    pub(crate) fn dir_ids(&self) -> impl Iterator<Item = DirId> + use<> {
        (0..self.dirs.len()).map(DirId)
    }

    /// All sources.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &FileEntry> {
        self.dirs.iter().flat_map(|dir| &dir.sources)
    }

    /// What could not be listed, and why.
    pub(crate) fn unreadable(&self) -> &[(PathBuf, String)] {
        &self.unreadable
    }

    /// `path` as seen from the root.
    pub(crate) fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.dirs[0].path).unwrap_or(path)
    }

    fn add(&mut self, path: &Path) -> DirId {
        let id = DirId(self.dirs.len());
        self.dirs.push(Dir {
            path: path.to_owned(),
            manifest: None,
            sources: Vec::new(),
            children: Vec::new(),
        });

        let listing = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = listing.unwrap_or_else(|error| {
            self.unreadable.push((path.to_owned(), error.to_string()));
            Vec::new()
        });
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if let Err(error) = self.add_entry(id, &entry) {
                self.unreadable.push((entry.path(), error.to_string()));
            }
        }
        id
    }

    fn add_entry(&mut self, parent: DirId, entry: &fs::DirEntry) -> io::Result<()> {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                let child = self.add(&path);
                self.dirs[parent.0].children.push(child);
            }
        } else if kind.is_file() {
            let (is_manifest, is_source) = (name == "Cargo.toml", path.extension() == Some(OsStr::new("rs")));
            if is_manifest || is_source {
                let file = FileEntry { path, stamp: Stamp::of(&entry.metadata()?)? };
                let dir = &mut self.dirs[parent.0];
                if is_manifest {
                    dir.manifest = Some(file);
                } else {
                    dir.sources.push(file);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn lists_sources_and_skips_build_products() {
        let fixture = Fixture::new("walk")
            .file("src/lib.rs", "")
            .file("src/deep/er/a.rs", "")
            .file("notes.txt", "")
            .file("Cargo.toml", "")
            .file("target/debug/made.rs", "")
            .file(".git/hook.rs", "");
        let tree = Tree::walk(fixture.path()).unwrap();

        let found: Vec<_> = tree.sources().map(|file| tree.relative(&file.path).to_owned()).collect();
        assert_eq!(found, [PathBuf::from("src/lib.rs"), PathBuf::from("src/deep/er/a.rs")]);
        assert_eq!(tree.dir_ids().count(), 4, "root, src, deep, er");
        assert!(tree.dir(tree.root()).manifest.is_some());
        assert_eq!(tree.unreadable(), []);
    }

    #[test]
    fn a_missing_root_is_an_error() {
        assert!(Tree::walk(Path::new("/nowhere/at/all")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let fixture = Fixture::new("links").file("a.rs", "");
        std::os::unix::fs::symlink(fixture.path(), fixture.path().join("loop")).unwrap();
        std::os::unix::fs::symlink(fixture.path().join("a.rs"), fixture.path().join("b.rs")).unwrap();
        assert_eq!(Tree::walk(fixture.path()).unwrap().sources().count(), 1);
    }
}
