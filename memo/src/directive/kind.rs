//! How a call can be asked to behave.

/// What a call does beside computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Neither reads nor writes.
    Bypass,
    /// Does not read, and replaces what is stored.
    Refresh,
    /// Reads, and does not write.
    ReadOnly,
}
