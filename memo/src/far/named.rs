//! The engines of this process, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memo_engines::Guarded;

use crate::fork::{self, Locked, Part};

type Named = BTreeMap<String, Arc<Guarded>>;

/// The built-in engines, and whether this build has them.
const BUILT_IN: &[(&str, bool)] = memo_text::built_in_engines!();

static NAMED: Mutex<Named> = Mutex::new(BTreeMap::new());

/// All that are registered, or built in and in use. Their methods, and their destructors, are not to run under this lock.
pub(crate) fn named() -> MutexGuard<'static, Named> {
    fork::attend(Part::Engines, &Locked(lock));
    lock()
}

fn lock() -> MutexGuard<'static, Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether there is an engine of this name, in use or not.
pub(crate) fn is_registered(name: &str) -> bool {
    BUILT_IN.contains(&(name, true)) || named().contains_key(name)
}

/// The names of those that are registered, or built in and in use, in alphabetical order.
pub(crate) fn names() -> Vec<String> {
    named().keys().cloned().collect()
}
