//! The errors that the guard itself makes.

use crate::error::{Error, ErrorKind};

/// The engine panicked.
pub(super) fn panicked() -> Error {
    Error::new(ErrorKind::Other, "call the engine: it panicked")
}

/// The call took longer than its budget.
pub(super) fn late() -> Error {
    Error::new(ErrorKind::Timeout, "call the engine: its time budget is over")
}

/// The call was not made.
pub(super) fn refused() -> Error {
    Error::new(ErrorKind::Unavailable, "call the engine: it failed, and its circuit is open")
}
