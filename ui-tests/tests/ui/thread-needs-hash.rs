//! Keys need be neither `Send` nor `Sync` on a thread of their own, but be keys.

use std::rc::Rc;

#[derive(Clone, PartialEq, Eq)]
struct Name(Rc<str>);

#[memo::memoize(engine = "thread")]
fn length(name: &Name) -> usize {
    name.0.len()
}

fn main() {}
