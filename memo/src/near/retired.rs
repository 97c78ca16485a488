//! How keys and results that have left a store are dropped.

use super::quiet::drop_quietly;
use std::mem::needs_drop;

#[cfg(feature = "moka")]
use super::inside;

/// Whether the near plane is closed to this thread: it runs user code inside a store that holds a lock meanwhile.
#[inline]
pub(crate) fn is_closed() -> bool {
    #[cfg(feature = "moka")]
    return inside::Inside::is_here();
    #[cfg(not(feature = "moka"))]
    false
}

/// Drops what has left a store: at once, or as soon as this thread has left the store that it is inside of. A panic in the
/// drop goes to the panic hook and no further.
#[inline]
pub(crate) fn drop_retired<T: 'static>(retired: T) {
    if needs_drop::<T>() {
        #[cfg(feature = "moka")]
        if is_closed() {
            return inside::defer(retired);
        }
        drop_quietly(retired);
    }
}

/// A value that is always dropped by [`drop_retired`], for libraries that drop at a time of their choosing.
#[cfg(feature = "moka")]
pub(super) struct DeferredDrop<T: 'static>(Option<T>);

#[cfg(feature = "moka")]
impl<T: 'static> DeferredDrop<T> {
    pub(super) fn new(value: T) -> Self {
        DeferredDrop(Some(value))
    }

    /// The value; always there until it is dropped.
    #[inline]
    pub(super) fn get(&self) -> &T {
        self.0.as_ref().expect("it is taken only by its own drop")
    }
}

#[cfg(feature = "moka")]
impl<T: 'static> Drop for DeferredDrop<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            drop_retired(value);
        }
    }
}
