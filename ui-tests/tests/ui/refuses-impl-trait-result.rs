use memo::memoize;

#[memoize]
fn count(to: u64) -> impl Iterator<Item = u64> {
    0..to
}

fn main() {
    count(3).count();
}
