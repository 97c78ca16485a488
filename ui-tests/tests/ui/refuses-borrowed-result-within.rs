use memo::memoize;

#[memoize]
fn first<'a>(words: &'a [String]) -> Option<std::borrow::Cow<'a, str>> {
    Some(words.first()?.into())
}

fn main() {}
