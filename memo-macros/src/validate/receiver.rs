//! The receiver, and the option about it.

use proc_macro2::Span;
use syn::{Receiver, ReceiverKind, Token};

use super::rules::Rules;
use crate::options::{GivenOptions, ReceiverKey};
use crate::types::mutable;

impl Rules<'_> {
    /// Refuses a receiver that cannot enter a key, and `receiver` without one.
    pub(super) fn receiver(&mut self) {
        let GivenOptions { key, receiver: given, .. } = self.given;
        let Some(receiver) = &self.model.receiver else {
            // Beside a `key` another rule refuses it.
            if let (Some(given), None) = (given, key) {
                self.refuse(given.key, "this function has no `self`: remove `receiver`");
            }
            return;
        };
        self.conditional(&receiver.receiver.attrs);
        // If the value of `receiver` was wrong, the author may have meant one that leaves `self` out.
        let meant = given.as_ref().is_some_and(|given| given.value.is_none());
        let covered =
            key.is_some() || meant || matches!(receiver.key, ReceiverKey::Skip | ReceiverKey::Expr(_));
        if let (Some(span), false) = (mutable_receiver(&receiver.receiver), covered) {
            let message = "a call answered from the cache would leave `self` unchanged: \
                           take `&self`, or write `receiver = \"skip\"`, `receiver = self.id` or `key = ..`";
            self.refuse(span, message);
        }
    }
}

/// Where a receiver is taken by `&mut`.
fn mutable_receiver(receiver: &Receiver) -> Option<Span> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => {
            mutability.map(|mutability: Token![mut]| mutability.span)
        }
        ReceiverKind::Typed(_, ty) => mutable(ty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::tests::{FUNCTION, accepts, errors, refuses};

    #[test]
    fn mutable_receivers() {
        let message = "a call answered from the cache would leave `self` unchanged: \
                       take `&self`, or write `receiver = \"skip\"`, `receiver = self.id` or `key = ..`";
        for receiver in ["&mut self", "&'a mut self", "self: &mut Self", "self: Pin<&mut Self>"] {
            let function = format!("pub fn f<'a>({receiver}) -> u8 {{ 1 }}");
            refuses("", &function, message);
            refuses("receiver = \"value\"", &function, message);
            refuses("receiver = \"instance\"", &function, message);
            accepts("receiver = \"skip\"", &function);
            accepts("receiver = self.id", &function);
            accepts("key = self.id", &function);
            assert_eq!(errors("receiver = 1", &function).len(), 1);
        }
        accepts("", "pub fn f(mut self) -> u8 { 1 }");
    }

    #[test]
    fn receiver_without_self() {
        let message = "this function has no `self`: remove `receiver`";
        refuses("receiver = \"skip\"", FUNCTION, message);
        refuses(
            "receiver = self.id, key = a",
            FUNCTION,
            "`key` replaces the receiver: name in `key` what counts of `self`, and remove `receiver`",
        );
    }
}
