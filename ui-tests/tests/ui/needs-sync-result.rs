use memo::memoize;

#[derive(Clone)]
struct Count(std::cell::Cell<u64>);

#[memoize]
fn count(a: u64) -> Option<Count> {
    Some(Count(a.into()))
}

fn main() {}
