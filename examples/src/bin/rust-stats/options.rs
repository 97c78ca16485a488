//! The command line.

use std::{env, ffi::OsString, num::NonZeroUsize, path::PathBuf, thread};

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Counts what is in a tree of Rust sources, and what memoization saved in doing so.

Usage: rust-stats [OPTIONS] [DIR]

  DIR            where to begin; by default the sources of this workspace, or else the current directory

Options:
  --threads N    threads that parse and sum (default: one for each core)
  --top N        rows of the longer tables (default: 10)
  --engine E     where results are kept: memory (default), or disk too (in a program built with
                 the feature disk), for the next run
  --no-memo      compute every answer each time it is asked for
  --help         print this
";

/// The engines this program's functions can be told to use.
const ENGINES: &[&str] =
    if cfg!(feature = "disk") { &["auto", "memory", "disk"] } else { &["auto", "memory"] };

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) dir: PathBuf,
    pub(crate) threads: usize,
    pub(crate) top: usize,
    pub(crate) memo: bool,
    /// Whether what is parsed is kept on disk.
    pub(crate) disk: bool,
}

/// A command line: options, or the wish for help.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Run(Options),
    Help,
}

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// A sentence that says which argument is wrong.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut dir = None;
        let mut threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let (mut top, mut memo, mut disk) = (10, true, false);

        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--help" | "-h") => return Ok(Self::Help),
                Some("--no-memo") => memo = false,
                Some("--threads") => threads = positive("--threads", args.next())?,
                Some("--top") => top = positive("--top", args.next())?,
                Some("--engine") => disk = engine(args.next())? == "disk",
                Some(option) if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ if dir.is_none() => dir = Some(PathBuf::from(arg)),
                _ => return Err("more than one directory".to_owned()),
            }
        }
        Ok(Self::Run(Options { dir: dir.unwrap_or_else(default_dir), threads, top, memo, disk }))
    }
}

fn positive(option: &str, value: Option<OsString>) -> Result<usize, String> {
    let value = value.ok_or_else(|| format!("{option} needs a number"))?;
    let number: Option<NonZeroUsize> = value.to_str().and_then(|value| value.parse().ok());
    number.map(NonZeroUsize::get).ok_or_else(|| format!("{option} needs a number above zero"))
}

fn engine(value: Option<OsString>) -> Result<&'static str, String> {
    let value = value.ok_or("--engine needs a name")?;
    let known = ENGINES.iter().copied().find(|engine| value == *engine);
    known.ok_or_else(|| format!("there is no engine {}; there are {}", value.display(), ENGINES.join(", ")))
}

/// The workspace this program comes from when cargo runs it, the current directory otherwise.
fn default_dir() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let workspace = package.and_then(|package| package.parent().map(PathBuf::from));
    workspace.unwrap_or_else(|| PathBuf::from("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Command, String> {
        Command::parse(args.iter().map(OsString::from))
    }

    #[test]
    fn options_and_a_directory() {
        let expected = Options { dir: "src".into(), threads: 3, top: 5, memo: false, disk: false };
        let args = ["--threads", "3", "src", "--top", "5", "--engine", "memory", "--no-memo"];
        assert_eq!(parse(&args), Ok(Command::Run(expected)));
        assert_eq!(parse(&["-h", "--nonsense"]), Ok(Command::Help));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (args, part) in [
            (&["--threads"][..], "--threads needs a number"),
            (&["--top", "0"], "--top needs a number above zero"),
            (&["--frobnicate"], "unknown option --frobnicate"),
            (&["a", "b"], "more than one directory"),
            (&["--engine", "paper"], "no engine paper"),
        ] {
            assert!(parse(args).unwrap_err().contains(part), "{args:?}");
        }
    }
}
