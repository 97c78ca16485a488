//! Which name was meant by one that does not exist.

/// The one of `names` that is nearest to `written`, if it is near enough to be what was meant. Capital letters and small
/// ones count as the same.
///
/// At most a third of the letters may differ, and never all of them.
///
/// ```
/// let options = ["ttl", "capacity"];
/// assert_eq!(memo_text::nearest("capcity", options), Some("capacity"));
/// assert_eq!(memo_text::nearest("size", options), None);
/// ```
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = written.to_lowercase().chars().collect();
    let measured = |name: &'a str| {
        let name: Vec<char> = name.to_lowercase().chars().collect();
        (distance(&written, &name), written.len().max(name.len()))
    };
    let names = names.into_iter().map(|name| (measured(name), name));
    let ((distance, longest), name) = names.min_by_key(|((distance, _), _)| *distance)?;
    (distance < longest && distance * 3 <= longest.max(3)).then_some(name)
}

/// How many letters to insert, remove, change or swap with their neighbour, to come from `a` to `b`: optimal string
/// alignment (Damerau 1964, Levenshtein 1966).
fn distance(a: &[char], b: &[char]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_meant() {
        assert_eq!(nearest("skp", ["skip", "key"]), Some("skip"));
        assert_eq!(nearest("ab", ["ac"]), Some("ac"));
        assert_eq!(nearest("TTL", ["tti", "ttl"]), Some("ttl"));
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("user", ["page"]), None);
        assert_eq!(nearest("user", []), None);
    }

    #[test]
    fn distances() {
        let apart = |a: &str, b: &str| {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            distance(&letters(a), &letters(b))
        };
        assert_eq!(apart("", "abc"), 3);
        assert_eq!(apart("acb", "abc"), 1);
        assert_eq!(apart("kitten", "sitting"), 3);
    }
}
