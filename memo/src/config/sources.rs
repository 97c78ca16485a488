//! Which file is read, and whether the environment counts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::said::Config;

/// The name of the file in a directory that is searched.
const NAME: &str = "memo.toml";

/// Which sources outside of the program are read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sources {
    /// The file, and whether it has to be there.
    pub(super) file: Option<(PathBuf, bool)>,
    pub(super) environment: bool,
}

impl Sources {
    /// By what a program says, what is in `MEMO_CONFIG`, and whether the process is [raised](super::raised).
    pub(super) fn of(code: &Config, variable: Option<OsString>, raised: bool) -> Self {
        let named = match (&code.file, variable.filter(|path| !path.is_empty())) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(path)) if !raised => Some(path.into()),
            (None, _) => None,
        };
        let searched = code.search.as_ref().map(|directory| (directory.join(NAME), false));
        let file = named.map(|path| (path, true)).or(searched);
        // whoever started the process chose where a relative path leads
        let file = file.filter(|(path, _)| !raised || path.is_absolute());
        Sources { file, environment: !raised }
    }

    /// Warns once of sources that somebody may expect to be read and that are not.
    pub(super) fn tell(&self, code: &Config) {
        let is_set = || std::env::vars_os().any(|(name, _)| name.as_encoded_bytes().starts_with(b"MEMO_"));
        if !self.environment {
            let ignored = self.file.is_none() && (code.file.is_some() || code.search.is_some());
            static SAID: AtomicBool = AtomicBool::new(false);
            if (ignored || is_set()) && !SAID.swap(true, Ordering::Relaxed) {
                crate::warn::warn(
                    "this program runs with rights that whoever started it lacks, as one that is setuid: variables \
                     MEMO_.. and files named by a relative path do not count; configure it by `memo::init`, with \
                     files by their absolute paths",
                );
            }
        } else if self.file.is_none() && Path::new(NAME).symlink_metadata().is_ok() {
            static SAID: AtomicBool = AtomicBool::new(false);
            if !SAID.swap(true, Ordering::Relaxed) {
                crate::warn::warn(
                    "`memo.toml` in the working directory is not read, since nobody asks for it: set \
                     MEMO_CONFIG=memo.toml, or call `memo::init(memo::Config::new().search(\".\"))`",
                );
            }
        }
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_that_somebody_names() {
        let of = |code: Config, variable: &str| Sources::of(&code, Some(variable.into()), false).file;
        let file = |path: &str, required| Some((PathBuf::from(path), required));
        assert_eq!(of(Config::new(), ""), None);
        assert_eq!(of(Config::new(), "set.toml"), file("set.toml", true));
        assert_eq!(of(Config::new().search("conf"), ""), file("conf/memo.toml", false));
        assert_eq!(of(Config::new().search("conf"), "set.toml"), file("set.toml", true));
        assert_eq!(of(Config::new().search("conf").file("said.toml"), "set.toml"), file("said.toml", true));
    }

    #[test]
    fn a_raised_process_goes_by_its_code_alone() {
        let of = |code: Config| Sources::of(&code, Some("/tmp/memo.toml".into()), true);
        for code in [Config::new(), Config::new().search("."), Config::new().file("memo.toml")] {
            assert_eq!(of(code), Sources { file: None, environment: false });
        }
        let file = Some((PathBuf::from("/etc/app.toml"), true));
        assert_eq!(of(Config::new().file("/etc/app.toml")), Sources { file, environment: false });
        let file = Some((PathBuf::from("/etc/memo.toml"), false));
        assert_eq!(of(Config::new().search("/etc")), Sources { file, environment: false });
    }
}
