//! Keys in words, where the function shows them and somebody wants to see them.

use super::Memo;
use crate::key::{OwnedPart, Part};
use crate::outcome::Value;

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// How keys are shown: `None` if the function does not show them, or nobody subscribes to them.
    fn shows(&self) -> Option<crate::trace::Show<K>> {
        let shows = |_: &_| self.settings.log_keys.unwrap_or_else(crate::trace::are_shown);
        self.hooks.show.filter(shows).filter(|_| crate::trace::shows_keys())
    }

    /// The key in words, if it is shown.
    pub(crate) fn shown<P: Part<Owned = K>>(&self, key: &P) -> Option<String> {
        self.shows()?;
        self.shown_of(&key.to_owned_part())
    }

    /// An owned key in words, if the function shows keys and somebody subscribes to them.
    pub(crate) fn shown_of(&self, key: &K) -> Option<String> {
        let show = self.shows()?;
        let mut shown = None;
        crate::event::caught(|| shown = Some(show(key)));
        shown
    }
}
