//! A memoized function may call itself: what takes 2^90 calls by the book takes 91 computations.

use memo::memoize;

#[memoize]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

/// How many letters must be added, dropped or changed to make `a` of `b`. Borrowed arguments are looked up
/// as they are; a copy is made once for each new pair.
#[memoize]
fn distance(a: &str, b: &str) -> usize {
    let (Some(x), Some(y)) = (a.chars().next_back(), b.chars().next_back()) else {
        return a.chars().count() + b.chars().count();
    };
    let (shorter_a, shorter_b) = (&a[..a.len() - x.len_utf8()], &b[..b.len() - y.len_utf8()]);
    let change = distance(shorter_a, shorter_b) + usize::from(x != y);
    change.min(distance(shorter_a, b) + 1).min(distance(a, shorter_b) + 1)
}

fn main() {
    println!("fib(90) = {}, after {} computations", fib(90), fib::stats().computes);
    assert_eq!(fib(90), 2_880_067_194_370_816_120);
    assert_eq!(fib::stats().computes, 91);

    let (a, b) = ("memoization", "amortisation");
    println!(
        "from {a} to {b} in {} steps, after {} computations",
        distance(a, b),
        distance::stats().computes
    );
    assert_eq!(distance("kitten", "sitting"), 3);
}
