use memo::memoize;

const MANY: f64 = 1e6;

#[memoize(weigh = |_, _| 1, max_weight = MANY)]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {}
