use memo::Instance;

#[derive(Instance)]
#[memo(krate = memo)]
struct Catalogue {
    #[instance]
    id: u64,
}

fn main() {}
