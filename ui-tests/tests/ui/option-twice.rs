use memo::memoize;

#[memoize(ttl = "5m", capacity = 10, ttl = "6m")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
