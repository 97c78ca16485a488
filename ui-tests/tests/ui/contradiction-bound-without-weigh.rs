use memo::memoize;

#[memoize(max_weight = 100)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
