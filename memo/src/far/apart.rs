//! Whether different keys become different bytes.
//!
//! An engine knows a key by a digest of what serde writes of it. Where that leaves out something that `Eq` sees, such as a
//! field with `#[serde(skip)]`, two keys are one entry, and a call would be answered with the result of another. Equal
//! keys have equal hashes; so one digest that was met with two hashes is two keys. Once that has been seen, the function
//! does without its engines.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::digest::first;
use crate::per_process::PerProcess;

/// How many keys are remembered. Each has a slot, found by its digest, which a later key may take.
const SLOTS: usize = 2048;

/// Half of the digest of a key, and its hash.
type Met = ([u8; 16], u64);

/// The keys that a function has asked its engines for.
#[derive(Default)]
pub(super) struct Apart {
    /// Empty until the first key. A forked child begins anew: another thread of its parent may have held the lock.
    met: PerProcess<Mutex<Vec<Option<Met>>>>,
    /// Two keys were found to be one.
    mixed: AtomicBool,
    /// Set with `mixed`, until what memory holds has been dropped.
    suspect: AtomicBool,
}

impl Apart {
    /// Remembers a key; `false` if another one had its digest.
    pub(super) fn meet(&self, digest: &[u8; 32], hash: u64) -> bool {
        let half = first(digest);
        let mut met = self.met.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if met.is_empty() {
            met.resize(SLOTS, None);
        }
        let slot = &mut met[usize::from(u16::from_le_bytes([half[0], half[1]])) % SLOTS];
        let apart = slot.is_none_or(|(other, its)| other != half || its == hash);
        *slot = Some((half, hash));
        apart
    }

    /// Notes that two keys are one. Gives whether that is new.
    pub(super) fn mix(&self) -> bool {
        self.suspect.store(true, Ordering::Relaxed);
        !self.mixed.swap(true, Ordering::Relaxed)
    }

    /// Whether two keys were found to be one.
    pub(super) fn is_mixed(&self) -> bool {
        self.mixed.load(Ordering::Relaxed)
    }

    /// Whether results that came from the engines may be another key's. True once.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed) && self.suspect.swap(false, Ordering::Relaxed)
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
        assert_eq!(apart.met.get(Mutex::default).lock().unwrap().len(), SLOTS);
    }
}
