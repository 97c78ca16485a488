use memo::memoize;

#[memoize(at_once = 8, limit_wait = "none")]
fn load(id: u64) -> u64 {
    id
}

fn main() {}
