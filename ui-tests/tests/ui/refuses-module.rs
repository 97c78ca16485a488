use memo::memoize;

#[memoize]
mod functions {}

fn main() {}
