use memo::memoize;

struct Catalogue {
    id: u64,
}

impl Catalogue {
    #[memoize(receiver = "value")]
    pub fn price(&self, sku: &str) -> usize {
        sku.len()
    }
}

fn main() {}
