use memo::memoize;

#[memoize(cache_none = false)]
fn double(a: u64) -> Result<u64, ()> {
    Ok(a * 2)
}

fn main() {}
