use memo::memoize;

#[memoize(skip(database, database))]
fn double(a: u64, database: &str) -> u64 {
    a + database.len() as u64
}

fn main() {}
