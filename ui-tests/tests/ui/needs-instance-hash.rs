use memo::memoize;

#[derive(Clone, PartialEq)]
struct Id;

#[derive(memo::Instance)]
struct Catalogue {
    #[instance]
    id: Id,
}

impl Catalogue {
    #[memoize]
    pub fn price(&self, sku: &str) -> usize {
        sku.len()
    }
}

fn main() {}
