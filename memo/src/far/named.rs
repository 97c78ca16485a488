//! The engines of this process, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memo_engines::Guarded;

type Named = BTreeMap<String, Arc<Guarded>>;

static NAMED: Mutex<Named> = Mutex::new(BTreeMap::new());

/// All that are registered, or built in and in use.
pub(crate) fn named() -> MutexGuard<'static, Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether there is an engine of this name, in use or not.
pub(crate) fn is_registered(name: &str) -> bool {
    (cfg!(feature = "disk") && name == "disk")
        || (cfg!(feature = "redis") && name == "redis")
        || named().contains_key(name)
}

/// The names of those that are registered, or built in and in use, in alphabetical order.
pub(crate) fn names() -> Vec<String> {
    named().keys().cloned().collect()
}
