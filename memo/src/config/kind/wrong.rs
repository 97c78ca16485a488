//! Why a value is not right.

use crate::config::value::Given;

/// Why a value is not right.
pub(super) enum Wrong {
    /// It is not of the form that is expected.
    Unfit(Given),
    /// It is of that form, but for this.
    Because(String),
    /// A message that says it all.
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
