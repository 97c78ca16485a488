use memo::memoize;

#[memoize(large = true)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
