use memo::memoize;

struct Table;

#[memoize]
async fn table(a: u64) -> Vec<Table> {
    vec![Table]
}

fn main() {}
