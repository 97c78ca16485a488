//! How a function spares what it asks.

use std::time::Duration;

use memo_text::Rate;

/// How a function spares what it asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sparing {
    /// After how long a computation is given up; [`WITHOUT_END`](super::WITHOUT_END) if a configuration has lifted it. None if
    /// the author does not say: then there is no error for it.
    pub(crate) timeout: Option<Duration>,
    /// How many computations there are at once in this process, at most.
    pub(crate) at_once: Option<u64>,
    /// How often it computes in this process, at most.
    pub(crate) limit: Option<Rate>,
    /// Whether a call over a limit gets an error, and does not wait for its turn.
    pub(crate) turns_away: bool,
}
