//! Isolation: caches that nobody else sees.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::memoized::Memoized;

/// What one [`isolated`](super::Scope::isolated) stands for. With it go its caches.
pub(crate) struct Realm {
    /// Never 0, which stands for what is not isolated.
    pub(super) id: u64,
    /// What tells it from those of other processes, in engines that they share.
    pub(super) token: [u8; 16],
    /// The functions that have a cache in it.
    records: Mutex<Vec<&'static dyn Memoized>>,
}

impl Realm {
    pub(super) fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut token = [0; 16];
        // keyed anew for each, from what the system gives
        token[..8].copy_from_slice(&RandomState::new().hash_one(id).to_le_bytes());
        token[8..].copy_from_slice(&RandomState::new().hash_one((id, std::process::id())).to_le_bytes());
        Arc::new(Realm { id, token, records: Mutex::new(Vec::new()) })
    }

    /// Takes note of a function that has a cache in it.
    pub(super) fn used_by(&self, record: &'static dyn Memoized) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if !records.iter().any(|known| std::ptr::addr_eq(*known, record)) {
            records.push(record);
        }
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let records = std::mem::take(self.records.get_mut().unwrap_or_else(PoisonError::into_inner));
        records.into_iter().for_each(|record| record.leave(self.id));
    }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm").field("id", &self.id).finish_non_exhaustive()
    }
}
