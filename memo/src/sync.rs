//! The primitives of the flight: std's, or those of the model checker under `--cfg memo_shuttle`.

#[cfg(not(memo_shuttle))]
pub(crate) use std::{
    sync::{Arc, Mutex, MutexGuard, atomic},
    thread, thread_local,
};

#[cfg(all(feature = "engines", not(memo_shuttle)))]
pub(crate) use std::sync::Weak;

#[cfg(all(feature = "engines", memo_shuttle))]
pub(crate) use shuttle::sync::Weak;

#[cfg(memo_shuttle)]
pub(crate) use shuttle::{
    sync::{Arc, Mutex, MutexGuard, atomic},
    thread, thread_local,
};

/// Locks `mutex`. What we do under our locks does not panic, so that a poisoned one holds nothing broken.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Where the model checker may run another thread: it sees no more of a store than that it takes its time.
#[inline(always)]
pub(crate) fn in_a_store() {
    #[cfg(memo_shuttle)]
    thread::yield_now();
}
