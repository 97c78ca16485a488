use memo::memoize;

struct Counter(u64);

impl Counter {
    #[memoize]
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn main() {
    Counter(1).next();
}
