use memo::memoize;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Sku(u32);

#[memoize(engine = "disk")]
fn price(sku: Sku, size: u8) -> u64 {
    u64::from(sku.0) * u64::from(size)
}

fn main() {
    price(Sku(1), 2);
}
