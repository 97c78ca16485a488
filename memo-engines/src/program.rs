//! The name of this program, and its place. Engines keep the results of programs apart by them, unless they
//! are told which results to share.
//!
//! A program has the name of its executable, on each machine. Many projects have a `cli` or an `xtask`, so
//! on one machine its place counts too: the directory of the executable or, if cargo built it, the target
//! directory. Builds of one program for debugging, for release and for tests are one program there.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The file that marks a target directory of cargo.
const MARK: &str = "CACHEDIR.TAG";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Made of letters, digits, `.`, `_` and `-`.
    pub(crate) name: String,
    /// Its place.
    #[cfg_attr(not(feature = "disk"), allow(dead_code, reason = "other engines serve many machines"))]
    pub(crate) home: PathBuf,
}

impl Program {
    /// This program.
    pub(crate) fn this() -> &'static Self {
        static THIS: LazyLock<Program> = LazyLock::new(|| {
            // if the system does not say, the name by which it was called has to do
            let path = std::env::current_exe().ok().or_else(|| std::env::args_os().next().map(PathBuf::from));
            Program::at(&path.unwrap_or_default(), |directory| directory.join(MARK).is_file())
        });
        &THIS
    }

    /// The program whose executable is at `path`. `is_target` recognizes target directories of cargo.
    fn at(path: &Path, is_target: impl Fn(&Path) -> bool) -> Self {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        // the system appends this when the file has been replaced since
        let file = file.trim_end_matches(" (deleted)");
        let stem = file.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(file);
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let name: String = without_hash(stem).chars().map(plain).take(64).collect();
        let directory = path.parent().unwrap_or(Path::new(""));
        let home = directory.ancestors().find(|ancestor| is_target(ancestor)).unwrap_or(directory);
        Program { name: if name.is_empty() { "program".to_owned() } else { name }, home: home.to_owned() }
    }
}

/// The name without the hash that cargo appends to tests and examples: `-` and 16 hexadecimal digits.
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
