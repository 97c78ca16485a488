use memo::memoize;

#[derive(Clone, PartialEq, Eq)]
struct Point(u64, u64);

#[memoize]
fn norm(at: &Point) -> u64 {
    at.0 + at.1
}

fn main() {}
