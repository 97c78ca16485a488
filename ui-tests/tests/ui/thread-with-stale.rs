use memo::memoize;

#[memoize(engine = "thread", ttl = "5m", stale = "1h")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
