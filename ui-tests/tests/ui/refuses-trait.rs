use memo::memoize;

#[memoize]
trait Doubles {
    fn double(a: u64) -> u64;
}

fn main() {}
