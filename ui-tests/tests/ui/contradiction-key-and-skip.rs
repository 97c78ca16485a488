use memo::memoize;

#[memoize(key = a, skip(b))]
fn double(a: u64, b: u64) -> u64 {
    a * b
}

fn main() {}
