//! Small trees of files for the tests.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

/// A directory of its own, removed when dropped.
pub(crate) struct Fixture(PathBuf);

impl Fixture {
    pub(crate) fn new(name: &str) -> Self {
        let dir = env::temp_dir().join(format!("rust-stats-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
