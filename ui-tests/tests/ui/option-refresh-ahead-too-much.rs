use memo::memoize;

#[memoize(ttl = "5m", refresh_ahead = 1.5)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
