use memo::memoize;

struct Type;

#[memoize]
impl Type {
    fn method(&self) -> u64 {
        1
    }
}

fn main() {
    Type.method();
}
