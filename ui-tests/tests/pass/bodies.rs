//! Bodies go through untouched.
use std::num::ParseIntError;

use memo::memoize;

#[memoize]
fn question_mark(a: &str) -> Result<u64, ParseIntError> {
    let number: u64 = a.parse()?;
    if number == 0 {
        return Ok(1);
    }
    Ok(number)
}

#[memoize]
async fn question_mark_waiting(a: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let number: u64 = a.parse()?;
    if number == 0 {
        return Err("zero".into());
    }
    Ok(number)
}

#[memoize]
async fn optional(a: Option<u64>) -> Option<u64> {
    let a = a?;
    Some(a + 1)
}

#[memoize]
fn labels(a: u64) -> u64 {
    'outer: loop {
        for b in 0.. {
            if b == a {
                break 'outer b;
            }
        }
    }
}

#[memoize]
fn items(a: u64) -> u64 {
    use std::cmp::max;
    const B: u64 = 2;
    fn nested(a: u64) -> u64 {
        a
    }
    macro_rules! add {
        ($a:expr, $b:expr) => {
            $a + $b
        };
    }
    let closure = |a: u64| -> u64 {
        return a;
    };
    max(add!(nested(a), B), closure(0))
}

#[memoize]
fn consumes(a: String, b: Vec<u64>, mut c: Vec<u64>) -> (String, Vec<u64>) {
    c.extend(b);
    c.push(1);
    drop(c.clone());
    (a, c)
}

#[memoize]
async fn consumes_waiting(a: String, mut b: Vec<u64>) -> (String, Vec<u64>) {
    b.push(std::future::ready(1).await);
    (a, b)
}

#[memoize(skip(f))]
fn calls(a: u64, f: impl FnOnce(u64) -> u64) -> u64 {
    f(a)
}

#[memoize(skip(out))]
fn writes(a: u64, out: &mut Vec<u64>) -> u64 {
    out.push(a);
    a
}

#[memoize(skip(out))]
async fn writes_waiting(a: u64, out: &mut Vec<u64>) -> u64 {
    out.push(a);
    a
}

#[memoize]
unsafe fn raw(a: u64) -> u64 {
    let b = &raw const a;
    // SAFETY: `a` is alive.
    unsafe { *b }
}

#[memoize]
fn recursive(a: u64) -> u64 {
    if a < 2 { a } else { recursive(a - 1) + recursive(a - 2) }
}

#[memoize]
async fn recursive_waiting(a: u64) -> u64 {
    if a < 2 {
        a
    } else {
        Box::pin(recursive_waiting(a - 1)).await + Box::pin(recursive_waiting(a - 2)).await
    }
}

#[memoize]
fn diverges(a: u64) -> u64 {
    panic!("{a}")
}

#[memoize]
async fn diverges_waiting(a: u64) -> Result<u64, u64> {
    return Err(a);
}

fn main() {
    assert_eq!(question_mark("0"), Ok(1));
    assert!(question_mark("a").is_err());
    assert_eq!(labels(3), 3);
    assert_eq!(items(3), 5);
    assert_eq!(consumes(String::new(), vec![2], vec![3]).1, [3, 2, 1]);
    let add = |a| a + 1;
    assert_eq!(calls(1, add) + calls(1, add), 4);
    assert_eq!(calls::stats().computes, 1);
    // another closure is another function
    assert_eq!(calls(1, |a| a + 2), 3);
    let mut out = Vec::new();
    assert_eq!(writes(1, &mut out) + writes(1, &mut out), 2);
    assert_eq!(out, [1]);
    // SAFETY: it does nothing unsafe.
    assert_eq!(unsafe { raw(1) }, 1);
    assert_eq!(raw::peek(1), Some(1));
    assert_eq!(recursive(50), 12_586_269_025);
    assert!(std::panic::catch_unwind(|| diverges(1)).is_err());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(question_mark_waiting("1").await.unwrap(), 1);
        assert_eq!(optional(Some(1)).await, Some(2));
        assert_eq!(consumes_waiting(String::new(), vec![2]).await.1, [2, 1]);
        assert_eq!(writes_waiting(1, &mut out).await, 1);
        assert_eq!(recursive_waiting(50).await, 12_586_269_025);
        assert_eq!(diverges_waiting(1).await, Err(1));
    });
}
