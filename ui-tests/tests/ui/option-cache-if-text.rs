use memo::memoize;

#[memoize(cache_if = "value > 1")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
