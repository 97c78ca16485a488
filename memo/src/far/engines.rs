//! Engines by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use memo_engines::Engine;

type Named = BTreeMap<String, Arc<dyn Engine>>;

static NAMED: Mutex<Named> = Mutex::new(BTreeMap::new());

fn named() -> std::sync::MutexGuard<'static, Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine called `name`, for `function`. One that is not there is said once for each function that names it.
pub(super) fn open(name: &str, function: &str) -> Option<Arc<dyn Engine>> {
    let found = engines().get(name);
    if found.is_none() {
        crate::warn::warn(&format!(
            "`{function}` names the engine \"{name}\", which is not registered: its results are kept in memory only; \
             call `memo::engines().register(\"{name}\", ..)` before the function is first called"
        ));
    }
    found
}

/// Whether there is an engine of this name.
pub(crate) fn is_registered(name: &str) -> bool {
    named().contains_key(name)
}

/// The engines that functions may name: see [`engines`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Engines;

/// The engines of this process that outlive it, by name.
pub fn engines() -> Engines {
    Engines
}

impl Engines {
    /// Registers `engine` under `name`, to be used by functions with `engine = "name"` that have not been called yet.
    /// One registered before under the same name stays with those that use it.
    pub fn register(&self, name: impl Into<String>, engine: impl Engine) {
        named().insert(name.into(), Arc::new(engine));
    }

    /// The engine registered under `name`.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Engine>> {
        named().get(name).cloned()
    }

    /// The names under which engines are registered, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        named().keys().cloned().collect()
    }
}
