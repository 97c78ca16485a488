//! The errors of a guard itself.

use crate::error::{Error, ErrorKind};

/// What an engine's panic becomes.
pub(super) fn panicked() -> Error {
    Error::new(ErrorKind::Other, "call the engine: it panicked")
}

/// What a call becomes that took longer than it may.
pub(super) fn late() -> Error {
    Error::new(ErrorKind::Timeout, "call the engine: its time budget is over")
}

/// What a call becomes that is not made.
pub(super) fn refused() -> Error {
    Error::new(ErrorKind::Unavailable, "call the engine: it failed, and its circuit is open")
}
