use memo::memoize;

#[memoize]
fn length<T>(items: Vec<T>) -> usize {
    items.len()
}

fn main() {}
