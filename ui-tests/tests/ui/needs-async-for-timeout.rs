use memo::memoize;

#[memoize(timeout = "2s")]
fn load(id: u64) -> Result<u64, memo::TimedOut> {
    Ok(id)
}

fn main() {}
