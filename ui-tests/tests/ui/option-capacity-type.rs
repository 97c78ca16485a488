use memo::memoize;

const MANY: i32 = 10;

#[memoize(capacity = MANY)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {}
