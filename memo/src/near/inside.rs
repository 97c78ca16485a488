//! For a library that runs code of the user's under its locks: what such code does with the near plane waits, or finds
//! it closed.

use super::{bury, drop_quietly};
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
/// In a store, with something in [`GRAVES`] to see to on the way out.
const MOURNING: u8 = 2;

thread_local! {
    /// Whether this thread is inside a store.
    static WHERE: Cell<u8> = const { Cell::new(OUT) };
    /// What was to be dropped there.
    static GRAVES: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Held while this thread is inside a store that may run user code.
///
/// There is one per thread for all stores, so no thread ever waits for the lock of one store while it
/// holds that of another.
pub(crate) struct Inside(());

impl Inside {
    /// Goes in; `None` when this thread is inside already, that is, when user code that a store runs has
    /// come back.
    #[inline(always)]
    pub(crate) fn enter() -> Option<Inside> {
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
        if WHERE.replace(OUT) == MOURNING {
            mourn();
        }
    }
}

/// Drops what could not be dropped inside, and what these drops leave.
#[cold]
fn mourn() {
    // Taken out first: the drops may come back here.
    while let Ok(Some(dead)) = GRAVES.try_with(|graves| graves.borrow_mut().pop()) {
        drop_quietly(dead);
    }
}

#[cold]
pub(super) fn bury_later<T: 'static>(dead: T) {
    let mut dead = Some(dead);
    let _ = GRAVES.try_with(|graves| {
        graves.borrow_mut().push(Box::new(dead.take()));
        WHERE.set(MOURNING);
    });
    // Still there if the thread is ending and has no graves any more.
    drop_quietly(dead);
}

/// A value whose drop is always a burial, for libraries that drop at a time of their choosing.
pub(crate) struct Mortal<T: 'static>(Option<T>);

impl<T: 'static> Mortal<T> {
    pub(crate) fn new(value: T) -> Self {
        Mortal(Some(value))
    }

    /// The value; always there until it is dropped.
    #[inline]
    pub(crate) fn get(&self) -> &T {
        self.0.as_ref().expect("it is taken only by its own drop")
    }
}

impl<T: 'static> Drop for Mortal<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            bury(value);
        }
    }
}
