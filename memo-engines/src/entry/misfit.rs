//! Why an entry is not used.

use std::fmt;

/// Why an entry is not used, in the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misfit {
    /// It is shorter than a label.
    Truncated,
    /// It does not end as an entry does: it is something else, or its end is missing.
    Magic,
    /// It has another version of the format.
    Version,
    /// It does not have the length that it says: it was cut, or spliced from two entries.
    Length,
    /// Its bytes differ from those that were written.
    Checksum,
    /// It uses a feature of the format that this reader does not know.
    Flags,
    /// It belongs to another key.
    Key,
    /// It belongs to another function, or to another version of this one.
    Identity,
    /// The type of the result has changed.
    Fingerprint,
    /// It was encoded in another way.
    Codec,
    /// It was made further ahead of the reader's clock than [`FUTURE_TOLERANCE`](super::FUTURE_TOLERANCE).
    FromTheFuture,
    /// It has expired.
    Expired,
}

impl Misfit {
    /// A name for counters and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Magic => "magic",
            Self::Version => "version",
            Self::Length => "length",
            Self::Checksum => "checksum",
            Self::Flags => "flags",
            Self::Key => "key",
            Self::Identity => "identity",
            Self::Fingerprint => "fingerprint",
            Self::Codec => "codec",
            Self::FromTheFuture => "from the future",
            Self::Expired => "expired",
        }
    }

    /// Whether the entry itself is damaged. Damage is worth a line in a log; everything else is ordinary in
    /// a cache.
    pub const fn is_damage(self) -> bool {
        matches!(self, Self::Truncated | Self::Magic | Self::Length | Self::Checksum)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
