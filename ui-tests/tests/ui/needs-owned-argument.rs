use memo::memoize;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Name<'a>(&'a str);

#[memoize]
fn length(name: Name<'_>) -> usize {
    name.0.len()
}

fn main() {}
