use memo::memoize;

use std::rc::Rc;

#[memoize]
fn shared(a: u64) -> Rc<u64> {
    Rc::new(a)
}

fn main() {}
