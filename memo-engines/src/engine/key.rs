//! The keys of entries.

use std::fmt;

/// A group of keys: those of one function in one namespace. [`clear`](crate::Engine::clear) removes the
/// entries of one space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub [u8; 16]);

/// The key of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The space of the key.
    pub space: Space,
    /// The digest of everything that distinguishes this key from others, its space included. Two keys with
    /// the same digest are the same key.
    pub digest: [u8; 32],
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/", self.space)?;
        hex(f, &self.digest)
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
