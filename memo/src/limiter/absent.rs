//! Without the feature `limit`: no function has a limiter.

use memo_text::Rate;

/// There is none.
#[derive(Debug)]
pub(crate) enum Limiter {}

impl Limiter {
    /// A rate without the feature is refused where it is given.
    pub(crate) fn of(_function: usize, _rate: Rate) -> Option<&'static Self> {
        None
    }

    pub(crate) fn try_pass(&'static self, _flight: usize) -> bool {
        match *self {}
    }

    pub(crate) async fn pass(&'static self, _flight: usize, _within: Vec<usize>) {
        match *self {}
    }
}
