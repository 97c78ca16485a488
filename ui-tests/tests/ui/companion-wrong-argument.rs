use memo::memoize;

#[memoize]
fn double(a: u64) -> u64 {
    a * 2
}

fn main() {
    double::invalidate("1");
}
