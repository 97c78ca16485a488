use memo::memoize;

#[memoize]
async fn double(a: u64) -> Result<u64, std::num::ParseIntError> {
    "1".parse()?;
    Ok(a.to_string())
}

fn main() {}
