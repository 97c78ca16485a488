//! Who computes again what has just been evicted, and is told so once.

use std::sync::{Mutex, PoisonError};

use crate::function::Memo;
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::registry::Memoized;

/// The functions that have been told.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Tells the author of the function if its store has become too small just now. Not under a lock: this may run code of
    /// the user's.
    #[inline]
    pub(crate) fn mind_thrashing(&self) {
        if self.near.thrashes() {
            self.tell_of_thrashing();
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_of_thrashing(&self) {
        let name = self.name();
        {
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            if told.iter().any(|other| other == name) {
                return;
            }
            told.push(name.to_owned());
        }
        let counts = self.near.counts();
        let option = if self.settings.max_weight.is_some() { "max_weight" } else { "capacity" };
        crate::warn::warn(&format!(
            "`{name}` keeps {} results and computes results again that it has just evicted ({} times): write a larger \
             `{option} = ..`",
            counts.entries, counts.recomputed
        ));
    }
}
