use memo::memoize;

#[memoize]
fn double(a: u64) -> u64 {
    a.to_string()
}

fn main() {}
