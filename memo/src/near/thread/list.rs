//! The tables of a thread, by the numbers of their stores.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

use crate::near::retired::drop_retired;

/// What is behind a pointer in a list: a leaked box, and how to drop it.
struct Owned {
    table: *mut (),
    drop: unsafe fn(*mut ()),
}

/// All that a thread has, to be dropped with it.
#[derive(Default)]
struct Owner {
    tables: RefCell<Vec<Owned>>,
    slots: RefCell<Box<[*mut ()]>>,
}

thread_local! {
    static SLOTS: Cell<(*const *mut (), usize)> = const { Cell::new((std::ptr::null(), 0)) };
    static OWNER: Owner = Owner::default();
}

impl Drop for Owner {
    fn drop(&mut self) {
        // from here on this thread finds none
        SLOTS.set((std::ptr::null(), 0));
        for Owned { table, drop } in self.tables.take() {
            // SAFETY: it was put here with its pointer, once, and nobody finds that any more.
            drop_retired(Dropped(move || unsafe { drop(table) }));
        }
    }
}

/// Calls a function as it is dropped.
struct Dropped<F: FnMut()>(F);

impl<F: FnMut()> Drop for Dropped<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What this thread has under `number`: null where it has nothing.
#[inline(always)]
pub(super) fn find(number: usize) -> *mut () {
    let (slots, count) = SLOTS.get();
    // SAFETY: `slots` points at as many pointers, in a box that `OWNER` keeps until there is another.
    if number < count { unsafe { *slots.add(number) } } else { null_mut() }
}

/// Puts a leaked box there, for good. False, and it is still the caller's, at the end of a thread.
///
/// # Safety
///
/// `drop` drops it, and can be called with it once, on this thread.
pub(super) unsafe fn put(number: usize, table: *mut (), drop: unsafe fn(*mut ())) -> bool {
    OWNER
        .try_with(|owner| {
            let mut slots = owner.slots.borrow_mut();
            if slots.len() <= number {
                let mut more = vec![null_mut(); (number + 1).next_power_of_two().max(16)];
                more[..slots.len()].copy_from_slice(&slots);
                *slots = more.into_boxed_slice();
                SLOTS.set((slots.as_ptr(), slots.len()));
            }
            slots[number] = table;
            // the pointer to the slots is that of the latest write through them
            SLOTS.set((slots.as_ptr(), slots.len()));
            owner.tables.borrow_mut().push(Owned { table, drop });
        })
        .is_ok()
}
