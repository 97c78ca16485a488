//! Which program this is: what engines keep its results apart by where nobody has said which to share.
//!
//! The name of the executable is what a program is called, on each machine. Many projects have a `cli` or an `xtask`, so
//! on one machine it is told where it lies, too: in which directory, or, if cargo has built it, in which target
//! directory. Builds of one program for debugging, for release and for tests are one program there.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The file by which cargo marks its target directories.
const MARK: &str = "CACHEDIR.TAG";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Of letters, digits, and `.`, `_`, `-`.
    pub(crate) name: String,
    /// Where it lies.
    #[cfg_attr(not(feature = "disk"), allow(dead_code, reason = "other engines serve many machines"))]
    pub(crate) home: PathBuf,
}

impl Program {
    /// This one.
    pub(crate) fn this() -> &'static Self {
        static THIS: LazyLock<Program> = LazyLock::new(|| {
            // where the system does not say, the name by which it was called has to do
            let path = std::env::current_exe().ok().or_else(|| std::env::args_os().next().map(PathBuf::from));
            Program::at(&path.unwrap_or_default(), |directory| directory.join(MARK).is_file())
        });
        &THIS
    }

    /// The one whose executable is at `path`, where `is_target` tells cargo's target directories.
    fn at(path: &Path, is_target: impl Fn(&Path) -> bool) -> Self {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        // what the system appends when the file has been replaced since
        let file = file.trim_end_matches(" (deleted)");
        let stem = file.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(file);
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = without_hash(stem).chars().map(plain).take(64).collect();
        let directory = path.parent().unwrap_or(Path::new(""));
        let home = directory.ancestors().find(|ancestor| is_target(ancestor)).unwrap_or(directory);
        Program { name: if name.is_empty() { "program".to_owned() } else { name }, home: home.to_owned() }
    }
}

/// The name without what cargo appends to those of tests and examples: `-` and 16 hexadecimal digits.
fn without_hash(stem: &str) -> &str {
    match stem.rsplit_once('-') {
        Some((name, hash))
            if !name.is_empty()
                && hash.len() == 16
                && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
        {
            name
        }
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str) -> (String, String) {
        let is_target = |directory: &Path| directory.ends_with("target");
        let Program { name, home } = Program::at(Path::new(path), is_target);
        (name, home.to_string_lossy().into_owned())
    }

    #[test]
    fn a_program_is_its_name_and_where_it_lies() {
        let of = |name: &str, home: &str| (name.to_owned(), home.to_owned());
        assert_eq!(program("/usr/bin/cli"), of("cli", "/usr/bin"));
        assert_eq!(program("/usr/bin/cli (deleted)"), of("cli", "/usr/bin"));
        assert_eq!(program("/usr/bin/my cli-v1.2"), of("my_cli-v1.2", "/usr/bin"));
        assert_eq!(program("/usr/bin/a-0123456789abcdeg"), of("a-0123456789abcdeg", "/usr/bin"));
        assert_eq!(program(""), of("program", ""));
    }

    #[test]
    fn all_builds_of_a_program_are_one() {
        let here = ("cli".to_owned(), "/a/target".to_owned());
        for path in ["debug/cli", "release/cli", "x86_64-unknown-linux-gnu/debug/deps/cli-0123456789abcdef"] {
            assert_eq!(program(&format!("/a/target/{path}")), here);
        }
        assert_ne!(program("/b/target/debug/cli"), here);
    }
}
