use memo::memoize;

struct Type;

impl Type {
    #[memoize(receiver = "values")]
    fn method(&self) -> u64 {
        1
    }
}

fn main() {}
