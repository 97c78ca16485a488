//! Why an entry is not used.

use std::fmt;

/// Why an entry is not used. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misfit {
    /// Shorter than a label.
    Truncated,
    /// It does not end as an entry does: something else, or the end is missing.
    Magic,
    /// Another version of the format.
    Version,
    /// It is not as long as it says: cut, or spliced from two.
    Length,
    /// Its bytes are not those that were written.
    Checksum,
    /// It uses a feature of the format that this reader does not know.
    Flags,
    /// Another key's.
    Key,
    /// Another function's, or another version of it.
    Identity,
    /// The type of the result has changed.
    Fingerprint,
    /// It was encoded in another way.
    Codec,
    /// It was written further ahead of this clock than [`FUTURE_TOLERANCE`](super::FUTURE_TOLERANCE).
    FromTheFuture,
    /// Its time is over.
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

    /// Whether the bytes themselves are damaged, rather than meant for someone or some time else. Damage is
    /// worth a word in a log; the others are the ordinary life of a cache.
    pub const fn is_damage(self) -> bool {
        matches!(self, Self::Truncated | Self::Magic | Self::Length | Self::Checksum)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
