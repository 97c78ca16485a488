use memo::memoize;

#[derive(Clone, serde::Serialize)]
struct Money(u64);

#[memoize(engine = ["memory", "disk"])]
fn price(sku: u32) -> Result<Money, String> {
    Ok(Money(u64::from(sku)))
}

fn main() {
    let _ = price(1);
}
