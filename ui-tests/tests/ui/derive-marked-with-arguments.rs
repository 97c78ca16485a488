use memo::Instance;

#[derive(Instance)]
struct Catalogue {
    #[instance(first)]
    id: u64,
}

fn main() {}
