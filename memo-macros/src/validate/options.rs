//! Options that need each other, or exclude each other.

use memo_text::OPTIONS;

use super::rules::Rules;

impl Rules<'_> {
    /// Options that need others, or exclude them, as their rows say.
    pub(super) fn options(&mut self) {
        for row in OPTIONS {
            let Some(key) = self.given.key_of(row.name) else { continue };
            for (other, message) in row.needs {
                if self.given.key_of(other).is_none() {
                    self.refuse(key, message);
                }
            }
            for (other, message) in row.excludes {
                if self.given.key_of(other).is_some() {
                    self.refuse(key, message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{FUNCTION, errors, refuses};

    #[test]
    fn key_contradicts() {
        refuses(
            "key = self.id, receiver = \"skip\"",
            "fn f(&self) -> u8 { 1 }",
            "`key` replaces the receiver: name in `key` what counts of `self`, and remove `receiver`",
        );
        refuses(
            "key = 1 + a, skip(a)",
            FUNCTION,
            "`key` replaces all arguments, so there is nothing to skip: remove `skip`",
        );
    }

    #[test]
    fn weights_need_each_other() {
        refuses(
            "weigh = |k, v| 1",
            FUNCTION,
            "`weigh` needs a bound: add `max_weight`, such as `max_weight = \"64MiB\"`",
        );
        refuses("max_weight = 1", FUNCTION, "`max_weight` needs weights: add `weigh = |key, value| ..`");
        refuses(
            "weigh = |k, v| 1, max_weight = 1, capacity = 1",
            FUNCTION,
            "`capacity` and `max_weight` contradict each other: keep one of them",
        );
        // What is wrong with one of them is said once.
        assert_eq!(errors("weigh = |k, v| 1, max_weight = \"64\"", FUNCTION).len(), 1);
        assert_eq!(errors("wiegh = |k, v| 1, max_weight = 1", FUNCTION).len(), 1);
    }
}
