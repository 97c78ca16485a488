use memo::memoize;

#[derive(Clone, PartialEq, Eq)]
struct Point(u64, u64);

#[memoize]
fn distance(from: Point, to: Point) -> u64 {
    from.0 - to.0 + from.1 - to.1
}

fn main() {}
