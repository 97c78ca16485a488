use memo::memoize;

#[memoize(key = b)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
