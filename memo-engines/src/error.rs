//! The errors of engines: a kind to match on, whether a retry helps, and a message.

use std::{error, fmt, io};

/// The kind of an engine's failure. It says what the caller may conclude, not where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The engine cannot be reached or was not built: the server is away, or the directory is missing or
    /// must not be used. The next engine of a chain takes over.
    Unavailable,
    /// The store is damaged beyond one entry. (One damaged entry is a miss, not an error.)
    Corrupt,
    /// There is no room: the disk or the queue is full, or the server is over its memory.
    Full,
    /// This entry is larger than the engine takes; others may fit.
    TooLarge,
    /// The time budget of the call ran out.
    Timeout,
    /// The engine does not do this, and its [`Capability`](crate::Capability) says so.
    Unsupported,
    /// The operating system or the network reported another failure.
    Io,
    /// Anything else.
    Other,
}

impl ErrorKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Full => "full",
            Self::TooLarge => "too large",
            Self::Timeout => "timed out",
            Self::Unsupported => "unsupported",
            Self::Io => "i/o",
            Self::Other => "failed",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The failure of an engine. It never reaches the caller of a memoized function: it is counted as a miss.
///
/// Its text reads well after "failed to". Its cause is its [`source`](error::Error::source).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: bool,
    this_call: bool,
    engine: String,
    context: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind. `context` says what was attempted, as a fragment: `"open the index"`.
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: false,
            this_call: false,
            engine: String::new(),
            context: context.into(),
            source: None,
        }))
    }

    /// The error of an engine that does not support `what`.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// An error of the operating system. Its kind is told from it: no space is [`ErrorKind::Full`], a
    /// refusal is [`ErrorKind::Unavailable`], a deadline is [`ErrorKind::Timeout`].
    pub fn io(context: impl Into<String>, source: io::Error) -> Self {
        use io::ErrorKind as Os;
        let kind = match source.kind() {
            Os::StorageFull | Os::QuotaExceeded => ErrorKind::Full,
            Os::FileTooLarge => ErrorKind::TooLarge,
            Os::TimedOut => ErrorKind::Timeout,
            Os::NotFound
            | Os::PermissionDenied
            | Os::ReadOnlyFilesystem
            | Os::NotADirectory
            | Os::ConnectionRefused
            | Os::ConnectionReset
            | Os::ConnectionAborted
            | Os::NotConnected => ErrorKind::Unavailable,
            _ => ErrorKind::Io,
        };
        let retry = matches!(source.kind(), Os::Interrupted | Os::WouldBlock | Os::ConnectionReset);
        Self::new(kind, context).retry(retry).caused_by(source)
    }

    /// Sets the name of the engine that failed.
    #[must_use]
    pub fn of(mut self, engine: &str) -> Self {
        self.0.engine = engine.to_owned();
        self
    }

    /// Sets whether the same call may succeed if it is made again at once.
    #[must_use]
    pub fn retry(mut self, helps: bool) -> Self {
        self.0.retry = helps;
        self
    }

    /// Marks the error as one that says nothing about other calls, so that the circuit stays closed: a
    /// server that is over its memory takes no entries, but returns what it has.
    #[must_use]
    pub fn of_this_call(mut self) -> Self {
        self.0.this_call = true;
        self
    }

    /// Sets the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// A copy of the error, for another caller that waited for the same thing. The copy has its cause as
    /// text.
    #[cfg(any(feature = "disk", feature = "redis"))]
    pub(crate) fn copied(&self) -> Self {
        let Inner { kind, retry, this_call, engine, context, source } = &*self.0;
        let copy = Self::new(*kind, context).retry(*retry).of(engine);
        let copy = if *this_call { copy.of_this_call() } else { copy };
        match source {
            Some(source) => copy.caused_by(source.to_string()),
            None => copy,
        }
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed if it is made again at once. If an engine is away, a retry does
    /// not help: it needs time, which the circuit breaker gives it.
    pub fn retry_helps(&self) -> bool {
        self.0.retry
    }

    /// The name of the engine that failed. Empty if it was not set.
    pub fn engine(&self) -> &str {
        &self.0.engine
    }

    /// Whether the engine itself fails, rather than this one call. A circuit breaker counts these errors.
    pub fn is_engine_failure(&self) -> bool {
        !self.0.this_call && !matches!(self.kind(), ErrorKind::TooLarge | ErrorKind::Unsupported)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, engine, context, .. } = &*self.0;
        if engine.is_empty() {
            write!(f, "{context} ({kind})")
        } else {
            write!(f, "{context} ({engine}: {kind})")
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, retry, this_call, engine, context, source } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("retry", retry)
            .field("this_call", this_call)
            .field("engine", engine)
            .field("context", context)
            .field("source", source)
            .finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_well_after_failed_to() {
        let error = Error::io("open the index", io::Error::from(io::ErrorKind::StorageFull)).of("disk");
        assert_eq!(format!("failed to {error}"), "failed to open the index (disk: full)");
        assert_eq!(error.kind(), ErrorKind::Full);
        assert!(error::Error::source(&error).is_some());
    }

    #[test]
    fn one_entry_that_is_too_large_says_nothing_about_the_engine() {
        assert!(!Error::new(ErrorKind::TooLarge, "store 3 GiB").is_engine_failure());
        assert!(Error::new(ErrorKind::Timeout, "read").is_engine_failure());
        assert!(!Error::new(ErrorKind::Full, "store").of_this_call().is_engine_failure());
    }
}
