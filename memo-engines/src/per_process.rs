//! Values of which each process has its own: a forked child makes them anew, and leaves what its parent had as it is, since a
//! lock in it may be held for ever.
//!
//! `memo` and `memo-engines` each have this file, and a test sees to it that the two are the same.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::fork::{generation, watch};

/// A value of which each process makes its own, when it first needs it.
pub(crate) struct PerProcess<T> {
    current: AtomicPtr<Of<T>>,
    of: PhantomData<*mut T>,
}

// SAFETY: it owns its value, as a box does.
unsafe impl<T: Send> Send for PerProcess<T> {}
// SAFETY: it gives out references, and takes in what any thread has made.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}

struct Of<T> {
    generation: u64,
    value: T,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { current: AtomicPtr::new(std::ptr::null_mut()), of: PhantomData }
    }

    /// This process's.
    #[inline]
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        let current = self.current.load(Ordering::Acquire);
        // SAFETY: what is put here stays until `self` is dropped, and nobody has it to change.
        match unsafe { current.as_ref() } {
            Some(of) if of.generation == generation() => &of.value,
            _ => self.make(current, make()),
        }
    }

    /// Puts one in the place of another process's, or of none.
    #[cold]
    fn make(&self, before: *mut Of<T>, value: T) -> &T {
        watch();
        let fresh = Box::into_raw(Box::new(Of { generation: generation(), value }));
        let (done, not) = (Ordering::AcqRel, Ordering::Acquire);
        let current = match self.current.compare_exchange(before, fresh, done, not) {
            // what was there before is the parent's, and stays where it is
            Ok(_) => fresh,
            Err(faster) => {
                // SAFETY: it was made here, and nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                faster
            }
        };
        // SAFETY: as in `get`.
        unsafe { &(*current).value }
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let current = *self.current.get_mut();
        // SAFETY: as in `get`; nobody else has `self` any more.
        if unsafe { current.as_ref() }.is_some_and(|of| of.generation == generation()) {
            // SAFETY: it came from a box.
            drop(unsafe { Box::from_raw(current) });
        }
    }
}
