//! Without the feature `tracing`: keys are not shown.

use super::Memo;
use crate::key::{OwnedPart, Part};
use crate::outcome::Value;

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// The key is not shown.
    pub(crate) fn shown<P: Part<Owned = K>>(&self, _: &P) -> Option<String> {
        None
    }

    /// The key is not shown.
    pub(crate) fn shown_of(&self, _: &K) -> Option<String> {
        None
    }
}
