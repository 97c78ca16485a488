use memo::memoize;

struct Table(u64);

#[memoize]
fn table(a: u64) -> Table {
    Table(a)
}

fn main() {
    table(1).0;
}
