//! The errors of the engine `disk`.

use crate::error::{Error, ErrorKind};

/// The engine's name.
pub(super) const NAME: &str = "disk";

/// An error of this engine.
pub(super) fn failure(kind: ErrorKind, context: impl Into<String>) -> Error {
    Error::new(kind, context).of(NAME)
}

/// An error of the operating system.
pub(super) fn io(context: impl Into<String>, error: std::io::Error) -> Error {
    Error::io(context, error).of(NAME)
}

/// An error of SQLite. Its code decides its kind.
pub(super) fn sqlite(context: &str, error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode as Code;
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let kind = match error.sqlite_error_code() {
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => ErrorKind::Corrupt,
        Some(Code::DiskFull) => ErrorKind::Full,
        Some(Code::TooBig) => ErrorKind::TooLarge,
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => ErrorKind::Timeout,
        Some(Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly | Code::NoLargeFileSupport) => {
            ErrorKind::Unavailable
        }
        // The file ends before it should.
        Some(Code::SystemIoFailure) if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHORT_READ) => {
            ErrorKind::Corrupt
        }
        Some(Code::SystemIoFailure) => ErrorKind::Io,
        // A row does not have its shape, or a table is missing. Only damage does that.
        None => ErrorKind::Corrupt,
        Some(Code::Unknown | Code::ConstraintViolation | Code::TypeMismatch) => ErrorKind::Corrupt,
        Some(_) => ErrorKind::Other,
    };
    Error::new(kind, context).retry(kind == ErrorKind::Timeout).of(NAME).caused_by(error)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn promise_18_each_failure_of_sqlite_is_told_by_its_kind() {
        for (code, kind, retry) in [
            (ffi::SQLITE_NOTADB, ErrorKind::Corrupt, false),
            (ffi::SQLITE_CORRUPT, ErrorKind::Corrupt, false),
            (ffi::SQLITE_CORRUPT_INDEX, ErrorKind::Corrupt, false),
            (ffi::SQLITE_IOERR_SHORT_READ, ErrorKind::Corrupt, false),
            (ffi::SQLITE_IOERR_READ, ErrorKind::Io, false),
            (ffi::SQLITE_IOERR_FSYNC, ErrorKind::Io, false),
            (ffi::SQLITE_FULL, ErrorKind::Full, false),
            (ffi::SQLITE_READONLY, ErrorKind::Unavailable, false),
            (ffi::SQLITE_READONLY_DBMOVED, ErrorKind::Unavailable, false),
            (ffi::SQLITE_CANTOPEN, ErrorKind::Unavailable, false),
            (ffi::SQLITE_PERM, ErrorKind::Unavailable, false),
            (ffi::SQLITE_BUSY, ErrorKind::Timeout, true),
            (ffi::SQLITE_BUSY_RECOVERY, ErrorKind::Timeout, true),
            (ffi::SQLITE_LOCKED, ErrorKind::Timeout, true),
            (ffi::SQLITE_TOOBIG, ErrorKind::TooLarge, false),
        ] {
            let error = sqlite("test", rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!((error.kind(), error.retry_helps()), (kind, retry), "code {code}");
        }
    }
}
