use memo::memoize;

#[memoize]
fn double(a: String) -> String {
    drop(a);
    a
}

fn main() {}
