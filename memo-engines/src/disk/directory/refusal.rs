//! Why something is not used.

use std::io;

use crate::disk::failure::{self, failure};
use crate::error::{Error, ErrorKind};

/// Why something is not used.
pub(super) enum Refusal {
    Io(io::Error),
    Because(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(unix)]
impl From<rustix::io::Errno> for Refusal {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

impl Refusal {
    /// The error of a call. `open` says what was attempted when the system refused. `used` is what people
    /// know the file by.
    pub(super) fn error(self, open: impl Into<String>, used: &str) -> Error {
        match self {
            Self::Io(error) => failure::io(open, error),
            Self::Because(problem) => failure(ErrorKind::Unavailable, format!("use {used}: {problem}")),
        }
    }
}
