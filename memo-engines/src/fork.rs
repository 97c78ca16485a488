//! Which process this is, where one is forked from another. A forked child has a copy of all memory, and of all threads
//! only the one that forked.

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many forks lie between the first process and this one, counted from 1.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Tells this process from the one that it was forked from.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Has forks noticed from now on.
#[cfg(unix)]
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    extern "C" fn forked() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    WATCHED.call_once(|| {
        // SAFETY: the handler does nothing but count. Where the system refuses, forks go unnoticed.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
}

/// Elsewhere nothing forks.
#[cfg(not(unix))]
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {});
}
