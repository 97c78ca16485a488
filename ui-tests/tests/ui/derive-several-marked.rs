use memo::Instance;

#[derive(Instance)]
struct Catalogue {
    #[instance]
    id: u64,
    #[instance]
    name: String,
}

fn main() {}
