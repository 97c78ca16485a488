use memo::memoize;

#[memoize]
const fn double(a: u64) -> u64 {
    a * 2
}

const TWO: u64 = double(1);

fn main() {
    assert_eq!(TWO, 2);
}
