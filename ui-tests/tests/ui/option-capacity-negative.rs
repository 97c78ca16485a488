use memo::memoize;

#[memoize(capacity = -1)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
