//! What happens in the caches: of one function, and of all.

use memo::memoize;

/// How many steps it takes to come to 1, halving what is even and tripling what is odd.
#[memoize(capacity = 100_000)]
fn collatz(n: u64) -> u32 {
    match n {
        0 | 1 => 0,
        n if n.is_multiple_of(2) => 1 + collatz(n / 2),
        n => 1 + collatz(3 * n + 1),
    }
}

/// At most 100 results at a time.
#[memoize(capacity = 100)]
fn digit_sum(n: u64) -> u64 {
    if n < 10 { n } else { n % 10 + digit_sum(n / 10) }
}

fn main() {
    let longest = (1..=10_000).max_by_key(|&n| collatz(n)).unwrap_or(0);
    println!("the longest way to 1 below 10,000 is from {longest}: {} steps", collatz(longest));
    (0..5_000).for_each(|n| {
        digit_sum(n);
    });

    let stats = collatz::stats();
    println!("collatz: {} hits, {} misses", stats.hits, stats.misses);
    assert_eq!(stats.computes, stats.misses);
    assert_eq!(stats.hits, 10_000, "each way ends at a number met before");
    assert!(digit_sum::stats().evicted > 0, "a bound was set");

    println!("\n{}", memo::report());
    assert!(memo::functions().iter().any(|function| function.name().ends_with("collatz")));
}
