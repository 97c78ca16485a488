//! Whether anything is asked of calls: the one counter that a hit reads. Whoever may ask something of a call (a directive, a
//! scope, a listener) raises it for as long as it lives.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many directives are pending, scopes are alive, and listeners want to be told, in the whole process.
static PENDING: AtomicUsize = AtomicUsize::new(0);

/// While one lives, calls look up what is asked of them.
#[derive(Debug)]
pub(crate) struct Pending(());

impl Pending {
    pub(crate) fn new() -> Self {
        Pending::begin();
        Pending(())
    }

    /// Has calls look from now on, until [`end`](Pending::end).
    pub(crate) fn begin() {
        PENDING.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what [`begin`](Pending::begin) has begun.
    pub(crate) fn end() {
        PENDING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        Pending::end();
    }
}

/// Whether anything may be asked of a call.
#[inline(always)]
pub(crate) fn pending() -> bool {
    PENDING.load(Ordering::Relaxed) != 0
}
