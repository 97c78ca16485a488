//! Dynamic programming from the top down: write the recurrence, and let each state be computed once.
//!
//! `engine = "thread"` is for just that: one thread does the work, and nobody else wants its states.
//! `capacity = "unbounded"` keeps all of them; with a bound, states that were evicted would be computed again and again.
//!
//! The recursion is as deep as the longest chain of states that wait for each other. See `docs/guide/recursion.md` for how
//! deep a stack goes, and for what `collatz_lengths` and `main` do about it.

use std::rc::Rc;

use memo::memoize;

/// In how many steps (a letter added, dropped or changed) the first `i` letters of `a` become the first `j` of `b`. The
/// texts are the same all along, so they are no part of the key.
#[memoize(engine = "thread", capacity = "unbounded", skip(a, b))]
fn edits(a: &[u8], b: &[u8], i: usize, j: usize) -> usize {
    if i == 0 || j == 0 {
        return i + j;
    }
    if a[i - 1] == b[j - 1] {
        return edits(a, b, i - 1, j - 1);
    }
    let change = edits(a, b, i - 1, j - 1);
    1 + change.min(edits(a, b, i - 1, j)).min(edits(a, b, i, j - 1))
}

/// What the first `items` of (weight, value) are worth in a bag for so much weight.
#[memoize(engine = "thread", capacity = "unbounded", key = (items.len(), room))]
fn knapsack(items: &[(usize, u64)], room: usize) -> u64 {
    let Some((&(weight, value), rest)) = items.split_last() else { return 0 };
    let without = knapsack(rest, room);
    match room.checked_sub(weight) {
        Some(left) => without.max(value + knapsack(rest, left)),
        None => without,
    }
}

/// In how many steps `n` comes to 1, halved where it is even, else tripled and one more.
#[memoize(engine = "thread", capacity = "unbounded")]
fn collatz(n: u64) -> u32 {
    match n {
        1 => 0,
        n if n % 2 == 0 => 1 + collatz(n / 2),
        n => 1 + collatz(3 * n + 1),
    }
}

/// The number up to `limit` that takes the most steps, and how many these are. In ascending order each call finds what is
/// below it, so that the recursion stays shallow.
fn collatz_lengths(limit: u64) -> (u32, u64) {
    (1..=limit).map(|n| (collatz(n), n)).max_by_key(|&(steps, n)| (steps, u64::MAX - n)).unwrap_or((0, 1))
}

/// In how many ways one gets from a corner of a grid to (`right`, `down`), past the obstacles.
#[memoize(engine = "thread", capacity = "unbounded", skip(free))]
fn paths(free: &dyn Fn(usize, usize) -> bool, right: usize, down: usize) -> u64 {
    if !free(right, down) {
        return 0;
    }
    match (right, down) {
        (0, 0) => 1,
        (0, down) => paths(free, 0, down - 1),
        (right, 0) => paths(free, right - 1, 0),
        (right, down) => paths(free, right - 1, down) + paths(free, right, down - 1),
    }
}

/// What a rod is best cut into: what that brings, and the lengths. An `Rc` is shared by all who ask.
#[memoize(engine = "thread", capacity = "unbounded", skip(prices))]
fn cuts(prices: &[u64], length: usize) -> (u64, Option<Rc<Cut>>) {
    let all = (1..=length.min(prices.len())).map(|first| {
        let (brings, rest) = cuts(prices, length - first);
        (prices[first - 1] + brings, Some(Rc::new(Cut { first, rest })))
    });
    all.max_by_key(|&(brings, _)| brings).unwrap_or((0, None))
}

/// A piece of a rod, and the pieces that the rest is cut into.
struct Cut {
    first: usize,
    rest: Option<Rc<Cut>>,
}

fn lengths(mut cut: Option<&Rc<Cut>>) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let Some(piece) = cut {
        lengths.push(piece.first);
        cut = piece.rest.as_ref();
    }
    lengths
}

fn main() {
    let (a, b) = (b"dynamic programming", b"memoized recursion");
    let steps = edits(a, b, a.len(), b.len());
    println!("{steps} edits, after {} states of {}", edits::stats().computes, (a.len() + 1) * (b.len() + 1));
    assert_eq!(steps, 17);

    let items: Vec<_> = (1..=40).map(|n: usize| (n % 7 + 1, (n * n % 23) as u64)).collect();
    let worth = knapsack(&items, 50);
    println!("the bag is worth {worth}, after {} states", knapsack::stats().computes);

    let (steps, longest) = collatz_lengths(100_000);
    println!("{longest} takes {steps} steps");
    assert_eq!((steps, longest), (350, 77_031));
    assert_eq!(collatz::stats().computes, collatz::stats().entries, "each state was computed once");

    let ways = paths(&|right, down| (right * 7 + down * 3) % 11 != 5, 16, 16);
    println!("{ways} paths, after {} states", paths::stats().computes);

    let prices = [1, 5, 8, 9, 10, 17, 17, 20, 24, 30];
    let (brings, pieces) = cuts(&prices, 27);
    println!("a rod of 27 brings {brings}, cut into {:?}", lengths(pieces.as_ref()));
    assert_eq!(brings, 78);

    // a chain of 20,000 states that wait for each other: a thread with the stack for it
    let deep = std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
        #[memoize(engine = "thread", capacity = "unbounded")]
        fn triangle(n: u64) -> u64 {
            if n == 0 { 0 } else { n + triangle(n - 1) }
        }
        triangle(20_000)
    });
    let sum = deep.expect("a thread").join().expect("no panic");
    println!("1 + 2 + .. + 20000 = {sum}");
    assert_eq!(sum, 200_010_000);
}
