use memo::memoize;

#[derive(Clone, PartialEq)]
struct Point {
    x: f64,
    y: f64,
}

#[memoize]
fn norm(at: Point) -> f64 {
    at.x.hypot(at.y)
}

fn main() {}
