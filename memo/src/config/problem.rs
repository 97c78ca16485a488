//! What is wrong with a configuration, and where values come from.

use std::fmt;
use std::path::PathBuf;

use memo_text::nearest;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// The function's `#[memoize(..)]`.
    Attribute,
    /// A file.
    File {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// The program, by [`init`](crate::init).
    Code {
        /// The source file of the call.
        file: &'static str,
        /// The line of the call, or of the text that was given there.
        line: u32,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Attribute => f.write_str("attribute"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => f.write_str(name),
            Origin::Code { file, line } => write!(f, "{file}:{line}"),
        }
    }
}

/// One mistake in a configuration. It prints as `memo.toml:3: defaults.capcity: there is no such option; ..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(super) origin: Origin,
    pub(super) key: String,
    pub(super) message: String,
}

impl Problem {
    /// Where it is.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that it is about; empty where it is about a whole file.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong, and what to write.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            // of the file as a whole
            Origin::File { path, line: 0 } => write!(f, "{}: ", path.display())?,
            origin => write!(f, "{origin}: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A configuration that is wrong: all that is wrong with it, in the order of the sources. It prints one mistake a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(super) problems: Vec<Problem>,
}

impl ConfigError {
    /// The mistakes; there is at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// `there is no such section`, and what there is.
pub(super) fn unknown<'a>(what: &str, written: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(written, names.clone()) {
        Some(name) => format!("there is no such {what}; did you mean `{name}`?"),
        None => {
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            format!("there is no such {what}: there are {}", names.join(", "))
        }
    }
}
