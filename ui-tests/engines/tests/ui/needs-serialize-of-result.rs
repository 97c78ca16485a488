use memo::memoize;

#[derive(Clone, serde::Deserialize)]
struct Money(u64);

#[memoize(engine = "disk")]
fn price(sku: u32) -> Option<Money> {
    Some(Money(u64::from(sku)))
}

fn main() {
    price(1);
}
