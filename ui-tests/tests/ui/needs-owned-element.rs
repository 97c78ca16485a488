use memo::memoize;

use std::collections::BTreeMap;

#[memoize]
fn count(words: &BTreeMap<&str, u64>) -> usize {
    words.len()
}

fn main() {}
