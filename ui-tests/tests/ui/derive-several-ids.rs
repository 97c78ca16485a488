use memo::Instance;

use memo::InstanceId;

#[derive(Instance)]
struct Catalogue {
    id: InstanceId,
    other: InstanceId,
}

fn main() {}
