//! What a function's keys are called in its engines.

use std::any::type_name;
use std::sync::PoisonError;

use memo_engines::Key;

use super::digest::digest;
use super::plane::Far;

impl<K, V: 'static> Far<K, V> {
    /// The key in the engines; `None` if its `Serialize` fails.
    pub(crate) fn key(&self, key: &K) -> Option<Key> {
        let encoded = (self.key)(key)?;
        let home = self.home.read().unwrap_or_else(PoisonError::into_inner);
        let parts = [&self.identity[..], &encoded].into_iter().chain(home.within.as_deref());
        Some(Key { space: home.space, digest: digest("memo key 1", &parts.collect::<Vec<_>>()) })
    }

    /// The key in the engines of one with this hash; `None` if it has none, or once two keys have had the same.
    pub(crate) fn key_of(&self, key: &K, hash: u64) -> Option<Key> {
        if self.is_mixed() {
            return None;
        }
        let found = self.key(key)?;
        if self.apart.meet(&found.digest, hash) {
            return Some(found);
        }
        if self.apart.mix() {
            crate::warn::warn(&format!(
                "`{}`: two keys that are not equal are written as the same bytes, so its results are kept in memory only, and \
                 those in its engines are dropped; its key is of the type `{}`: write all that its `Eq` compares \
                 (`#[serde(skip)]` leaves a field out), or say `key = ..`",
                self.name,
                type_name::<K>(),
            ));
            // nobody knows to which of the keys they belong
            self.abandon();
        }
        None
    }

    /// Whether two keys were found to be one for the engines.
    pub(super) fn is_mixed(&self) -> bool {
        self.apart.is_mixed()
    }

    /// Whether results that came from the engines may be another key's. True once.
    pub(crate) fn is_suspect(&self) -> bool {
        self.apart.is_suspect()
    }
}
