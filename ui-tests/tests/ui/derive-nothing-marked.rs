use memo::Instance;

#[derive(Instance)]
struct Catalogue {
    id: u64,
}

impl Catalogue {
    #[memo::memoize]
    pub fn price(&self, sku: &str) -> usize {
        sku.len()
    }
}

fn main() {}
