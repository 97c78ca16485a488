use memo::memoize;

#[memoize]
fn length<T: std::hash::Hash + Eq + Clone + Send + Sync>(item: T) -> usize {
    size_of_val(&item)
}

fn main() {}
