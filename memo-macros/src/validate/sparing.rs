//! Options by which a function spares what it asks.

use super::rules::Rules;

impl Rules<'_> {
    /// A computation can be given up only where it awaits.
    pub(super) fn sparing(&mut self) {
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
    fn only_what_awaits_can_be_given_up() {
        let message =
            "`timeout` is for `async fn`: nobody can stop a body that runs on its thread; remove `timeout`";
        refuses("timeout = \"2s\"", FUNCTION, message);
        accepts("timeout = \"2s\"", "async fn f(a: u8) -> Result<u8, Error> { Ok(a) }");
        // What is wrong with its value is said once.
        assert_eq!(errors("timeout = 2", "async fn f(a: u8) -> Result<u8, Error> { Ok(a) }").len(), 1);
    }
}
