//! Places for bodies that run on this thread. A recursion takes one for each level and gives it back on its way up, so they
//! lie one behind the other, and the last that was given back is the next to be taken.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// What is put into a slot is of at most this size.
const SIZE: usize = 64;

/// So many are allocated at once.
const CHUNK: usize = 64;

/// A slot. One that is free holds the address of the next.
#[repr(align(16))]
struct Slot {
    _bytes: MaybeUninit<[u8; SIZE]>,
}

impl Slot {
    const FREE: Self = Slot { _bytes: MaybeUninit::uninit() };
}

thread_local! {
    /// The first free slot.
    static FREE: Cell<*mut Slot> = const { Cell::new(ptr::null_mut()) };
    /// All slots, which are freed as the thread ends.
    static CHUNKS: Chunks = const { Chunks(RefCell::new(Vec::new())) };
}

struct Chunks(RefCell<Vec<NonNull<[Slot; CHUNK]>>>);

impl Drop for Chunks {
    fn drop(&mut self) {
        FREE.set(ptr::null_mut());
        for chunk in self.0.get_mut().drain(..) {
            // SAFETY: it was leaked from a box. Its slots are in frames of functions only, and those have returned: this thread
            // has come to its end. A body that another destructor runs from now on has slots of its own.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}

/// A free slot.
#[inline(always)]
fn take() -> NonNull<Slot> {
    match NonNull::new(FREE.get()) {
        Some(slot) => {
            // SAFETY: it is free, so it holds the address of the next.
            FREE.set(unsafe { slot.cast::<*mut Slot>().read() });
            slot
        }
        None => grow(),
    }
}

/// # Safety
///
/// The slot was taken on this thread, and there is nothing in it.
#[inline(always)]
unsafe fn give_back(slot: NonNull<Slot>) {
    // SAFETY: it is large enough, and nobody else's.
    unsafe { slot.cast::<*mut Slot>().write(FREE.get()) };
    FREE.set(slot.as_ptr());
}

#[cold]
#[inline(never)]
fn grow() -> NonNull<Slot> {
    let chunk = NonNull::from(Box::leak(Box::new([Slot::FREE; CHUNK])));
    // where it cannot be noted, the thread is about to end: the chunk is for its last calls, and is never freed
    let _ = CHUNKS.try_with(|chunks| chunks.0.borrow_mut().push(chunk));
    let first = chunk.cast::<Slot>();
    for number in (1..CHUNK).rev() {
        // SAFETY: it is within the chunk, which moves no more, and is taken by nobody.
        unsafe { give_back(first.add(number)) };
    }
    first
}

/// A value in a place of its own on this thread, as in a `Box`.
pub(crate) struct Slotted<T>(NonNull<T>, PhantomData<*mut T>);

/// Whether a value of this type is put into a slot.
const fn fits<T>() -> bool {
    size_of::<T>() <= SIZE && align_of::<T>() <= align_of::<Slot>()
}

impl<T> Slotted<T> {
    /// Made where it will stand. `make` does not panic, or the place is lost.
    #[inline(always)]
    pub(crate) fn new(make: impl FnOnce() -> T) -> Self {
        if const { !fits::<T>() } {
            return Slotted(NonNull::from(Box::leak(Box::new(make()))), PhantomData);
        }
        let place = take().cast::<T>();
        // SAFETY: the slot is ours, and large enough.
        unsafe { place.write(make()) };
        Slotted(place, PhantomData)
    }
}

impl<T> std::ops::Deref for Slotted<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: it is there until this is dropped, and is this one's alone.
        unsafe { self.0.as_ref() }
    }
}

impl<T> std::ops::DerefMut for Slotted<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        unsafe { self.0.as_mut() }
    }
}

/// Gives a slot back, also if what was in it panics as it is dropped.
struct Freed(NonNull<Slot>);

impl Drop for Freed {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `Slotted` has taken it on this thread, since it is not `Send`, and does not use it any more.
        unsafe { give_back(self.0) };
    }
}

impl<T> Drop for Slotted<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if const { !fits::<T>() } {
            // SAFETY: it was leaked from a box.
            return drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
        let freed = Freed(self.0.cast());
        // SAFETY: it is there, and ours alone.
        unsafe { self.0.drop_in_place() };
        drop(freed);
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn slots_are_used_again_and_hold_what_was_put_there() {
        let alive = Rc::new(());
        for round in 0..3_usize {
            let all: Vec<_> = (0..3 * CHUNK).map(|at| Slotted::new(|| (at + round, alive.clone()))).collect();
            assert!(
                all.iter()
                    .enumerate()
                    .all(|(at, slot)| slot.0.addr().get() % 16 == 0 && (**slot).0 == at + round)
            );
            assert_eq!(Rc::strong_count(&alive), 1 + 3 * CHUNK);
        }
        assert_eq!(Rc::strong_count(&alive), 1);
        let (first, second) = (Slotted::new(|| 1_u64), Slotted::new(|| 2_u64));
        let address = second.0;
        drop(second);
        assert_eq!((Slotted::new(|| 3_u64).0, *first), (address, 1));
    }

    #[test]
    fn what_is_large_or_aligned_is_elsewhere() {
        #[repr(align(64))]
        struct Aligned(u8);
        let (mut large, aligned) = (Slotted::new(|| [7_u8; 4096]), Slotted::new(|| Aligned(8)));
        large[1] = 9;
        assert_eq!((large[0], large[1], aligned.0.addr().get() % 64, (*aligned).0), (7, 9, 0, 8));
    }

    #[test]
    fn a_destructor_of_a_thread_that_ends_has_slots() {
        struct AtEnd;
        impl Drop for AtEnd {
            fn drop(&mut self) {
                let all: Vec<_> = (0..2 * CHUNK).map(|at| Slotted::new(|| at)).collect();
                assert!(all.iter().enumerate().all(|(at, slot)| **slot == at));
            }
        }
        thread_local! {
            static AT_END: AtEnd = const { AtEnd };
        }
        for first in [true, false] {
            let thread = std::thread::spawn(move || {
                if first {
                    AT_END.with(|_| ());
                }
                drop(Slotted::new(|| 1));
                AT_END.with(|_| ());
            });
            thread.join().expect("it has not panicked");
        }
    }
}
