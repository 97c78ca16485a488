//! Tells authors once of functions that compute again what was just evicted.

use std::sync::{Mutex, PoisonError};

use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::memoized::Memoized;
use crate::outcome::Value;

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
        let option = if self.settings.max_weight.is_some() { "max_weight" } else { "capacity" };
        tell(self.name(), option, &|| {
            let counts = self.near.counts();
            (counts.entries, counts.recomputed)
        });
    }
}

/// Says that the function `name` needs a larger `option`. `counts` gives how many results it keeps, and how many it has
/// computed again. Knows no types, so that it is compiled once, in this crate.
fn tell(name: &str, option: &str, counts: &dyn Fn() -> (u64, u64)) {
    {
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        if told.iter().any(|other| other == name) {
            return;
        }
        told.push(name.to_owned());
    }
    let (entries, recomputed) = counts();
    crate::warn::warn(&format!(
        "`{name}` keeps {entries} results and computes results again that it has just evicted ({recomputed} times): write \
         a larger `{option} = ..`",
    ));
}
