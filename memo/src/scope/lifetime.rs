//! How a scope, or a test, says how long something lives.

use std::time::Duration;

/// What can say how long something lives: a [`Duration`], or text such as `"1h30m"`.
#[diagnostic::on_unimplemented(
    message = "a lifetime is a `Duration`, or text such as \"1h30m\", not `{Self}`",
    label = "expected `Duration` or `&str`"
)]
pub trait IntoLifetime {
    /// How long.
    ///
    /// # Panics
    ///
    /// If the text is no duration.
    #[track_caller]
    fn into_lifetime(self) -> Duration;
}

impl IntoLifetime for Duration {
    fn into_lifetime(self) -> Duration {
        self
    }
}

impl IntoLifetime for &str {
    #[track_caller]
    fn into_lifetime(self) -> Duration {
        match memo_text::duration(self) {
            Ok(duration) => duration,
            // not from a closure, which would not know the caller
            Err(wrong) => panic!("memo: {wrong}"),
        }
    }
}
