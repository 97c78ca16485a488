//! How a scope, or a test, says how long something lives and when it is renewed.

use std::time::Duration;

use crate::settings::freshness::{Jitter, RefreshAhead};

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

/// What can say when a result is renewed before its end: a part of its lifetime, such as `0.8` or `"0.8"`; `"auto"` for by
/// chance; `"none"`.
#[diagnostic::on_unimplemented(
    message = "`refresh_ahead` takes a part of the lifetime such as 0.8, \"auto\" or \"none\", not `{Self}`",
    label = "expected `f64` or `&str`"
)]
pub trait IntoRefreshAhead {
    /// When, as it would be written in a configuration.
    fn into_written(self) -> String;
}

impl IntoRefreshAhead for f64 {
    fn into_written(self) -> String {
        self.to_string()
    }
}

impl IntoRefreshAhead for &str {
    fn into_written(self) -> String {
        self.to_owned()
    }
}

/// When a result is renewed before its end, as it is written in a configuration.
///
/// # Panics
///
/// If it is no part between 0 and 1, and neither "auto" nor "none".
#[track_caller]
pub(super) fn refresh_ahead(written: &str) -> RefreshAhead {
    match written {
        "auto" => RefreshAhead::Auto,
        "none" => RefreshAhead::From(1000),
        part => match memo_text::part(part) {
            Ok(part) => RefreshAhead::From(part),
            Err(wrong) => panic!("memo: {wrong}"),
        },
    }
}

/// By how much lifetimes may be shorter; `"none"` is not at all.
///
/// # Panics
///
/// If it is no percentage.
#[track_caller]
pub(super) fn jitter(most: &str) -> Jitter {
    match most {
        "none" => Jitter(0),
        most => match memo_text::percentage(most) {
            Ok(most) => Jitter(most),
            Err(wrong) => panic!("memo: {wrong}"),
        },
    }
}
