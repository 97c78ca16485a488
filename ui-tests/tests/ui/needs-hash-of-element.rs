use memo::memoize;

#[derive(Clone, PartialEq, Eq)]
struct Point(u64, u64);

#[memoize]
fn norm(name: &str, path: &[Point]) -> usize {
    name.len() + path.len()
}

fn main() {}
