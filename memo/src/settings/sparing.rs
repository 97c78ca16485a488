//! How a function spares what it asks.

use std::time::Duration;

/// How a function spares what it asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sparing {
    /// After how long a computation is given up; [`WITHOUT_END`](super::WITHOUT_END) if a configuration has lifted it. None if
    /// the author does not say: then there is no error for it.
    pub(crate) timeout: Option<Duration>,
}
