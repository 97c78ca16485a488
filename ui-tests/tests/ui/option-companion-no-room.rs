use memo::memoize;

trait Doubles {
    #[memoize(companion = control)]
    fn double(a: u64) -> u64 {
        a * 2
    }
}

fn main() {}
