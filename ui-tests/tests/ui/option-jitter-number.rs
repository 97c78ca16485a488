use memo::memoize;

#[memoize(ttl = "5m", jitter = 0.1)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
