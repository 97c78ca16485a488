use memo::memoize;

struct Table;

#[memoize]
fn table(a: u64) -> Result<Table, String> {
    Ok(Table)
}

fn main() {}
