use memo::memoize;

trait Doubles {
    #[memoize]
    fn double(a: u64) -> u64;
}

fn main() {}
