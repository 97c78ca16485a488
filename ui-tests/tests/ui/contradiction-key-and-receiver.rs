use memo::memoize;

struct Type(u64);

impl Type {
    #[memoize(key = self.0, receiver = "skip")]
    fn method(&self) -> u64 {
        1
    }
}

fn main() {}
