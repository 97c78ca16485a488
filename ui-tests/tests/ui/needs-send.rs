use memo::memoize;

#[memoize]
fn double(a: std::rc::Rc<u64>) -> u64 {
    *a * 2
}

fn main() {}
