use memo::memoize;

#[memoize]
fn make<T: Default>() -> T {
    T::default()
}

fn main() {}
