use memo::memoize;

#[memoize(ttl_of = |key, value| None)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
