//! The author's attributes are kept, and mean what they meant.
#![deny(warnings)]
use memo::memoize;

#[cfg(any())]
#[memoize]
fn absent(a: u64) -> Missing {
    a
}

#[memoize]
#[cfg(any())]
fn absent_too(a: u64) -> Missing {
    a
}

#[memoize]
#[cfg(not(any()))]
#[cfg_attr(all(), must_use)]
#[inline]
#[doc(alias = "something")]
/// Docs.
fn present(a: u64) -> u64 {
    a
}

#[memoize]
#[allow(unused_variables)]
fn allowed(a: u64) -> u64 {
    let b = 1;
    2
}

#[memoize]
#[expect(unused_variables, reason = "to see that it is kept")]
fn expected(a: u64) -> u64 {
    let b = 1;
    a
}

#[memoize]
#[deprecated]
fn old(a: u64) -> u64 {
    a
}

#[memoize]
#[cold]
#[track_caller]
fn cold(#[allow(unused)] a: u64, #[allow(unused)] b: &str) -> u64 {
    1
}

struct Type;

impl Type {
    #[cfg(any())]
    #[memoize]
    fn absent(&self) -> Missing {}

    #[memoize(receiver = "skip")]
    #[cfg(not(any()))]
    #[must_use]
    fn present(&self, #[allow(unused)] a: u64) -> u64 {
        1
    }
}

fn main() {
    assert_eq!(present(1) + allowed(1) + expected(1) + cold(1, "") + Type.present(1), 6);
    #[allow(deprecated)]
    let _ = old(1);
}
