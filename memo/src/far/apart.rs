//! Whether different keys become different bytes.
//!
//! An engine knows a key by a digest of what serde writes of it. Where that leaves out something that `Eq` sees, such as a
//! field with `#[serde(skip)]`, two keys are one entry, and a call would be answered with the result of another. Equal
//! keys have equal hashes; so one digest that was met with two hashes is two keys. Once that has been seen, the function
//! does without its engines.

use std::any::type_name;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Far, Key, first};
use crate::per_process::PerProcess;

/// How many keys are remembered, each in a place by its digest: a later one takes the place.
const PLACES: usize = 2048;

/// Half of the digest of a key, and its hash.
type Met = ([u8; 16], u64);

/// The keys that a function has asked its engines for.
#[derive(Default)]
pub(super) struct Apart {
    /// Empty until the first. A forked child begins anew: another thread of its parent may have held the lock.
    met: PerProcess<Mutex<Vec<Option<Met>>>>,
    /// Two keys were one.
    mixed: AtomicBool,
    /// And what is near has not been dropped since.
    suspect: AtomicBool,
}

impl Apart {
    /// Remembers a key; `false` if another one had its digest.
    fn meet(&self, digest: &[u8; 32], hash: u64) -> bool {
        let half = first(digest);
        let mut met = self.met.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if met.is_empty() {
            met.resize(PLACES, None);
        }
        let place = &mut met[usize::from(u16::from_le_bytes([half[0], half[1]])) % PLACES];
        let apart = place.is_none_or(|(other, its)| other != half || its == hash);
        *place = Some((half, hash));
        apart
    }
}

impl<K, V: 'static> Far<K, V> {
    /// The key in the engines of one with this hash; `None` if it has none, or once two keys have had the same.
    pub(crate) fn key_of(&self, key: &K, hash: u64) -> Option<Key> {
        if self.is_mixed() {
            return None;
        }
        let found = self.key(key)?;
        if self.apart.meet(&found.digest, hash) {
            return Some(found);
        }
        self.apart.suspect.store(true, Ordering::Relaxed);
        if !self.apart.mixed.swap(true, Ordering::Relaxed) {
            crate::warn::warn(&format!(
                "`{}`: two keys that are not equal are written as the same bytes, so its results are kept in memory only, and \
                 those in its engines are dropped; its key is of the type `{}`: write all that its `Eq` compares \
                 (`#[serde(skip)]` leaves a field out), or say `key = ..`",
                self.name,
                type_name::<K>(),
            ));
            // whose they are nobody knows
            self.abandon();
        }
        None
    }

    /// Whether two keys were found to be one for the engines.
    pub(super) fn is_mixed(&self) -> bool {
        self.apart.mixed.load(Ordering::Relaxed)
    }

    /// Whether what came from the engines before may be another key's; says so once.
    pub(crate) fn is_suspect(&self) -> bool {
        self.apart.suspect.load(Ordering::Relaxed) && self.apart.suspect.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_with_another_hash_is_another_key() {
        let apart = Apart::default();
        let digest = |n: u8| [n; 32];
        for n in 0..=255 {
            assert!(apart.meet(&digest(n), u64::from(n)), "{n} is new");
        }
        assert!(apart.meet(&digest(7), 7), "the same again");
        assert!(!apart.meet(&digest(7), 8));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let apart = Apart::default();
        for n in 0..10_000_u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_le_bytes());
            assert!(apart.meet(&digest, n));
        }
        assert_eq!(apart.met.get(Mutex::default).lock().unwrap().len(), PLACES);
    }
}
