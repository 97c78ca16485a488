use memo::memoize;

#[memoize(fallback = "memory")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
