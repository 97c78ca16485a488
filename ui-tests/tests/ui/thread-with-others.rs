//! What stays on its thread is kept nowhere else.

#[memo::memoize(engine = ["thread", "memory"])]
fn square(n: u64) -> u64 {
    n * n
}

fn main() {}
