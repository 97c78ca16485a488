use memo::memoize;

#[memoize(ttl = std::time::Duration::from_secs(a))]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
