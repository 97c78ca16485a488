//! The companion: named as the function, otherwise, or not at all.
use memo::memoize;

mod maths {
    #[memo::memoize]
    pub fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }
}
use maths::fib;

#[memoize(companion = double_control)]
fn double(a: u64) -> u64 {
    a * 2
}

#[memoize(companion = "half_control")]
fn half(a: u64) -> u64 {
    a / 2
}

#[memoize(companion = false)]
fn without(a: u64) -> u64 {
    a
}

/// A type of that name, where the function may not bring another.
#[allow(non_camel_case_types)]
enum without {}

struct Type;

impl Type {
    #[memoize(receiver = "skip", companion = control)]
    fn method(&self, a: u64) -> u64 {
        a
    }

    #[memoize(receiver = "skip", companion = false)]
    fn plain(&self, a: u64) -> u64 {
        a
    }
}

#[memoize(skip(b))]
fn skips(a: u64, b: &str, c: u64) -> u64 {
    a + b.len() as u64 + c
}

fn main() -> Result<(), memo::Error> {
    assert_eq!(fib(10), 55);
    assert_eq!(fib::uncached(10), 55);
    assert_eq!(fib::peek(10), Some(55));
    fib::insert(10, 56)?;
    assert_eq!(fib(10), 56);
    assert_eq!(fib::refresh(10), 55);
    fib::invalidate(10)?;
    fib::clear()?;
    fib::warm(1..50);
    assert!(fib::stats().computes > 0);
    let _: memo::Plan = fib::plan();

    assert_eq!(double(1) + half(2), 3);
    assert_eq!(double_control::peek(1), Some(2));
    assert_eq!(half_control::peek(2), Some(1));
    let _: Option<without> = None;
    assert_eq!(without(1), 1);
    assert_eq!(Type.method(1) + Type.plain(1), 2);
    assert_eq!(Type::control().peek(1), Some(1));

    assert_eq!(skips(1, "a", 2), 4);
    skips::warm([(1, "aaa", 2), (2, "b", 3)]);
    assert_eq!((skips::peek(1, 2), skips::peek(2, 3)), (Some(4), Some(6)));
    skips::insert(1, 2, 5)?;
    assert_eq!(skips(1, "", 2), 5);
    skips::invalidate(1, 2)?;
    assert_eq!(skips::peek(1, 2), None);
    Ok(())
}
