//! Patterns for the names of functions: `*` stands for any run of characters, `::` included. Scopes, the configuration and
//! the rules of strategies speak this one language.

use std::cmp::Ordering;

/// A pattern, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Pattern(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` is one of those it stands for.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// Which of two patterns says more: a name whole, then the one with the longer beginning before its first `*`, then
    /// the one with more characters that are no `*`.
    pub(crate) fn specificity(&self, other: &Self) -> Ordering {
        let key = |Pattern(text): &Self| {
            let beginning = text.find('*');
            let literal = text.chars().filter(|c| *c != '*').count();
            (beginning.is_none(), beginning, literal)
        };
        key(self).cmp(&key(other))
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters() {
        let cases = [
            ("app::rate", "app::rate", true),
            ("app::rate", "app::rates", false),
            ("app::rate", "my_app::rate", false),
            ("*", "", true),
            ("*", "app::rate", true),
            ("app::*", "app::rates::usd", true),
            ("app::*", "app", false),
            ("*::usd", "app::rates::usd", true),
            ("*::usd", "app::rates::usd2", false),
            ("app::*::usd", "app::rates::usd", true),
            ("app::*::usd", "app::usd", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "a__b_b__c", true),
            ("a*b*c", "acb", false),
            ("a*b*c", "a_c", false),
            ("a*a", "aa", true),
            ("a*a", "a", false),
            ("", "", true),
            ("", "a", false),
            ("**a**", "xax", true),
        ];
        for (pattern, name, matches) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_are_ordered_by_how_much_they_say() {
        let ordered = ["*", "*::usd", "app*", "app::*", "app::r*", "app::r*s", "app::rates::*", "a"];
        let patterns = ordered.map(Pattern::new);
        for (low, less) in patterns.iter().enumerate() {
            for (high, more) in patterns.iter().enumerate() {
                assert_eq!(less.specificity(more), low.cmp(&high), "{less:?} {more:?}");
            }
        }
    }
}
