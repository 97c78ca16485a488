use memo::memoize;

#[memoize]
fn stop(a: u64) -> ! {
    panic!("{a}")
}

fn main() {}
