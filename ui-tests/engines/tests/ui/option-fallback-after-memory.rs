use memo::memoize;

#[memoize(engine = "disk", fallback = ["memory", "archive"])]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
