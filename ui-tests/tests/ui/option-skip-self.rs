use memo::memoize;

struct Type;

impl Type {
    #[memoize(skip(self))]
    fn method(&self) -> u64 {
        1
    }
}

fn main() {}
