//! Which name was meant by one that does not exist.

/// The word nearest to `written`, if it is near enough to be what was meant.
pub(crate) fn nearest<T: AsRef<str>>(written: &str, words: &[T]) -> Option<String> {
    let near = words.iter().map(|word| (distance(written, word.as_ref()), word.as_ref()));
    let (distance, word) = near.min_by_key(|(distance, _)| *distance)?;
    let longest = written.chars().count().max(word.chars().count());
    // At most a third of the letters, but never all of them.
    (distance < longest && distance * 3 <= longest.max(3)).then(|| word.to_owned())
}

/// How many letters to insert, remove, change or swap with their neighbour, to come from `a` to `b`:
/// optimal string alignment (Damerau 1964, Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[a.len()][b.len()]
}

/// The words, each between quotes, with commas.
pub(crate) fn list(words: &[&str], quote: char) -> String {
    words.iter().map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        assert_eq!(nearest("skp", &["skip", "key"]).as_deref(), Some("skip"));
        assert_eq!(nearest("ab", &["ac"]).as_deref(), Some("ac"));
        assert_eq!(nearest("a", &["b"]), None);
        assert_eq!(nearest("user", &["page"]), None);
        assert_eq!(nearest("user", &[] as &[&str]), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("acb", "abc"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
