//! Why a value is not right.

use crate::config::value::Given;

/// Why a value is not right.
pub(super) enum Wrong {
    /// It is something else than what is expected.
    Unfit(Given),
    /// It is what is expected, but for this.
    Because(String),
    /// It is not what is meant, or what to write instead.
    Message(String),
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Wrong::Message(message)
    }
}

/// A message as an error.
pub(super) fn wrong<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Message(message.into()))
}
