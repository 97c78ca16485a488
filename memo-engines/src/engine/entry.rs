//! What an engine stores under a key.

use super::bytes::Bytes;

/// What an engine stores under a key: bytes that it does not interpret, and when they expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stored entry, as [`Label::seal`](crate::entry::Label::seal) makes it. Whoever reads it checks
    /// it. So an engine need not detect flipped bits; it must only not mix up keys.
    pub bytes: Bytes,
    /// When the entry expires: the first moment at which it must not be returned, in milliseconds since
    /// 1970 UTC. `None`: it stays until it is removed or evicted.
    pub expires: Option<u64>,
}

impl Entry {
    /// An entry that does not expire.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), expires: None }
    }

    /// Sets when it expires, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn expires_at(mut self, expires: u64) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Whether it has expired at `now`, in milliseconds since 1970 UTC.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_expired_from_its_last_moment_on() {
        let entry = Entry::new(vec![1]).expires_at(100);
        assert!(!entry.is_expired(99));
        assert!(entry.is_expired(100));
        assert!(!Entry::new(vec![1]).is_expired(u64::MAX));
    }
}
