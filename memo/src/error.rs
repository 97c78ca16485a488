//! The one error of the public API.

use std::fmt;

/// Why a control operation did not reach every tier of a function.
///
/// Calls of memoized functions never give it: there, a cache that fails is a miss. It is what
/// `insert`, `invalidate` and `clear` answer, for which a silent failure would be a wrong answer later.
///
/// ```
/// #[memo::memoize]
/// fn load(id: u32) -> Result<u32, String> {
///     Ok(id)
/// }
///
/// let error = load::insert(1, Err("gone".to_owned())).unwrap_err();
/// assert_eq!(error.kind(), memo::ErrorKind::NotStorable);
/// assert!(!error.is_temporary());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    context: String,
}

/// What kind of error it is, to be matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The value is one that the function's settings do not store: an `Err` without `cache_err`, a `None` with
    /// `cache_none = false`, a lifetime of zero, a weight over the bound, or `cache_if` said no. Nothing was stored.
    NotStorable,
    /// An engine failed: not every tier was reached.
    Engine,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Error { kind, context: context.into() }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same operation may succeed when it is tried again unchanged.
    pub fn is_temporary(&self) -> bool {
        match self.kind {
            ErrorKind::NotStorable => false,
            ErrorKind::Engine => true,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::Engine => f.write_str(&self.context),
            ErrorKind::NotStorable => write!(f, "the settings of `{}` do not store this value", self.context),
        }
    }
}

impl std::error::Error for Error {}
