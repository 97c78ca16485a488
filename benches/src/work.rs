//! What every contender remembers: the keys, the functions, and a count of how often these ran.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Keys that are resident when hits are measured.
pub const RESIDENT: u64 = 1_000;
/// Entries that a bounded contender may hold.
pub const CAPACITY: usize = 10_000;
/// The lifetime of contenders that have one: longer than any run.
pub const TTL: Duration = Duration::from_secs(300);
/// How long the body of the flight case spins.
pub const FLIGHT: Duration = Duration::from_micros(20);

/// An odd number, so that multiplying by it permutes the integers; [`SPREAD_BACK`] undoes it.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD_BACK: u64 = inverse(SPREAD);

/// The inverse of an odd number modulo 2⁶⁴, by Newton's iteration.
const fn inverse(odd: u64) -> u64 {
    let mut x = odd;
    let mut round = 0;
    while round < 6 {
        x = x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)));
        round += 1;
    }
    x
}

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

fn ran() {
    RUNS.set(RUNS.get() + 1);
}

/// How often this thread has run a body: on a hit it does not move.
///
/// Counted per thread, since a shared counter would be dearer than some of the misses it counts.
pub fn runs() -> u64 {
    RUNS.get()
}

/// The `i`-th number key.
pub fn number(i: u64) -> u64 {
    i.wrapping_mul(SPREAD)
}

/// The number → number function: walks all [`RESIDENT`] keys in one cycle, so that a result is the
/// next key.
///
/// The cycle is a linear congruential generator of full period (Hull and Dobell, 1962).
#[inline(never)]
pub fn step(x: u64) -> u64 {
    ran();
    number((x.wrapping_mul(SPREAD_BACK) % RESIDENT * 21 + 7) % RESIDENT)
}

/// The (text, number) → number function.
#[inline(never)]
pub fn score(name: &str, page: u32) -> u64 {
    ran();
    name.bytes().fold(u64::from(page), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

/// The text → text function: 200 bytes.
#[inline(never)]
pub fn render(name: &str) -> String {
    ran();
    format!("{name:-<200}")
}

static FLIGHTS: AtomicU64 = AtomicU64::new(0);

/// The slow number → number function: spins for [`FLIGHT`], counts in [`flights`].
#[inline(never)]
pub fn fly(x: u64) -> u64 {
    FLIGHTS.fetch_add(1, Ordering::Relaxed);
    let start = Instant::now();
    while start.elapsed() < FLIGHT {
        std::hint::spin_loop();
    }
    x ^ 1
}

/// How often any thread has run [`fly`].
pub fn flights() -> u64 {
    FLIGHTS.load(Ordering::Relaxed)
}

/// The key of [`score`] as it is passed.
pub type Pair = (&'static str, u32);

/// A key of [`score`] as it is looked up by hand where `(String, u32)` is stored.
#[derive(Hash)]
pub struct PairRef<'a>(pub &'a str, pub u32);

impl equivalent::Equivalent<(String, u32)> for PairRef<'_> {
    fn equivalent(&self, key: &(String, u32)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

/// Shuffles, the same way for the same seed (Fisher and Yates, with a multiplicative hash for a die).
pub fn shuffle<T>(items: &mut [T], seed: u64) {
    for last in (1..items.len()).rev() {
        let random = number((seed << 32) + last as u64);
        items.swap(last, ((random ^ (random >> 31)).wrapping_mul(SPREAD) >> 33) as usize % (last + 1));
    }
}

/// The same calls for every contender: each resident key four times, shuffled.
pub struct Calls {
    /// For [`step`].
    pub numbers: Vec<u64>,
    /// For [`score`].
    pub pairs: Vec<Pair>,
    /// For [`render`].
    pub texts: Vec<&'static str>,
}

impl Calls {
    /// Draws them; the same ones in every process.
    pub fn new() -> Self {
        let names: Vec<&'static str> =
            (0..RESIDENT).map(|i| &*format!("user-{:016x}", number(i)).leak()).collect();
        let mut order: Vec<u64> = (0..4 * RESIDENT).map(|i| i % RESIDENT).collect();
        shuffle(&mut order, 0);
        Self {
            numbers: order.iter().map(|&i| number(i)).collect(),
            pairs: order.iter().map(|&i| (names[i as usize], i as u32 % 7)).collect(),
            texts: order.iter().map(|&i| names[i as usize]).collect(),
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self::new()
    }
}

/// `n` number keys that no call in this process has seen.
pub fn fresh(n: usize) -> Vec<u64> {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    let first = NEXT.fetch_add(n as u64, Ordering::Relaxed);
    (first..first + n as u64).map(number).collect()
}

/// The naive Fibonacci number, for checks.
pub fn fibonacci(n: u64) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}
