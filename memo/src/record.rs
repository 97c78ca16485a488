//! The records of a function, which differ in type: where a [`Header`] is taken for the record that it begins.

#![allow(unsafe_code)]

use std::any::TypeId;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What tells one instantiation from the others, and its typed record from memory of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    /// The closure that stands for the type parameters.
    marker: TypeId,
    /// The type of the record.
    record: TypeId,
}

/// The beginning of each record, whatever its type.
#[derive(Debug)]
pub(crate) struct Header {
    identity: Identity,
    next: *mut Header,
}

// SAFETY: `next` is written before the header is shared and only read after.
unsafe impl Send for Header {}
// SAFETY: nothing in a header changes once it is shared.
unsafe impl Sync for Header {}

impl Header {
    /// That of a record of type `R`, of the instantiation that `marker` stands for.
    pub(crate) fn of<R: Record>(marker: TypeId) -> Self {
        Header { identity: Identity::of::<R>(marker), next: std::ptr::null_mut() }
    }

    /// What stands for the instantiation.
    pub(crate) fn marker(&self) -> TypeId {
        self.identity.marker
    }
}

impl Identity {
    #[inline(always)]
    fn of<R: 'static>(marker: TypeId) -> Self {
        Identity { marker, record: TypeId::of::<R>() }
    }
}

/// What a function keeps for one instantiation.
///
/// # Safety
///
/// The type is `repr(C)`, its first field is the [`Header`] that `header` gives, and that one was made by
/// [`Header::of`] for this very type.
pub(crate) unsafe trait Record: Sized + Send + Sync + 'static {
    /// Its first field.
    fn header(&mut self) -> &mut Header;
}

/// The records of one function, the newest first. Records are never freed.
#[derive(Debug)]
pub(crate) struct Records(AtomicPtr<Header>);

impl Records {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Records(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// The record of type `R` of the instantiation that `marker` stands for.
    #[inline(always)]
    pub(crate) fn find<R: Record>(&self, marker: TypeId) -> Option<&'static R> {
        let identity = Identity::of::<R>(marker);
        let mut at = self.0.load(Ordering::Acquire);
        while !at.is_null() {
            // SAFETY: what is in a list has been put there by `publish`: it points at a leaked record, never written
            // to since through this pointer, and its header is at its beginning (`repr(C)`). Loaded with `Acquire`
            // after a `Release` store, or, `next`, written before that.
            let header = unsafe { &*at };
            if header.identity == identity {
                // SAFETY: the header is the beginning of a leaked record. The type is the one it was made with, since
                // `identity.record` is its `TypeId`, and its parameters are `'static` and so differ in nothing that a
                // `TypeId` leaves out.
                return Some(unsafe { &*at.cast::<R>() });
            }
            at = header.next;
        }
        None
    }

    /// Puts `record` before the others. The caller sees to it that nobody else does so at the same time.
    pub(crate) fn publish<R: Record>(&self, mut record: Box<R>) -> &'static R {
        record.header().next = self.0.load(Ordering::Acquire);
        let record = Box::into_raw(record);
        self.0.store(record.cast::<Header>(), Ordering::Release);
        // SAFETY: leaked above, so it lives for good; only shared references are made of it from here on.
        unsafe { &*record }
    }
}
