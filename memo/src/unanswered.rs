//! Errors of calls whose body has no result: it took too long, or was not to run.

use std::fmt;

/// The error of a call whose computation was given up after the function's `timeout`.
///
/// A function with the option `timeout` returns a `Result` whose error is `From<TimedOut>`.
///
/// ```
/// use std::time::Duration;
///
/// #[derive(Debug, Clone, PartialEq)]
/// enum Error {
///     TooSlow,
/// }
///
/// impl From<memo::TimedOut> for Error {
///     fn from(_: memo::TimedOut) -> Self {
///         Error::TooSlow
///     }
/// }
///
/// #[memo::memoize(timeout = "20ms")]
/// async fn load(id: u64) -> Result<u64, Error> {
///     std::future::pending::<()>().await;
///     Ok(id)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(load(1).await, Err(Error::TooSlow));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the computation was given up, since it took too long")
    }
}

impl std::error::Error for TimedOut {}

/// The error of a call that was over a limit of its function, and was not to wait for its turn.
///
/// A function with the option `limit_wait = "none"` returns a `Result` whose error is `From<Limited>`.
///
/// ```
/// use memo::Limited;
///
/// #[derive(Debug, Clone, PartialEq)]
/// struct Busy;
///
/// impl From<Limited> for Busy {
///     fn from(_: Limited) -> Self {
///         Busy
///     }
/// }
///
/// #[memo::memoize(at_once = 1, limit_wait = "none")]
/// fn load(id: u64) -> Result<u64, Busy> {
///     // another thread that asks for another key meanwhile is turned away
///     let other = std::thread::spawn(move || if id == 0 { Ok(0) } else { load(id - 1) });
///     other.join().unwrap().map(|other| other + id)
/// }
///
/// assert_eq!(load(0), Ok(0));
/// assert_eq!(load(1), Ok(1));
/// assert_eq!(load(3), Err(Busy));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limited;

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was computed, since that would have been over a limit of the function")
    }
}

impl std::error::Error for Limited {}

/// Why a call has no result of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The body took too long.
    TimedOut,
    /// The body would have been over a limit.
    Limited,
}
