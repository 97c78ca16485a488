use memo::memoize;

#[memoize(cache_err = 5)]
fn double(a: u64) -> Result<u64, ()> {
    Ok(a * 2)
}

fn main() {}
