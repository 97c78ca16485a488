use memo::memoize;

#[memoize(code = "track")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
