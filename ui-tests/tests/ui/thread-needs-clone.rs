//! A hit clones the result, on whatever thread.

struct Found(#[allow(dead_code)] u64);

#[memo::memoize(engine = "thread")]
fn find(id: u64) -> Found {
    Found(id)
}

fn main() {}
