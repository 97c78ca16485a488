use memo::memoize;

#[memoize(cache_none = "no")]
fn double(a: u64) -> Option<u64> {
    Some(a * 2)
}

fn main() {}
