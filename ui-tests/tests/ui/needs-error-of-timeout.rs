use memo::memoize;

#[derive(Debug, Clone)]
struct Error;

#[memoize(timeout = "2s")]
async fn load(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
