//! Nobody waits for what threads do not share.

#[memo::memoize(engine = "thread", single_flight = false)]
fn square(n: u64) -> u64 {
    n * n
}

#[memo::memoize(engine = "thread", fallback = "memory")]
fn cube(n: u64) -> u64 {
    n * n * n
}

fn main() {}
