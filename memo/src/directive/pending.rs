//! Whether anything is asked of calls: the one counter that a hit reads. Whoever may ask something of a call (a directive, a
//! scope, a listener) raises it for as long as it lives.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many directives are pending, scopes are alive, and listeners want to be told, in the whole process.
static PENDING: AtomicUsize = AtomicUsize::new(0);

/// While it lives, calls look what is asked of them.
#[derive(Debug)]
pub(crate) struct Pending(());

impl Pending {
    pub(crate) fn new() -> Self {
        Pending::begin();
        Pending(())
    }

    /// As if there were one from now on.
    pub(crate) fn begin() {
        PENDING.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what was [begun](Pending::begin).
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
