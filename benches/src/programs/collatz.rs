//! The lengths of Collatz's sequences.

use super::everybody::{contenders, everybody};
use super::{Contender, timed, timed_by_two};

const LIMIT: u64 = 100_000;

everybody! {
    (n: u64) -> u32 {
        match n {
            1 => 0,
            n if n.is_multiple_of(2) => 1 + state(n / 2),
            n => 1 + state(3 * n + 1),
        }
    }
}

/// The sum of the lengths of every `step`-th number from `first`.
fn sum(first: u64, step: usize, length: impl Fn(u64) -> u32) -> u64 {
    (first..=LIMIT).step_by(step).map(|n| u64::from(length(n))).sum()
}

/// Without a cache, for checks.
fn plain(mut n: u64) -> u32 {
    let mut steps = 0;
    while n != 1 {
        n = if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

pub(super) fn contenders() -> Vec<Contender> {
    macro_rules! run {
        ($by:ident) => {
            || timed(|| sum(1, 1, $by::state), sum(1, 1, plain))
        };
    }
    contenders!(run)
}

pub(super) fn by_two() -> Vec<Contender> {
    macro_rules! run {
        ($by:ident) => {
            || timed_by_two(|which| sum(1 + which, 2, $by::state), [1, 2].map(|first| sum(first, 2, plain)))
        };
    }
    contenders!(run)
}
