//! Memory for flights and for bodies that run, which come and go with each miss: a thread keeps some of what it frees for
//! its next ones.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{self, NonNull};

/// What is kept is of this size; what is larger is not kept.
const SIZE: usize = 192;
const ALIGN: usize = 16;
const LAYOUT: Layout = match Layout::from_size_align(SIZE, ALIGN) {
    Ok(layout) => layout,
    Err(_) => panic!("a block has a layout"),
};
/// A thread keeps at most so many.
const MOST: u32 = 1024;

/// In a block that is kept: the next.
struct Kept {
    next: *mut Kept,
}

/// The blocks of a thread.
struct BlocksThread {
    first: Cell<*mut Kept>,
    count: Cell<u32>,
}

thread_local! {
    static BLOCKS: BlocksThread = const { BlocksThread { first: Cell::new(ptr::null_mut()), count: Cell::new(0) } };
}

/// Whether a value of this type is put into a block.
const fn fits<T>() -> bool {
    size_of::<T>() <= SIZE && align_of::<T>() <= ALIGN
}

/// A place of its own for a value, as `Box::leak` gives it. [`drop_in`] frees it. `make` does not panic, or the place is
/// lost.
#[inline(always)]
pub(crate) fn place<T>(make: impl FnOnce() -> T) -> NonNull<T> {
    if const { !fits::<T>() } {
        return NonNull::from(Box::leak(Box::new(make())));
    }
    let block = BLOCKS.try_with(BlocksThread::take).ok().flatten().unwrap_or_else(allocate).cast();
    // SAFETY: the block is ours, and large enough.
    unsafe { block.write(make()) };
    block
}

/// Drops the value, and frees its place.
///
/// # Safety
///
/// It has come out of [`place`] as a value of this type, and nobody uses it any more.
#[inline]
pub(crate) unsafe fn drop_in<T>(place: NonNull<T>) {
    if const { !fits::<T>() } {
        // SAFETY: it was leaked from a box.
        return drop(unsafe { Box::from_raw(place.as_ptr()) });
    }
    // SAFETY: it is there, and ours alone. The place is a block, and is freed even if a `Drop` panics.
    unsafe {
        let _block = Freed(place.cast());
        place.drop_in_place();
    }
}

/// A block that is freed when this is dropped.
struct Freed(NonNull<Kept>);

impl Drop for Freed {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `drop_in` has had it, and does not use it any more.
        unsafe { free(self.0) };
    }
}

/// Takes the value out, and frees its place.
///
/// # Safety
///
/// It has come out of [`place`] as a value of this type, and nobody uses it any more.
#[inline]
pub(crate) unsafe fn take_out<T>(place: NonNull<T>) -> T {
    if const { !fits::<T>() } {
        // SAFETY: it was leaked from a box.
        return *unsafe { Box::from_raw(place.as_ptr()) };
    }
    // SAFETY: it is there, and is not used there any more; the place is a block.
    unsafe {
        let value = place.read();
        free(place.cast());
        value
    }
}

#[cold]
#[inline(never)]
fn allocate() -> NonNull<Kept> {
    // SAFETY: the size is not zero.
    NonNull::new(unsafe { alloc(LAYOUT) }.cast()).unwrap_or_else(|| handle_alloc_error(LAYOUT))
}

/// # Safety
///
/// It is a block that nobody uses any more.
#[inline]
unsafe fn free(block: NonNull<Kept>) {
    // SAFETY: as the caller says.
    if !BLOCKS.try_with(|blocks| unsafe { blocks.keep(block) }).unwrap_or(false) {
        // SAFETY: as the caller says; and all blocks are allocated with this layout.
        unsafe { dealloc(block.as_ptr().cast(), LAYOUT) };
    }
}

impl BlocksThread {
    #[inline]
    fn take(&self) -> Option<NonNull<Kept>> {
        let block = NonNull::new(self.first.get())?;
        // SAFETY: what is kept is nobody else's.
        self.first.set(unsafe { block.as_ref() }.next);
        self.count.set(self.count.get() - 1);
        Some(block)
    }

    /// Keeps a block, unless there are enough; whether it does.
    ///
    /// # Safety
    ///
    /// It is a block that nobody uses any more.
    #[inline]
    unsafe fn keep(&self, block: NonNull<Kept>) -> bool {
        let count = self.count.get();
        if count == MOST {
            return false;
        }
        // SAFETY: as the caller says, and it is large enough.
        unsafe { block.write(Kept { next: self.first.get() }) };
        self.first.set(block.as_ptr());
        self.count.set(count + 1);
        true
    }
}

impl Drop for BlocksThread {
    fn drop(&mut self) {
        while let Some(block) = self.take() {
            // SAFETY: it was allocated with this layout, and is nobody else's.
            unsafe { dealloc(block.as_ptr().cast(), LAYOUT) };
        }
    }
}

/// A value in a place of its own, as in a `Box`.
pub(crate) struct Pooled<T>(NonNull<T>);

// SAFETY: it owns the value, as a box does.
unsafe impl<T: Send> Send for Pooled<T> {}
// SAFETY: whoever shares it gets shared references to the value, and nothing else.
unsafe impl<T: Sync> Sync for Pooled<T> {}

impl<T> Pooled<T> {
    /// Made where it will stand. `make` does not panic, or the place is lost.
    #[inline(always)]
    pub(crate) fn new(make: impl FnOnce() -> T) -> Self {
        Pooled(place(make))
    }
}

impl<T> std::ops::Deref for Pooled<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: it is there until this is dropped, and is this one's alone.
        unsafe { self.0.as_ref() }
    }
}

impl<T> std::ops::DerefMut for Pooled<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the value is there until this is dropped, and this is borrowed exclusively.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Pooled<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it was placed, and nobody uses it any more.
        unsafe { drop_in(self.0) };
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn places_are_used_again_by_their_thread_and_hold_what_was_put_there() {
        let alive = Arc::new(());
        for round in 0..3_usize {
            let places: Vec<_> =
                (0..MOST as usize + 100).map(|at| place(|| (at + round, alive.clone()))).collect();
            for (at, place) in places.into_iter().enumerate() {
                // SAFETY: it has just been placed, and is asked for once.
                let (number, _) = unsafe { take_out(place) };
                assert_eq!(number, at + round);
            }
            assert_eq!(BLOCKS.with(|blocks| blocks.count.get()), MOST);
        }
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[test]
    fn what_is_large_or_aligned_is_placed_elsewhere() {
        #[repr(align(64))]
        struct Aligned(u8);
        let (large, aligned) = (place(|| [7_u8; 4096]), place(|| Aligned(8)));
        assert_eq!(aligned.as_ptr().addr() % 64, 0);
        // SAFETY: they have just been placed.
        let (large, aligned) = unsafe { (take_out(large), take_out(aligned)) };
        assert!(large.iter().all(|byte| *byte == 7) && aligned.0 == 8);
    }

    #[test]
    fn a_place_may_be_freed_by_another_thread() {
        let alive = Arc::new(());
        let block = Pooled::new(|| alive.clone());
        std::thread::spawn(move || drop(block)).join().expect("it has not panicked");
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
