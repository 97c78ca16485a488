//! What may be done in a directory.

/// What may be done in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::disk) enum Access {
    Write,
    /// This process may only read. Others may write.
    Read,
    /// The file system is mounted read-only. Nobody writes.
    Frozen,
}

impl Access {
    /// Why nothing can be written, and what to do about it.
    pub(in crate::disk) fn problem(self) -> Option<&'static str> {
        match self {
            Self::Write => None,
            Self::Read => Some("this user may only read there; chown it, or set another path"),
            Self::Frozen => Some("its file system is mounted read-only; set another path to keep more"),
        }
    }
}
