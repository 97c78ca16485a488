use memo::memoize;

#[memoize]
fn double(a: u64, #[cfg(all())] b: u64) -> u64 {
    a * b
}

fn main() {}
