//! Errors of calls whose body has no result: because it took too long.

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

/// Why a call has no result of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The body took too long.
    TimedOut,
}
