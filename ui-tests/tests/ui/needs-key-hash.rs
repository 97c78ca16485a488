use memo::memoize;

#[derive(Clone, PartialEq, Eq)]
struct Point(u64, u64);

#[memoize(key = (at, name.len()))]
fn norm(at: &Point, name: &str) -> u64 {
    at.0 + at.1
}

fn main() {}
