//! Whether a thread puts a value into a store just now: those who invalidate wait for that.

use crate::sync::thread_local;

thread_local! {
    /// How many stores this thread is in.
    static STORING: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Whether this thread puts a value into a store just now.
pub(crate) fn is_storing() -> bool {
    Storing::is_here()
}

/// While it lives, this thread puts a value into a store.
pub(super) struct Storing;

impl Storing {
    #[inline]
    pub(super) fn begin() -> Self {
        STORING.with(|storing| storing.set(storing.get() + 1));
        Storing
    }

    pub(super) fn is_here() -> bool {
        STORING.with(std::cell::Cell::get) > 0
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        STORING.with(|storing| storing.set(storing.get() - 1));
    }
}
