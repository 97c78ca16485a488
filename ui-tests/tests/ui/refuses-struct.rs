use memo::memoize;

#[memoize]
struct Table(u64);

fn main() {
    Table(1);
}
