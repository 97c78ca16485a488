use memo::memoize;

trait Doubles {
    #[memoize]
    fn double(a: u64) -> u64 {
        a * 2
    }
}

struct Type;
impl Doubles for Type {}

fn main() {
    Type::double_memo().clear();
}
