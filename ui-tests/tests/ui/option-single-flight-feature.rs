use memo::memoize;

#[memoize(single_flight = "fleet")]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double(1);
}
