use memo::memoize;

#[memoize(engine = "disk", fallback = ["archive", "disk"])]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
