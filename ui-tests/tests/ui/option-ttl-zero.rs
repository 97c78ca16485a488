use memo::memoize;

#[memoize(ttl = "0s")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
