//! Signposts: by which code finds its record in one comparison.

#![allow(unsafe_code)]

use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::record::Record;
use crate::registry;

/// How many lists of signposts a function with several instantiations has.
pub(crate) const LISTS: usize = 8;

/// An entry of a list that leads from code to its record. Code is identified by the address of a function that only this
/// code has: that is one comparison, where a `TypeId` takes four. A compiler may copy a function; then each copy has a
/// signpost of its own, which costs memory and nothing else.
#[derive(Debug)]
pub(crate) struct Signpost {
    /// The address of a [`tells_apart`]; null while the signpost is free.
    code: AtomicPtr<()>,
    /// The record, which has the type `R` of that [`tells_apart`]. Written before `code`.
    record: AtomicPtr<()>,
    next: AtomicPtr<Signpost>,
}

impl Signpost {
    pub(crate) const fn new() -> Self {
        let [code, record] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 2];
        Signpost { code, record, next: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// The next one in its list, if there is one.
    fn next(&self) -> Option<&'static Signpost> {
        // SAFETY: null, or leaked by `put_up` and shared since.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// The signpost of this code, among those behind this one in the list.
    fn after(&self, code: *mut ()) -> Option<&'static Signpost> {
        let mut at = self.next();
        while let Some(signpost) = at {
            if signpost.code.load(Ordering::Acquire) == code {
                return at;
            }
            at = signpost.next();
        }
        None
    }

    /// Adds a signpost from this code to this record to the list that begins here, unless there is one.
    fn put_up(&'static self, code: *mut (), record: *mut ()) {
        let _one_at_a_time = registry::lock();
        let mut at = self;
        loop {
            let there = at.code.load(Ordering::Acquire);
            if there.is_null() {
                at.record.store(record, Ordering::Relaxed);
                return at.code.store(code, Ordering::Release);
            }
            if there == code {
                return;
            }
            at = match at.next() {
                Some(next) => next,
                None => {
                    let new: &'static Signpost = Box::leak(Box::new(Signpost::new()));
                    at.next.store(std::ptr::from_ref(new).cast_mut(), Ordering::Release);
                    new
                }
            };
        }
    }

    /// # Safety
    ///
    /// The signpost was put up by a [`Code`] of records of type `R`.
    #[inline(always)]
    unsafe fn record<R: Record>(&self) -> &'static R {
        let record = self.record.load(Ordering::Relaxed).cast::<R>();
        // SAFETY: a reference to one, as `put_up` has written it before `code`, which the caller has seen.
        unsafe {
            std::hint::assert_unchecked(!record.is_null());
            &*record
        }
    }
}

/// A function that gives another result for each pair of types. So no two of them have one address, even if the linker
/// merges functions with equal code.
fn tells_apart<S, R: Record>() -> (TypeId, TypeId) {
    (typeid::of::<S>(), TypeId::of::<R>())
}

/// Code that looks for a record of these types: what tells it apart from all other code, and in which list it looks.
#[derive(Debug)]
pub(crate) struct Code<R> {
    /// The address of its [`tells_apart`].
    address: *mut (),
    list: usize,
    types: PhantomData<fn() -> R>,
}

impl<R: Record> Code<R> {
    /// The code that has the site `S`.
    #[inline(always)]
    pub(crate) fn of<S>() -> Self {
        let function: fn() -> (TypeId, TypeId) = tells_apart::<S, R>;
        Code { address: function as *mut (), list: list(typeid::of::<S>()), types: PhantomData }
    }

    /// The record that this code has a signpost to.
    #[inline(always)]
    pub(crate) fn signposted(&self, lists: &'static [Signpost; LISTS]) -> Option<&'static R> {
        self.signposted_from(&lists[self.list])
    }

    /// The record that this code has a signpost to, in the list that begins with `first`.
    #[inline(always)]
    pub(crate) fn signposted_from(&self, first: &'static Signpost) -> Option<&'static R> {
        // in nearly all programs it is the first one, whose address is a constant
        let signpost = match first.code.load(Ordering::Acquire) == self.address {
            true => first,
            false => first.after(self.address)?,
        };
        // SAFETY: it has been put up for that very function, and so for these types.
        Some(unsafe { signpost.record() })
    }

    /// Puts up a signpost to `record`, for this code.
    pub(crate) fn put_up(self, lists: &'static [Signpost; LISTS], record: &'static R) {
        let first = &lists[self.list];
        self.put_up_from(first, record);
    }

    /// Puts up a signpost to `record` for this code, in the list that begins with `first`.
    pub(crate) fn put_up_from(self, first: &'static Signpost, record: &'static R) {
        first.put_up(self.address, std::ptr::from_ref(record).cast_mut().cast());
    }
}

/// The number of the list to look into. It is computed from constants, so that optimized code has it as a constant.
#[inline(always)]
fn list(code: TypeId) -> usize {
    struct Last(u64);
    impl Hasher for Last {
        #[inline(always)]
        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.first().copied().unwrap_or(0).into();
        }
        #[inline(always)]
        fn write_u64(&mut self, bits: u64) {
            self.0 = bits;
        }
        #[inline(always)]
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut last = Last(0);
    code.hash(&mut last);
    last.finish() as usize % LISTS
}
