use memo::memoize;

type Pair = (String, f64);

#[memoize]
fn length(pair: Pair) -> usize {
    pair.0.len()
}

fn main() {}
