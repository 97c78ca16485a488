use memo::Instance;

#[derive(Instance)]
enum Catalogue {
    Old { id: u64 },
    New { id: u64 },
}

fn main() {}
