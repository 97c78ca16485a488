use memo::memoize;

#[memoize]
extern "C" fn double(a: u64) -> u64 {
    a * 2
}

fn main() {}
