//! Isolation: caches that nobody else sees.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The caches of one function.
pub(super) trait Caches: Send + Sync {
    /// Gives back those of the isolation `realm`.
    fn leave(&self, realm: u64);
}

/// One isolation: see [`isolated`](super::Scope::isolated). When it is dropped, its caches are given back.
pub(crate) struct Realm {
    /// Never 0, which stands for what is not isolated.
    pub(super) id: u64,
    /// Tells it from the isolations of other processes, in engines that they share.
    pub(super) token: [u8; 16],
    /// The caches of every function that has one in it.
    caches: Mutex<Vec<&'static dyn Caches>>,
}

impl Realm {
    pub(super) fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut token = [0; 16];
        // each `RandomState` is keyed anew from the system's random numbers
        token[..8].copy_from_slice(&RandomState::new().hash_one(id).to_le_bytes());
        token[8..].copy_from_slice(&RandomState::new().hash_one((id, std::process::id())).to_le_bytes());
        Arc::new(Realm { id, token, caches: Mutex::new(Vec::new()) })
    }

    /// Takes note of a function that has a cache in it.
    pub(super) fn used_by(&self, function: &'static dyn Caches) {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        if !caches.iter().any(|known| std::ptr::addr_eq(*known, function)) {
            caches.push(function);
        }
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let caches = std::mem::take(self.caches.get_mut().unwrap_or_else(PoisonError::into_inner));
        caches.into_iter().for_each(|function| function.leave(self.id));
    }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm").field("id", &self.id).finish_non_exhaustive()
    }
}
