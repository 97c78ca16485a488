//! Options that are about results which are no longer fresh, or soon will not be.

use super::rules::Rules;

/// The options that need a lifetime. All but `jitter` also need a store that several threads read.
const OPTIONS: &[&str] = &["stale", "stale_if_error", "refresh_ahead", "jitter"];

impl Rules<'_> {
    /// Such options need a lifetime that ends, and an engine that gives results to other calls.
    pub(super) fn freshness(&mut self) {
        if let Some(key) = self.given.key_of("valid_if").filter(|_| self.model.on_thread()) {
            let message = "`engine = \"thread\"` does not ask whether a stored result is valid: remove `valid_if`, or use \
                           \"memory\"";
            self.refuse(key, message);
        }
        let ends = ["ttl", "ttl_of"].iter().any(|name| self.given.key_of(name).is_some());
        for name in OPTIONS {
            let Some(key) = self.given.key_of(name) else { continue };
            if self.model.on_thread() && *name != "jitter" {
                let message = format!(
                    "`engine = \"thread\"` has no other call that could be given a stale result: remove `{name}`, or use \
                     \"memory\""
                );
                self.refuse(key, message);
            } else if !ends {
                let message = format!(
                    "`{name}` needs a lifetime that ends: add `ttl`, such as `ttl = \"5m\"`, or `ttl_of`"
                );
                self.refuse(key, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{FUNCTION, accepts, errors, refuses};

    #[test]
    fn what_is_stale_was_fresh_before() {
        for (name, option) in [
            ("stale", "stale = \"1h\""),
            ("stale_if_error", "stale_if_error = \"1d\""),
            ("refresh_ahead", "refresh_ahead = 0.8"),
            ("jitter", "jitter = \"10%\""),
        ] {
            let message = format!(
                "`{name}` needs a lifetime that ends: add `ttl`, such as `ttl = \"5m\"`, or `ttl_of`"
            );
            refuses(option, FUNCTION, &message);
            refuses(&format!("tti = \"5m\", {option}"), FUNCTION, &message);
            accepts(&format!("ttl = \"5m\", {option}"), FUNCTION);
            accepts(&format!("ttl_of = |value| None, {option}"), FUNCTION);
        }
        // What is wrong with the lifetime is said once.
        assert_eq!(errors("ttl = 5, stale = \"1h\"", FUNCTION).len(), 1);
    }

    #[test]
    fn what_stays_on_its_thread_is_not_stale() {
        let message = "`engine = \"thread\"` has no other call that could be given a stale result: remove `stale`, or use \
                       \"memory\"";
        refuses("engine = \"thread\", ttl = \"5m\", stale = \"1h\"", FUNCTION, message);
        let message = "`engine = \"thread\"` does not ask whether a stored result is valid: remove `valid_if`, or use \
                       \"memory\"";
        refuses("engine = \"thread\", valid_if = |value| true", FUNCTION, message);
        accepts("engine = \"thread\", ttl = \"5m\", jitter = \"10%\"", FUNCTION);
    }
}
