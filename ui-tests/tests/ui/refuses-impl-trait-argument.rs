use memo::memoize;

#[memoize]
fn double(a: impl Into<u64>) -> u64 {
    a.into() * 2
}

fn main() {
    double(1_u8);
}
