//! Options by which a function spares what it asks.

use super::rules::Rules;

impl Rules<'_> {
    /// What can be limited, and given up.
    pub(super) fn sparing(&mut self) {
        self.limits();
        self.timeout();
    }

    /// What a thread keeps for itself is computed by that thread alone, one at a time.
    fn limits(&mut self) {
        for name in ["limit", "at_once", "limit_wait"] {
            if let Some(key) = self.given.key_of(name).filter(|_| self.model.on_thread()) {
                let message = format!(
                    "`engine = \"thread\"` knows of no other thread: remove `{name}`, or use \"memory\""
                );
                self.refuse(key, message);
            }
        }
        let limited = ["limit", "at_once"].iter().any(|name| self.given.key_of(name).is_some());
        if let Some(key) = self.given.key_of("limit_wait").filter(|_| !limited) {
            let message = "`limit_wait` says who waits for a limit: add `at_once`, such as `at_once = 8`";
            self.refuse(key, message);
        }
    }

    /// A computation can be given up only where it awaits.
    fn timeout(&mut self) {
        let Some(key) = self.given.key_of("timeout") else { return };
        if self.model.sig.asyncness.is_none() {
            let message = "`timeout` is for `async fn`: nobody can stop a body that runs on its thread; remove `timeout`";
            self.refuse(key, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{FUNCTION, accepts, errors, refuses};

    #[test]
    fn limits_are_of_the_process() {
        accepts("at_once = 8, limit_wait = \"none\"", FUNCTION);
        let message = "`engine = \"thread\"` knows of no other thread: remove `at_once`, or use \"memory\"";
        refuses("engine = \"thread\", at_once = 8", FUNCTION, message);
        let message = "`limit_wait` says who waits for a limit: add `at_once`, such as `at_once = 8`";
        refuses("limit_wait = \"none\"", FUNCTION, message);
    }

    #[test]
    fn only_what_awaits_can_be_given_up() {
        let message =
            "`timeout` is for `async fn`: nobody can stop a body that runs on its thread; remove `timeout`";
        refuses("timeout = \"2s\"", FUNCTION, message);
        accepts("timeout = \"2s\"", "async fn f(a: u8) -> Result<u8, Error> { Ok(a) }");
        // What is wrong with its value is said once.
        assert_eq!(errors("timeout = 2", "async fn f(a: u8) -> Result<u8, Error> { Ok(a) }").len(), 1);
    }
}
