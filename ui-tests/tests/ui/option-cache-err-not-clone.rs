use memo::memoize;

struct NotClone;

#[memoize(cache_err = "5s")]
fn double(a: u64) -> Result<u64, NotClone> {
    Ok(a * 2)
}

fn main() {}
