use memo::memoize;

mod double {}

#[memoize]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {}
