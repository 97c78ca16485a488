//! A cache of small entries that a connection has read. It holds for as long as nobody writes.
//!
//! Between two commits, a connection that reads a row twice reads the same twice. SQLite has the row's page
//! in memory then. Still, finding the row in the page and taking it apart is half of the cost of a memoized
//! call. So the entry is kept together with the header of SQLite's WAL index, which every commit of every
//! process changes (see [`reader`](crate::disk::reader)). It is used again while the header is the same.

use std::collections::HashMap;

use super::found::{Content, Found};
use crate::disk::wal_index::Header;
use crate::engine::Key;

/// The largest entry that is kept, in bytes. For a larger one, taking the row apart costs little beside the
/// copy.
const LARGEST: usize = 4 << 10;
/// How many bytes are kept.
const MOST: usize = 4 << 20;
/// How many bytes an entry takes beside its own, approximately.
const OVERHEAD: usize = 192;

#[derive(Default)]
pub(in crate::disk) struct RowCache {
    /// The header under which the entries were read.
    header: Option<Header>,
    found: HashMap<[u8; 32], Found>,
    bytes: usize,
}

impl RowCache {
    /// Sets the header. Entries that were read under another one are dropped.
    pub(in crate::disk) fn use_header(&mut self, header: Header) {
        if self.header != Some(header) {
            self.clear();
            self.header = Some(header);
        }
    }

    pub(in crate::disk) fn get(&self, key: &Key) -> Option<Found> {
        self.found.get(&key.digest).cloned()
    }

    /// Keeps an entry, if there is room.
    pub(in crate::disk) fn insert(&mut self, key: &Key, found: &Found) {
        let Content::Here(bytes) = &found.content else { return };
        let size = bytes.len() + OVERHEAD;
        if bytes.len() <= LARGEST && self.bytes + size <= MOST {
            self.bytes += size;
            self.found.insert(key.digest, found.clone());
        }
    }

    /// Drops all entries if the cache is full: what is read now may differ from what was read at first.
    pub(in crate::disk) fn make_room(&mut self) {
        if self.bytes + OVERHEAD + LARGEST > MOST {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.found.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Space;

    fn key(number: u32) -> Key {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&number.to_le_bytes());
        Key { space: Space([1; 16]), digest }
    }

    fn found(len: usize) -> Found {
        let content = Content::Here(vec![1; len].into());
        Found { row: 1, seq: 1, expires: None, used: 1, size: len as u64, content }
    }

    #[test]
    fn what_was_read_before_a_commit_is_not_given_out_after_it() {
        let mut cache = RowCache::default();
        cache.use_header([1; 12]);
        cache.insert(&key(1), &found(10));
        cache.use_header([1; 12]);
        assert!(cache.get(&key(1)).is_some());
        assert!(cache.get(&key(2)).is_none());
        cache.use_header([2; 12]);
        assert!(cache.get(&key(1)).is_none());
    }

    #[test]
    fn it_is_bounded_and_begins_anew_when_it_is_full() {
        let mut cache = RowCache::default();
        cache.use_header([1; 12]);
        cache.insert(&key(0), &found(LARGEST + 1));
        assert!(cache.get(&key(0)).is_none(), "too large");
        (0..10_000).for_each(|number| cache.insert(&key(number), &found(1000)));
        let kept = cache.found.len();
        assert!((3000..MOST / 1000).contains(&kept), "{kept}");
        cache.make_room();
        assert!(cache.get(&key(1)).is_none());
        cache.insert(&key(1), &found(1000));
        cache.make_room();
        assert!(cache.get(&key(1)).is_some(), "there is room for more");
    }
}
