//! Engines by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use memo_engines::Engine;

type Named = BTreeMap<String, Arc<dyn Engine>>;

static NAMED: Mutex<Named> = Mutex::new(BTreeMap::new());

fn named() -> std::sync::MutexGuard<'static, Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
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
