//! What a function's keys are called in its engines.

use std::any::type_name;

use memo_engines::Key;

use super::plane::Plane;
use super::typed::Far;

impl<K, V: 'static> Far<K, V> {
    /// The key in the engines; `None` if its `Serialize` fails.
    pub(crate) fn key(&self, key: &K) -> Option<Key> {
        Some(self.key_of_bytes(&(self.key)(key)?))
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
        self.mixed_up(type_name::<K>());
        None
    }
}

impl Plane {
    /// Two keys of this type were found to be one for the engines.
    #[cold]
    fn mixed_up(&self, key_type: &str) {
        if self.apart.mix() {
            crate::warn::warn(&format!(
                "`{}`: two keys that are not equal are written as the same bytes, so its results are kept in memory only, and \
                 those in its engines are dropped; its key is of the type `{}`: write all that its `Eq` compares \
                 (`#[serde(skip)]` leaves a field out), or say `key = ..`",
                self.name, key_type,
            ));
            // nobody knows to which of the keys they belong
            self.abandon();
        }
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
