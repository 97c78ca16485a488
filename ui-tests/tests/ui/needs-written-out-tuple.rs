use memo::memoize;

type Pair<'a> = (&'a str, f64);

#[memoize]
fn length(pair: Pair<'_>) -> usize {
    pair.0.len()
}

fn main() {}
