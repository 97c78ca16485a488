//! The future of an `async fn` may go from thread to thread.

#[memo::memoize(engine = "thread")]
async fn fetch(id: u64) -> u64 {
    id
}

fn main() {}
