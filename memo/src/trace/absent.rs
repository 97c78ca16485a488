//! Without the feature `tracing`: nobody subscribes.

use std::future::Future;

use crate::event::kind::Event;

pub(crate) fn register() {}

pub(crate) fn hears_calls() -> bool {
    false
}

pub(crate) fn shows_keys() -> bool {
    false
}

pub(crate) fn may_hear() -> bool {
    false
}

/// Nobody is shown any.
#[cfg(feature = "config")]
pub(crate) fn are_shown() -> bool {
    false
}

pub(crate) fn tell(_: &Event<'_>, _: Option<&str>) {}

/// Never takes the line, which goes to the standard error.
pub(crate) fn warn(_: Option<&str>, _: &str) -> bool {
    false
}

/// Never takes the line, which goes to the standard error.
#[cfg(feature = "config")]
pub(crate) fn error(_: &str) -> bool {
    false
}

/// The span that a computation runs in: there is none.
pub(crate) struct Span;

/// While it lives, a computation runs.
pub(crate) use Span as EnteredSpan;

impl Span {
    pub(crate) fn of(_: &str, _: impl FnOnce() -> Option<String>) -> Self {
        Span
    }

    pub(crate) fn of_renewal(_: &str, _: Option<&str>) -> Self {
        Span
    }

    pub(crate) fn enter(self) -> Self {
        self
    }

    pub(crate) fn around<B: Future>(self, body: B) -> B {
        body
    }
}
