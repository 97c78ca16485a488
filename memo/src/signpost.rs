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

/// Where code finds its record: by the address of a function that tells it from all other code, which is one comparison
/// where a `TypeId` is four. It is no more than a shortcut: a compiler may make several copies of a function,
/// each of which then has a signpost of its own.
#[derive(Debug)]
pub(crate) struct Signpost {
    /// A [`tells_apart`], or null.
    code: AtomicPtr<()>,
    /// The record, of the types that are named there. Written before `code`.
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

    /// The one for this code, of those behind it in its list.
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

    /// Puts one up for this code, to this record, in the list that begins here, unless there is one.
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
    /// It has been put up for code of these types.
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

/// A function of these types that does not do what the one of other types does. As one address cannot do both, the
/// addresses differ, whatever a linker folds.
fn tells_apart<S, R: Record>() -> (TypeId, TypeId) {
    (typeid::of::<S>(), TypeId::of::<R>())
}

/// Code that looks for a record of these types: what tells it apart from all other code, and in which list it looks.
#[derive(Debug)]
pub(crate) struct Code<R> {
    /// Of its [`tells_apart`].
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

    /// The record that there is a signpost to, for this code.
    #[inline(always)]
    pub(crate) fn signed(&self, lists: &'static [Signpost; LISTS]) -> Option<&'static R> {
        self.signed_from(&lists[self.list])
    }

    /// The same, in the list that begins here.
    #[inline(always)]
    pub(crate) fn signed_from(&self, first: &'static Signpost) -> Option<&'static R> {
        // in nearly all programs it is the first, which is a constant, too
        let signpost = match first.code.load(Ordering::Acquire) == self.address {
            true => first,
            false => first.after(self.address)?,
        };
        // SAFETY: it has been put up for that very function, and so for these types.
        Some(unsafe { signpost.record() })
    }

    /// Puts up a signpost to `record`, for this code.
    pub(crate) fn sign(self, lists: &'static [Signpost; LISTS], record: &'static R) {
        let first = &lists[self.list];
        self.sign_from(first, record);
    }

    /// The same, in the list that begins here.
    pub(crate) fn sign_from(self, first: &'static Signpost, record: &'static R) {
        first.put_up(self.address, std::ptr::from_ref(record).cast_mut().cast());
    }
}

/// The list to look into. All constants, so that this is one as well in optimized code.
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
