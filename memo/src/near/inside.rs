//! For a library that runs user code under its locks: while that code runs, the near plane is closed to its thread.

use super::quiet::drop_quietly;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher};

/// A hasher for keys that carry their hash: it hands on the number it is given.
///
/// That is sound with the tables beneath as long as the number is good in all its bits. hashbrown takes
/// the lowest bits for the bucket and the highest seven for the tag, moka the highest for the segment.
#[derive(Clone, Copy, Default)]
pub(crate) struct AsIs;

/// See [`AsIs`].
pub(crate) struct Given(u64);

impl BuildHasher for AsIs {
    type Hasher = Given;

    #[inline]
    fn build_hasher(&self) -> Given {
        Given(0)
    }
}

impl Hasher for Given {
    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("keys in a near store hash by one u64");
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Not in any store.
const OUT: u8 = 0;
/// In a store.
const IN: u8 = 1;
/// In a store, with values in [`DEFERRED`] to be dropped on the way out.
const WITH_DEFERRED: u8 = 2;

thread_local! {
    /// Whether this thread is inside a store.
    static WHERE: Cell<u8> = const { Cell::new(OUT) };
    /// What was to be dropped there.
    static DEFERRED: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Held while this thread is inside a store that may run user code.
///
/// There is one per thread for all stores, so no thread ever waits for the lock of one store while it
/// holds that of another.
pub(crate) struct Inside(());

impl Inside {
    /// Begins to be inside. `None` where this thread is inside already, that is, where user code that a store runs has
    /// come back.
    #[inline(always)]
    pub(crate) fn begin() -> Option<Inside> {
        WHERE.with(|place| {
            if place.get() != OUT {
                return None;
            }
            place.set(IN);
            Some(Inside(()))
        })
    }

    /// Whether this thread is inside a store.
    #[inline]
    pub(crate) fn is_here() -> bool {
        WHERE.with(|place| place.get() != OUT)
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        if WHERE.replace(OUT) == WITH_DEFERRED {
            run_deferred();
        }
    }
}

/// Drops what could not be dropped inside, and what these drops leave.
#[cold]
fn run_deferred() {
    // Taken out first: the drops may come back here.
    while let Ok(Some(value)) = DEFERRED.try_with(|deferred| deferred.borrow_mut().pop()) {
        drop_quietly(value);
    }
}

/// Keeps a value until this thread is out of the store, and drops it then.
#[cold]
pub(super) fn defer<T: 'static>(value: T) {
    let mut value = Some(value);
    let _ = DEFERRED.try_with(|deferred| {
        deferred.borrow_mut().push(Box::new(value.take()));
        WHERE.set(WITH_DEFERRED);
    });
    // It is still here if the thread is ending and its list has been dropped.
    drop_quietly(value);
}
